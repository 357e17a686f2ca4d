//! What YAML says about `auth`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::algorithm::Algorithm;
use crate::conf::{BuildError, FileRef, Interval, Size};

/// How callers prove who they are.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Conf {
    /// JSON Web Tokens, sent as `Authorization: Bearer …`. Must be there as soon as an operation is not `public`.
    pub jwt: Option<Jwt>,
    /// What challenges call this service (`realm`, RFC 9110 §11.5); the first audience if left out.
    pub realm: Option<String>,
    /// What becomes of a call to a public operation whose token is not valid.
    pub public_with_bad_token: BadToken,
}

/// What becomes of a call to a public operation whose token is not valid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BadToken {
    /// It is answered as if no token had been sent: an expired token does not lock anyone out of what is public.
    #[default]
    Ignore,
    /// It is refused with 401, so that a caller that believes to be known learns that it is not.
    Refuse,
}

/// Which JSON Web Tokens (RFC 7519) are accepted.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Jwt {
    /// Who must have issued a token: its `iss`, compared as it is written.
    pub issuer: String,
    /// Whom a token must be meant for: one of these must be in its `aud`.
    pub audience: Audience,
    /// The keys that sign.
    pub keys: Keys,
    /// The algorithms in use. Each key is bound to one of them when it is loaded; a token never chooses.
    #[serde(default = "default_algorithms")]
    pub algorithms: Vec<Algorithm>,
    /// How far the clock of the issuer may be off, for `exp` and `nbf`; at most one minute.
    #[serde(default = "default_leeway")]
    pub leeway: Interval,
    /// The longest token that is looked at.
    #[serde(default = "default_max_token_size")]
    pub max_token_size: Size,
    /// The accepted values of the header's `typ`; a token without one counts as `JWT`. `[at+jwt]` alone is the
    /// strictest (RFC 9068).
    #[serde(default = "default_typ")]
    pub typ: Vec<String>,
    /// Where the claims of a token say what.
    #[serde(default)]
    pub claims: ClaimNames,
    /// Verified tokens are remembered, so that the next call with one costs nanoseconds.
    #[serde(default)]
    pub cache: Cache,
}

/// The name of this service in tokens, or several.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a text or a list of texts")]
pub enum Audience {
    /// One name.
    One(String),
    /// Several names.
    Any(Vec<String>),
}

impl Audience {
    /// The names.
    pub fn names(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Any(names) => names,
        }
    }
}

/// Where the keys are.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Keys {
    /// A file with a JWK Set (RFC 7517 §5) or with public keys in PEM.
    pub file: FileRef,
}

/// Where the claims of a token say what. A name that is not a claim is a path: `realm_access.roles`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ClaimNames {
    /// Hold scopes: a text with spaces or a list; all of them together.
    pub scopes: Vec<String>,
    /// Hold roles: a text with spaces or a list; all of them together.
    pub roles: Vec<String>,
}

impl Default for ClaimNames {
    fn default() -> Self {
        Self { scopes: vec!["scope".to_owned(), "scp".to_owned()], roles: vec!["roles".to_owned()] }
    }
}

/// How verified tokens are remembered.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Cache {
    /// How many, at most; 0 remembers none. Half as many again as are in use at once leaves room for all of them.
    #[schemars(range(max = 1_000_000))]
    pub max: usize,
    /// How long, at most; never beyond their expiry.
    pub max_age: Interval,
}

impl Default for Cache {
    fn default() -> Self {
        Self { max: 16_000, max_age: Interval::mins(5) }
    }
}

fn default_algorithms() -> Vec<Algorithm> {
    vec![Algorithm::HS256, Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA]
}

fn default_leeway() -> Interval {
    Interval::secs(60)
}

fn default_max_token_size() -> Size {
    Size::kib(8)
}

fn default_typ() -> Vec<String> {
    vec!["JWT".to_owned(), "at+jwt".to_owned()]
}

impl Jwt {
    /// What is wrong in a way the types cannot say.
    pub(super) fn check(&self) -> Result<(), BuildError> {
        let empty = |name: &String| name.is_empty();
        let wrong = |at, message| Err(BuildError::new(at, message));
        if self.issuer.is_empty() {
            return wrong("issuer", "an empty issuer would be matched by no token");
        }
        if self.audience.names().is_empty() || self.audience.names().iter().any(empty) {
            return wrong("audience", "an empty audience would be matched by no token");
        }
        if self.leeway > default_leeway() {
            return wrong("leeway", "clocks that are off by more than a minute are to be set, not tolerated");
        }
        if self.algorithms.is_empty() {
            return wrong("algorithms", "without an algorithm no token can be accepted");
        }
        if self.typ.is_empty() {
            return wrong("typ", "without a type no token can be accepted");
        }
        Ok(())
    }
}
