//! The schemes that callers with a limit of their own are known by.

use super::policy::Policy;
use crate::conf::{BuildError, suggest};

/// What `auth` says of callers it knows.
const SCHEMES: [&str; 4] = ["jwt", "basic", "api-key", "mtls"];

/// The schemes by which `auth` knows nobody, with their keys in the policy. A handler of the service's own may.
pub(super) fn strangers(policy: &Policy) -> impl Iterator<Item = BuildError> {
    let named = policy.callers.iter().filter_map(|(name, caller)| Some((name, caller.scheme.as_deref()?)));
    named.filter(|(_, scheme)| !SCHEMES.contains(scheme)).map(|(name, scheme)| {
        let message = format!("`auth` has no scheme `{scheme}`, so that this limits nobody whom it knows");
        let help = suggest::among(scheme, SCHEMES, "its schemes are");
        BuildError::new(format!("callers.{name}.scheme"), message).with_help(help)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_scheme_by_which_nobody_is_known_is_told_at_its_key() {
        let strange = |callers: Value| {
            let policy = crate::conf::typed(json!({ "callers": callers })).unwrap();
            strangers(&policy).map(|error| (error.at, error.help.unwrap_or_default())).collect::<Vec<_>>()
        };
        let told = strange(json!({ "billing": { "rate": "1/s", "scheme": "apikey" }, "ada": { "rate": "1/s" } }));
        assert_eq!(told, [("callers.billing.scheme".to_owned(), "did you mean `api-key`?".to_owned())]);
        assert_eq!(strange(json!({ "billing": { "rate": "1/s", "scheme": "api-key" } })), []);
    }
}
