//! How a caller is told to prove itself: 400, 401 and 403 with `WWW-Authenticate` (RFC 6750 §3).

use std::time::Duration;

use http::{HeaderValue, header};

use super::refusal::Refusal;
use crate::conf::BuildError;
use crate::fault::{Code, Fault};
use crate::operation::{Access, Text};

/// When callers are to come back while keys are fetched.
const AGAIN: Duration = Duration::from_secs(5);

/// Writes challenges for one realm.
#[derive(Debug)]
pub(super) struct Challenge(String);

impl Challenge {
    pub(super) fn build(realm: &str) -> Result<Self, BuildError> {
        if realm.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Ok(Self(format!("Bearer realm=\"{}\"", realm.replace('\\', "\\\\").replace('"', "\\\""))));
        }
        Err(BuildError::new("realm", "a realm is sent in a header field: printable ASCII only")
            .with_help("write it without accents, quotes from other keyboards and line ends"))
    }

    /// Nothing was sent that could prove anything: no `error`, as RFC 6750 §3.1 wants it.
    pub(super) fn missing(&self) -> Fault {
        let detail = "This needs a known caller; send an access token as `Authorization: Bearer <token>`.";
        self.fault(Code::Unauthenticated, detail.into(), "")
    }

    /// What was sent is not to be believed.
    pub(super) fn refused(&self, refusal: Refusal) -> Fault {
        let (code, error, message) = (refusal.code(), refusal.error(), refusal.message());
        if refusal == Refusal::Unready {
            // No other credentials would help: there is nothing to ask the caller for.
            let fault = Fault::new(code, message).with_retry_after(AGAIN).with_cause(refusal);
            return fault.with_remedy("the keys of the issuer must have been fetched; `explain` fetches none");
        }
        let attributes = format!(", error=\"{error}\", error_description=\"{message}\"");
        self.fault(code, message.into(), &attributes).with_cause(refusal)
    }

    /// The caller is known and was not granted enough.
    pub(super) fn insufficient(&self, access: &Access) -> Fault {
        let (detail, scope) = match access {
            Access::Scopes(scopes) => {
                (format!("This needs the scopes {}; get a token that grants them.", listed(scopes)), scope(scopes))
            }
            Access::Roles(roles) => (format!("This needs one of the roles {}.", listed(roles)), String::new()),
            Access::Public | Access::Auth => ("This caller may not do this.".to_owned(), String::new()),
        };
        self.fault(Code::PermissionDenied, detail.into(), &format!(", error=\"insufficient_scope\"{scope}"))
    }

    fn fault(&self, code: Code, detail: Text, attributes: &str) -> Fault {
        let fault = Fault::new(code, detail);
        match HeaderValue::try_from(format!("{}{attributes}", self.0)) {
            Ok(value) => fault.with_header(header::WWW_AUTHENTICATE, value),
            Err(error) => fault.with_cause(error),
        }
    }
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
