//! What is wrong with a configuration in a way that its types cannot say.

use super::{Jwt, Keys, LEEWAY};
use crate::conf::{BuildError, Interval};

impl Jwt {
    /// The first thing that is wrong, with its key.
    pub(in crate::handlers::auth) fn check(&self) -> Result<(), BuildError> {
        let empty = |name: &String| name.is_empty();
        let wrong = |at, message, help| Err(BuildError::new(at, message).with_help(help));
        if self.issuer.is_empty() {
            return wrong("issuer", "an empty issuer would be matched by no token", "write the `iss` of its tokens");
        }
        if self.audience.names().is_empty() || self.audience.names().iter().any(empty) {
            let help = "write the name that tokens for this service have in `aud`";
            return wrong("audience", "an empty audience would be matched by no token", help);
        }
        if self.leeway > LEEWAY {
            let message = "clocks that are off by more than a minute are to be set, not tolerated";
            return wrong("leeway", message, "write at most `1m`");
        }
        if self.algorithms.is_empty() {
            let help = "list those that the issuer signs with, or remove the key";
            return wrong("algorithms", "without an algorithm no token can be accepted", help);
        }
        if self.typ.is_empty() {
            let help = "list those that tokens say, such as `[JWT, at+jwt]`, or remove the key";
            return wrong("typ", "without a type no token can be accepted", help);
        }
        if self.claims.subject.is_empty() {
            return wrong(
                "claims.subject",
                "no claim is named so",
                "write the claim that names callers, such as `sub`",
            );
        }
        self.check_bounds()
    }

    /// Lengths that would leave nothing to accept, or to hold on to.
    fn check_bounds(&self) -> Result<(), BuildError> {
        let Keys { file, short_secrets, timeout, cool_down, stale, .. } = &self.keys;
        let wrong = |at, message, help| Err(BuildError::new(at, message).with_help(help));
        if short_secrets.as_ref().is_some_and(|reason| reason.trim().is_empty()) {
            let message = "nothing says why short secrets are taken";
            return wrong("keys.short-secrets", message, "write down why, or remove the key");
        }
        if short_secrets.is_some() && file.is_none() {
            let message = "secrets are read from a `file` only";
            return wrong("keys.short-secrets", message, "remove the key: what an issuer publishes are public keys");
        }
        if self.max_token_size.length() == 0 {
            return wrong("max-token-size", "no token is that short", "write a size such as `8KiB`, or remove the key");
        }
        if *timeout == Interval::ZERO {
            return wrong(
                "keys.timeout",
                "no issuer answers in no time",
                "write a time such as `5s`, or remove the key",
            );
        }
        if *cool_down == Interval::ZERO {
            let message = "without a pause every made-up key would make the issuer be asked";
            return wrong("keys.cool-down", message, "write a time such as `30s`, or remove the key");
        }
        if *stale == Interval::ZERO {
            let message = "one answer of the issuer that fails to come would have all tokens refused";
            return wrong("keys.stale", message, "write a time such as `1h`, or remove the key");
        }
        Ok(())
    }
}
