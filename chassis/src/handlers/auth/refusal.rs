//! Why a caller is not believed.

use std::fmt;

use crate::fault::Code;

/// Why a caller is not believed. The reasons below [`Refusal::Signature`] are only given for tokens that a trusted
/// key has signed, so that nobody else learns what is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// More than one proof: two `Authorization` fields, or one and an API key.
    Several,
    /// Not a compact JWS of a JSON header (RFC 7515 §7.1).
    Malformed,
    /// Longer than the configuration allows.
    TooLong,
    /// It names extensions in `crit` (RFC 7515 §4.1.11), and none is understood.
    Critical,
    /// Its `typ` is not an accepted one.
    Type,
    /// No key of this name and algorithm is trusted; `none` is no algorithm.
    Key,
    /// No trusted key made the signature.
    Signature,
    /// The claims are not a JSON object, or a registered one has the wrong form.
    Claims,
    /// It never expires.
    Endless,
    /// It expired.
    Expired,
    /// It is not valid yet.
    Early,
    /// Another issuer made it.
    Issuer,
    /// It is meant for other services.
    Audience,
    /// It does not say whom it was given to.
    Nobody,
    /// The keys are not there: the issuer has not published them yet, or not for too long.
    Unready,
    /// Nobody has this API key.
    ApiKey,
    /// What Basic sent is no user and password (RFC 7617 §2).
    Garbled,
    /// There is no such user, or the password is another one.
    Password,
    /// More passwords are being checked than may be at once.
    Busy,
    /// The certificate of the connection expired since that was made.
    Outdated,
    /// The certificate has no name of a kind that counts.
    Nameless,
    /// The certificate has a SPIFFE ID that is malformed or not its only URI.
    Spiffe,
    /// The certificate has a SPIFFE ID of a trust domain that is not believed.
    Domain,
}

impl Refusal {
    /// All of them, in the order they are declared.
    pub(super) const ALL: [Self; 23] = [
        Self::Several,
        Self::Malformed,
        Self::TooLong,
        Self::Critical,
        Self::Type,
        Self::Key,
        Self::Signature,
        Self::Claims,
        Self::Endless,
        Self::Expired,
        Self::Early,
        Self::Issuer,
        Self::Audience,
        Self::Nobody,
        Self::Unready,
        Self::ApiKey,
        Self::Garbled,
        Self::Password,
        Self::Busy,
        Self::Outdated,
        Self::Nameless,
        Self::Spiffe,
        Self::Domain,
    ];

    /// Which proof it is about; `None` where there are several.
    pub(super) fn scheme(self) -> Option<&'static str> {
        match self {
            Self::Several => None,
            Self::ApiKey => Some("api-key"),
            Self::Garbled | Self::Password | Self::Busy => Some("basic"),
            Self::Outdated | Self::Nameless | Self::Spiffe | Self::Domain => Some("mtls"),
            _ => Some("jwt"),
        }
    }

    /// What it is counted as, beside the scheme.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Several => "several",
            Self::Malformed => "malformed",
            Self::TooLong => "too-long",
            Self::Critical => "unknown-extension",
            Self::Type => "wrong-type",
            Self::Key => "unknown-key",
            Self::Signature => "wrong-signature",
            Self::Claims => "malformed-claims",
            Self::Endless => "no-expiry",
            Self::Expired => "expired",
            Self::Early => "not-yet-valid",
            Self::Issuer => "wrong-issuer",
            Self::Audience => "wrong-audience",
            Self::Nobody => "no-subject",
            Self::Unready => "no-keys",
            Self::ApiKey => "unknown-key",
            Self::Garbled => "malformed",
            Self::Password => "wrong-password",
            Self::Busy => "busy",
            Self::Outdated => "expired",
            Self::Nameless => "no-name",
            Self::Spiffe => "malformed-spiffe-id",
            Self::Domain => "unknown-trust-domain",
        }
    }

    /// What the caller is told: what is wrong and what to do, in the characters of RFC 6750 §3's descriptions.
    pub fn message(self) -> &'static str {
        match self {
            Self::Several => "Several credentials were sent; send one.",
            Self::Malformed => "The access token is malformed; send it as it was issued, after `Bearer`.",
            Self::TooLong => "The access token is too long; ask for one with fewer claims.",
            Self::Critical => "The access token needs extensions that are not supported here.",
            Self::Type => "This type of token is not accepted here; send an access token.",
            Self::Key => "The access token is signed with a key that is not trusted here; get a new one.",
            Self::Signature => "The signature of the access token is wrong; get a new one.",
            Self::Claims => "The claims of the access token are malformed; get a new one.",
            Self::Endless => "The access token has no expiry; get one that has.",
            Self::Expired => "The access token expired; get a new one.",
            Self::Early => "The access token is not valid yet; wait, or check the clock of its issuer.",
            Self::Issuer => "The access token comes from an issuer that is not trusted here.",
            Self::Audience => "The access token is meant for another service; get one for this one.",
            Self::Unready => "The keys that tokens are checked with are not there yet; try again.",
            Self::ApiKey => "This API key is not known here; check it, or ask for one.",
            Self::Garbled => "These are no user and password; send `user:password` in base64, after `Basic`.",
            Self::Password => "The user or the password is wrong.",
            Self::Outdated => "The client certificate expired; connect again with a new one.",
            Self::Nameless => "The client certificate has no name that counts here; get one that has.",
            Self::Spiffe => "The client certificate needs one SPIFFE ID and no other URI; get one that has.",
            Self::Domain => "The client certificate is of a trust domain that is not believed here.",
            Self::Busy => "Too many passwords are being checked; try again.",
            Self::Nobody => "The access token does not name its subject; get one that does.",
        }
    }

    /// The error code of RFC 6750 §3.1.
    pub(super) fn error(self) -> &'static str {
        if self == Self::Several { "invalid_request" } else { "invalid_token" }
    }

    /// What goes with the error code: a request that is wrong in itself is 400, whatever its tokens are.
    pub(super) fn code(self) -> Code {
        match self {
            Self::Several => Code::InvalidArgument,
            Self::Unready | Self::Busy => Code::Unavailable,
            _ => Code::Unauthenticated,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.scheme() {
            Some("jwt") => write!(f, "token refused: {self:?}"),
            _ => write!(f, "credentials refused: {self:?}"),
        }
    }
}

impl std::error::Error for Refusal {}
