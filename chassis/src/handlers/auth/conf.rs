//! What YAML says about `auth`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::algorithm::Algorithm;
use crate::conf;
use crate::conf::{FileRef, Interval, Size};

mod check;

/// How callers prove who they are.
#[conf]
pub struct Conf {
    /// JSON Web Tokens, sent as `Authorization: Bearer …`. One of the schemes must be there as soon as an operation is
    /// not `public`; several can be.
    pub jwt: Option<Jwt>,
    /// Users and passwords, sent as `Authorization: Basic …` (RFC 7617). Whoever is on the way reads them: only behind
    /// what encrypts.
    pub basic: Option<Basic>,
    /// Keys that were handed out to programs.
    pub api_keys: Option<ApiKeys>,
    /// Certificates that callers show when they connect, over a listener whose `tls` has a `client-ca`. A token, a password
    /// or a key that a call itself brings counts before that.
    pub mtls: Option<Mtls>,
    /// Another service that is asked about every call of a known caller that is not to a public operation.
    pub external: Option<External>,
    /// What challenges call this service (`realm`, RFC 9110 §11.5); the first audience if left out, and `chassis`
    /// where there is none.
    pub realm: Option<String>,
    /// What becomes of a call to a public operation whose token, key or password is not valid.
    #[conf(default)]
    pub public_with_bad_token: BadToken,
}

/// What callers are called by their certificates, and what they may.
#[conf]
pub struct Mtls {
    /// Which of the alternative names of a certificate (RFC 5280 §4.2.1.6) is the subject: the first of the first kind
    /// that it has.
    #[conf(default = vec![SubjectKind::Spiffe, SubjectKind::Dns, SubjectKind::Email])]
    pub subject: Vec<SubjectKind>,
    /// The trust domains whose SPIFFE IDs are believed, such as `shop.example`. A certificate with any other is refused.
    #[conf(default)]
    pub trust_domains: Vec<String>,
    /// What callers may; all that fit count. One is written as
    /// `{ to: 'spiffe://shop.example/ns/*/sa/billing', scopes: [read] }`.
    #[conf(default)]
    pub grants: Vec<Grant>,
}

/// A kind of name in a certificate.
#[conf]
#[derive(Copy, PartialEq, Eq)]
pub enum SubjectKind {
    /// A SPIFFE ID, such as `spiffe://shop.example/ns/shop/sa/billing`.
    Spiffe,
    /// A DNS name.
    Dns,
    /// An e-mail address.
    Email,
}

/// What some callers may.
#[conf]
pub struct Grant {
    /// Their subject. `*` stands for a part of it, or for some characters of a part; `**` at the end of a SPIFFE ID for
    /// all parts that follow.
    pub to: String,
    /// The scopes they are granted.
    #[conf(default)]
    pub scopes: Vec<String>,
    /// The roles they have.
    #[conf(default)]
    pub roles: Vec<String>,
}

/// Which API keys are accepted. They are known by their digests only.
#[conf]
pub struct ApiKeys {
    /// A file with a line for each key: `billing:sha256:DIGEST scopes=read,write roles=machine`. A key is made with
    /// `openssl rand -hex 32`, its digest with `printf %s KEY | sha256sum`.
    pub file: FileRef,
    /// The header field that keys are sent in.
    #[conf(default = "X-API-Key".to_owned())]
    pub header: String,
    /// The name in the query that keys are sent under as well. Nothing by default: queries end up in the logs and
    /// histories of whoever is on the way. Here `auth` takes it out: what stands behind never sees it. List it in `redact` of
    /// `access-log` as well, for calls on which `auth` does not act.
    pub query: Option<String>,
}

/// Which users and passwords are accepted.
#[conf]
pub struct Basic {
    /// A file with a line for each user: `ada:HASH scopes=read,write roles=admin`. The hash is one of bcrypt or Argon2,
    /// as `htpasswd -nB -C 11 USER` or `argon2 SALT -id -e` write it.
    pub file: FileRef,
    /// How long a password that was right is remembered, so that the next call with it costs little.
    #[conf(default = Interval::mins(5))]
    pub remember: Interval,
    /// How many passwords are checked at the same time, each by a thread of its own.
    #[conf(default = 2, range(1..=64))]
    pub at_once: usize,
    /// How many callers may wait for their turn; further ones are refused with 503.
    #[conf(default = 64, range(..=10_000))]
    pub queue: usize,
}

/// Another service that decides about callers, after they have proved who they are. It is asked with `GET`, with the
/// call in the fields `X-Forwarded-Method`, `X-Forwarded-Uri`, `X-Forwarded-For` and `X-Operation`, and the caller in
/// `X-Auth-Subject`, `X-Auth-Scheme`, `X-Auth-Scopes` and `X-Auth-Roles`. It lets the call pass with 2xx and refuses
/// it with 401 or 403; anything else is a failure.
#[conf]
pub struct External {
    /// Where it is asked.
    pub url: String,
    /// How long it may take.
    #[conf(default = Interval::millis(500))]
    pub timeout: Interval,
    /// What becomes of a call when it fails.
    #[conf(default)]
    pub on_failure: OnFailure,
    /// The header fields of the call that it is told as well, such as `Cookie`.
    #[conf(default)]
    pub headers: Vec<String>,
    /// How many questions may be under way; further ones wait, within `timeout`.
    #[conf(default = 64, range(1..=10_000))]
    pub at_once: usize,
    /// Whether it may be asked without encryption. Whoever stands in between can then let anybody pass.
    #[conf(default = false)]
    pub insecure: bool,
}

/// What becomes of a call when the service that decides about callers fails.
#[conf]
#[derive(Copy, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// It is refused with 503.
    #[default]
    Deny,
    /// It passes, as if it had been let pass: what the operation itself asks for has been proved.
    Allow,
}

/// What becomes of a call to a public operation whose proof is not valid.
#[conf]
#[derive(Copy, Default, PartialEq, Eq)]
pub enum BadToken {
    /// It is answered as if no token had been sent: an expired token does not lock anyone out of what is public.
    #[default]
    Ignore,
    /// It is refused with 401, so that a caller that believes to be known learns that it is not.
    Refuse,
}

/// Which JSON Web Tokens (RFC 7519) are accepted.
#[conf]
pub struct Jwt {
    /// Who must have issued a token: its `iss`, compared as it is written.
    pub issuer: String,
    /// Whom a token must be meant for: one of these must be in its `aud`.
    pub audience: Audience,
    /// The keys that sign.
    pub keys: Keys,
    /// The algorithms in use. Each key is bound to one of them when it is loaded; a token never chooses.
    #[conf(default = vec![Algorithm::HS256, Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA])]
    pub algorithms: Vec<Algorithm>,
    /// How far the clock of the issuer may be ahead: a token is taken so long before its `nbf`, and never after its
    /// `exp`; at most one minute.
    #[conf(default = LEEWAY)]
    pub leeway: Interval,
    /// The longest token that is looked at.
    #[conf(default = Size::kib(8))]
    pub max_token_size: Size,
    /// The accepted values of the header's `typ`; a token without one counts as `JWT`. `[at+jwt]` alone is the
    /// strictest (RFC 9068).
    #[conf(default = vec!["JWT".to_owned(), "at+jwt".to_owned()])]
    pub typ: Vec<String>,
    /// Where the claims of a token say what.
    #[conf(default)]
    pub claims: ClaimNames,
    /// Verified tokens are remembered, so that the next call with one costs nanoseconds.
    #[conf(default)]
    pub cache: Cache,
}

/// The most that may be tolerated, and the default.
const LEEWAY: Interval = Interval::secs(60);

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

/// Where the keys are: one of `file`, `url` and `discovery`.
#[conf]
pub struct Keys {
    /// A file with a JWK Set (RFC 7517 §5) or with public keys in PEM.
    pub file: Option<FileRef>,
    /// Why secrets in `file` may be shorter than their hash (RFC 7518 §3.2): whoever has one token can try secrets until
    /// one fits, and then make tokens. Without a reason they are refused.
    pub short_secrets: Option<String>,
    /// Where the issuer publishes its JWK Set: `https://id.example/jwks.json`. Only public keys are taken from it.
    pub url: Option<String>,
    /// Where the issuer tells of itself (OpenID Connect Discovery 1.0 §4): `https://id.example`, whose document at
    /// `/.well-known/openid-configuration` must name `issuer` and says where its keys are.
    pub discovery: Option<String>,
    /// What becomes of the start if keys that the issuer publishes cannot be had.
    #[conf(default)]
    pub at_start: AtStart,
    /// How long asking the issuer for its keys may take. It is asked again every 5 to 15 minutes, as its
    /// `Cache-Control` says, before what is known grows old.
    #[conf(default = Interval::secs(5))]
    pub timeout: Interval,
    /// A token that names an unknown key makes the issuer be asked at once, once for all callers, and then not again
    /// for so long.
    #[conf(default = Interval::secs(30))]
    pub cool_down: Interval,
    /// How long keys are good while the issuer cannot be reached, from the first time that it did not answer. After that
    /// every token is refused with 503, those that are remembered too.
    #[conf(default = Interval::hours(24))]
    pub stale: Interval,
    /// Whether the issuer may be asked without encryption. Whoever stands in between can then make tokens.
    #[conf(default = false)]
    pub insecure: bool,
}

/// What becomes of the start if keys that the issuer publishes cannot be had.
#[conf]
#[derive(Copy, Default, PartialEq, Eq)]
pub enum AtStart {
    /// The service does not start: a wrong address is found at once, and a new version that knows no keys never takes
    /// the place of one that does.
    #[default]
    Require,
    /// It starts, answers 503 to those whose token it cannot check, and goes on asking.
    Try,
}

/// Where the claims of a token say what. A name that is not a claim is a path: `realm_access.roles`.
#[conf]
pub struct ClaimNames {
    /// Names the caller: a text. `username` or `client_id` where the issuer says it there.
    #[conf(default = "sub".to_owned())]
    pub subject: String,
    /// Hold scopes: a text with spaces or a list; all of them together.
    #[conf(default = vec!["scope".to_owned(), "scp".to_owned()])]
    pub scopes: Vec<String>,
    /// Hold roles: a text with spaces or a list; all of them together.
    #[conf(default = vec!["roles".to_owned()])]
    pub roles: Vec<String>,
}

/// How verified tokens are remembered.
#[conf]
pub struct Cache {
    /// How many, at most; 0 remembers none. Half as many again as are in use at once leaves room for all of them.
    #[conf(default = 16_000, range(..=1_000_000))]
    pub max: usize,
    /// How long, at most; never beyond their expiry.
    #[conf(default = Interval::mins(5))]
    pub max_age: Interval,
    /// How much memory all of them may take together. What does not fit is verified on every call.
    #[conf(default = Size::mib(64))]
    pub memory: Size,
}
