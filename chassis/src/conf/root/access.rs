//! Who may call some operations, where that is to be another than their code says.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::conf::BuildError;
use crate::operation::{Access, Text};

/// Who may call: one of `to`, `scopes` and `roles`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Policy {
    /// Anyone, or any known caller.
    pub to: Option<Whom>,
    /// Callers that were granted every one of these scopes.
    pub scopes: Option<Vec<String>>,
    /// Callers that have at least one of these roles.
    pub roles: Option<Vec<String>>,
    /// Why callers may pass whom the code keeps out. Must be there if any may, for those who look later.
    pub reason: Option<String>,
}

/// Those who need no grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Whom {
    /// Anyone, known or not.
    Public,
    /// Any caller that proved who it is.
    Auth,
}

impl Policy {
    /// Who may call an operation whose code says `declared`.
    ///
    /// # Errors
    /// It says nothing or several things, or lets more callers pass and not why.
    pub fn apply(&self, declared: &Access) -> Result<Access, BuildError> {
        let access = self.access()?;
        let reason = self.reason.as_deref().is_some_and(|reason| !reason.trim().is_empty());
        if reason || is_within(&access, declared) {
            return Ok(access);
        }
        let message = format!("`{access}` lets callers pass whom the code keeps out, which says `{declared}`");
        let help = "write down why, as `reason: \"…\"` beside it; or ask for more than the code does";
        Err(BuildError::new("", message).with_help(help))
    }

    fn access(&self) -> Result<Access, BuildError> {
        match (self.to, &self.scopes, &self.roles) {
            (Some(Whom::Public), None, None) => Ok(Access::Public),
            (Some(Whom::Auth), None, None) => Ok(Access::Auth),
            (None, Some(scopes), None) => named("scopes", scopes).map(Access::Scopes),
            (None, None, Some(roles)) => named("roles", roles).map(Access::Roles),
            (None, None, None) => Err(BuildError::new("", "this says nothing about who may call").with_help(ONE)),
            _ => Err(BuildError::new("", "this says several things about who may call").with_help(ONE)),
        }
    }
}

const ONE: &str = "write one of `to: public`, `to: auth`, `scopes: […]` and `roles: […]`";

fn named(key: &str, names: &[String]) -> Result<std::borrow::Cow<'static, [Text]>, BuildError> {
    if names.is_empty() || names.iter().any(String::is_empty) {
        return Err(BuildError::new(key, "an empty name is granted to nobody")
            .with_help("write the names, or `to: auth` for any known caller"));
    }
    Ok(names.iter().map(|name| Text::Owned(name.clone())).collect())
}

/// Whether nobody passes `access` whom `declared` keeps out.
fn is_within(access: &Access, declared: &Access) -> bool {
    match (access, declared) {
        (_, Access::Public) => true,
        (Access::Public, _) => false,
        (_, Access::Auth) => true,
        (Access::Scopes(asked), Access::Scopes(declared)) => declared.iter().all(|scope| asked.contains(scope)),
        (Access::Roles(asked), Access::Roles(declared)) => asked.iter().all(|role| declared.contains(role)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn scopes(names: &'static [&'static str]) -> Access {
        Access::Scopes(names.iter().map(|name| (*name).into()).collect())
    }

    fn roles(names: &'static [&'static str]) -> Access {
        Access::Roles(names.iter().map(|name| (*name).into()).collect())
    }

    fn applied(policy: Value, declared: &Access) -> Result<String, String> {
        let policy: Policy = from_value(policy).unwrap();
        policy.apply(declared).map(|access| access.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn more_may_be_asked_for_without_a_reason() {
        for (policy, declared, settled) in [
            (json!({ "to": "auth" }), Access::Public, "auth"),
            (json!({ "scopes": ["a"] }), Access::Public, "scopes(a)"),
            (json!({ "roles": ["a"] }), Access::Auth, "roles(a)"),
            (json!({ "scopes": ["b", "a"] }), scopes(&["a"]), "scopes(b, a)"),
            (json!({ "roles": ["a"] }), roles(&["a", "b"]), "roles(a)"),
            (json!({ "to": "public" }), Access::Public, "public"),
        ] {
            assert_eq!(applied(policy, &declared), Ok(settled.to_owned()));
        }
    }

    #[test]
    fn less_may_be_asked_for_with_a_reason_only() {
        for (policy, declared) in [
            (json!({ "to": "public" }), Access::Auth),
            (json!({ "to": "auth" }), scopes(&["a"])),
            (json!({ "scopes": ["b"] }), scopes(&["a", "b"])),
            (json!({ "roles": ["a", "c"] }), roles(&["a", "b"])),
            (json!({ "roles": ["a"] }), scopes(&["a"])),
        ] {
            let mut reasoned = policy.clone();
            reasoned["reason"] = json!(" ");
            for policy in [&policy, &reasoned] {
                let error = applied(policy.clone(), &declared).unwrap_err();
                assert!(error.ends_with(&format!("whom the code keeps out, which says `{declared}`")), "{error}");
            }
            reasoned["reason"] = json!("the page is shown before anybody signs in");
            assert!(applied(reasoned, &declared).is_ok());
        }
    }

    #[test]
    fn one_thing_is_said() {
        let wrong = |policy| applied(policy, &Access::Public).unwrap_err();
        assert_eq!(wrong(json!({ "reason": "a" })), "this says nothing about who may call");
        assert_eq!(wrong(json!({ "to": "auth", "roles": ["a"] })), "this says several things about who may call");
        for policy in [json!({ "scopes": [] }), json!({ "scopes": ["a", ""] })] {
            assert_eq!(wrong(policy), "`scopes`: an empty name is granted to nobody");
        }
    }
}
