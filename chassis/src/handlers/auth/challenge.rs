//! How a caller is told to prove itself: 400, 401 and 403 with `WWW-Authenticate` (RFC 9110 §11.6.1, RFC 6750 §3).

use std::time::Duration;

use http::{HeaderValue, header};

use super::conf::Conf;
use super::external::Answer;
use super::refusal::Refusal;
use crate::conf::BuildError;
use crate::fault::{Code, Fault};
use crate::operation::{Access, Text};
use crate::principal::{Identity, Principal};

/// When callers are to come back while keys are fetched or passwords checked.
const AGAIN: Duration = Duration::from_secs(5);

/// Writes challenges for one realm.
#[derive(Debug)]
pub(super) struct Challenge {
    /// Of tokens, which say what was wrong.
    bearer: Option<String>,
    /// Of all other schemes, and what a caller is told about each.
    others: Vec<HeaderValue>,
    missing: String,
}

impl Challenge {
    pub(super) fn build(conf: &Conf) -> Result<Self, BuildError> {
        let audience = || conf.jwt.as_ref()?.audience.names().first().map(String::as_str);
        let realm = quoted(conf.realm.as_deref().or_else(audience).unwrap_or("chassis"))?;
        let (mut others, mut ways) = (Vec::new(), Vec::new());
        let field =
            |text: String| HeaderValue::try_from(text).map_err(|error| BuildError::new("realm", error.to_string()));
        // Where nothing is configured, only what is public is served; a service that asks for more names tokens.
        let tokens = conf.jwt.is_some() || conf.basic.is_none() && conf.api_keys.is_none() && conf.mtls.is_none();
        if tokens {
            ways.push("an access token as `Authorization: Bearer <token>`".to_owned());
        }
        if conf.basic.is_some() {
            ways.push("a user and a password as `Authorization: Basic <base64 of user:password>`".to_owned());
            others.push(field(format!("Basic realm={realm}, charset=\"UTF-8\""))?);
        }
        if let Some(keys) = &conf.api_keys {
            ways.push(format!("an API key as `{}: <key>`", keys.header));
            others.push(field(format!("ApiKey realm={realm}"))?);
        }
        if conf.mtls.is_some() {
            ways.push("a client certificate in the TLS handshake".to_owned());
            others.push(field(format!("mTLS realm={realm}"))?);
        }
        let missing = format!("This needs a known caller; send {}.", ways.join(" or "));
        Ok(Self { bearer: tokens.then(|| format!("Bearer realm={realm}")), others, missing })
    }

    /// Nothing was sent that could prove anything: no `error`, as RFC 6750 §3.1 wants it.
    pub(super) fn missing(&self) -> Fault {
        self.fault(Code::Unauthenticated, self.missing.clone().into(), "")
    }

    /// What was sent is not to be believed.
    pub(super) fn refused(&self, refusal: Refusal) -> Fault {
        let (code, error, message) = (refusal.code(), refusal.error(), refusal.message());
        if code == Code::Unavailable {
            // No other credentials would help: there is nothing to ask the caller for.
            // Nor has it a cause, which would be a line of the log for each call: that keys are missing or passwords
            // wait is counted, and told once.
            let fault = Fault::new(code, message).with_retry_after(AGAIN);
            let remedy = "The keys of the issuer must have been fetched; `explain` fetches none.";
            return if refusal == Refusal::Unready { fault.with_remedy(remedy) } else { fault };
        }
        let attributes = match refusal.scheme() {
            Some("jwt") | None => format!(", error=\"{error}\", error_description=\"{message}\""),
            _ => String::new(),
        };
        self.fault(code, message.into(), &attributes)
            .with_evidence("scheme", refusal.scheme())
            .with_evidence("reason", refusal.reason())
            .with_cause(refusal)
    }

    /// The caller is known and was not granted enough.
    pub(super) fn insufficient(&self, access: &Access, caller: &Principal) -> Fault {
        let Identity { subject, scopes: granted, roles, .. } = caller.identity();
        let (detail, scope, remedy) = match access {
            Access::Scopes(scopes) => {
                let lacking: Vec<_> = scopes.iter().filter(|scope| !caller.has_scope(scope)).cloned().collect();
                let detail = format!("This needs the scopes {}; get a token that grants them.", listed(scopes));
                (detail, scope(scopes), Some(format!("Grant `{subject}` {} as well.", listed(&lacking))))
            }
            Access::Roles(roles) => {
                let remedy = Some(format!("Give `{subject}` one of them."));
                (format!("This needs one of the roles {}.", listed(roles)), String::new(), remedy)
            }
            // Whoever is known may call these.
            Access::Public | Access::Auth => ("This caller may not do this.".to_owned(), String::new(), None),
        };
        let attributes = format!(", error=\"insufficient_scope\"{scope}");
        let fault = self
            .fault(Code::PermissionDenied, detail.into(), &attributes)
            .with_evidence("scopes", granted.clone())
            .with_evidence("roles", roles.clone());
        remedy.into_iter().fold(fault, Fault::with_remedy)
    }

    /// Another service does not let the caller pass.
    pub(super) fn by_external(&self, answer: Answer) -> Fault {
        let fault = match answer {
            Answer::Allowed | Answer::Denied => {
                Fault::new(Code::PermissionDenied, "The service that decides about callers does not allow this.")
            }
            Answer::Unknown => {
                let detail = "The service that decides about callers does not accept these credentials; send others.";
                self.fault(Code::Unauthenticated, detail.into(), "")
            }
            Answer::Failed => {
                let detail = "The service that decides about callers does not answer; try again.";
                Fault::new(Code::Unavailable, detail).with_retry_after(AGAIN)
            }
        };
        fault.with_policy("external")
    }

    fn fault(&self, code: Code, detail: Text, attributes: &str) -> Fault {
        let mut fault = Fault::new(code, detail);
        if let Some(bearer) = &self.bearer {
            fault = match HeaderValue::try_from(format!("{bearer}{attributes}")) {
                Ok(value) => fault.with_header(header::WWW_AUTHENTICATE, value),
                Err(error) => fault.with_cause(error),
            };
        }
        // Who may not do this may not do it by other means either.
        let others = if code == Code::PermissionDenied { &[] } else { &*self.others };
        others.iter().fold(fault, |fault, value| fault.with_header(header::WWW_AUTHENTICATE, value.clone()))
    }
}

/// A realm as it is sent.
fn quoted(realm: &str) -> Result<String, BuildError> {
    if realm.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Ok(format!("\"{}\"", realm.replace('\\', "\\\\").replace('"', "\\\"")));
    }
    Err(BuildError::new("realm", "a realm is sent in a header field: printable ASCII only")
        .with_help("write it without accents, quotes from other keyboards and line ends"))
}

fn listed(names: &[Text]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The `scope` attribute, if every name can stand in it (RFC 6749 §3.3).
fn scope(names: &[Text]) -> String {
    let fits = |byte: u8| matches!(byte, b'!'..=b'~') && byte != b'"' && byte != b'\\';
    if names.iter().any(|name| name.is_empty() || !name.bytes().all(fits)) {
        return String::new();
    }
    format!(", scope=\"{}\"", names.join(" "))
}
