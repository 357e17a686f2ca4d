//! What a limit counts by: the caller's address, who it is, the operation, a header field, several of them, or nothing.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use http::HeaderName;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::conf::BuildError;

/// What a limit counts by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Key {
    /// The caller's address.
    #[default]
    Peer,
    /// Who the caller proved to be; its address where that is not known.
    Principal,
    /// Nothing: all calls count together.
    Global,
    /// The operation.
    Operation,
    /// What `marker` calls the call; all calls without a mark count together.
    Mark,
    /// The value of a header field, the last of several; the caller's address where it is absent.
    Header(HeaderName),
    /// The value of a path parameter; the caller's address where the path has none of this name.
    Param(String),
}

/// One key, or several that must all be the same for calls to count together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By(pub Vec<Key>);

impl Default for By {
    fn default() -> Self {
        Self(vec![Key::Peer])
    }
}

impl By {
    /// Whether this is one of the keys.
    pub(super) fn contains(&self, key: &Key) -> bool {
        self.0.contains(key)
    }

    /// The path parameters that are counted by.
    pub(super) fn params(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|key| match key {
            Key::Param(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Says what is wrong with the keys together.
    pub(super) fn check(&self) -> Result<(), BuildError> {
        let twice = self.0.iter().enumerate().find(|(at, key)| self.0[..*at].contains(key));
        match twice {
            Some((at, key)) => Err(BuildError::new(format!("key[{at}]"), format!("`{key}` is listed twice"))
                .with_help("list each key once")),
            None if self.0.len() > 1 && self.contains(&Key::Global) => {
                Err(BuildError::new("key", "`global` counts all calls together, whatever else is listed")
                    .with_help("take `global` out of the list, or write `key: global`"))
            }
            None if self.0.is_empty() => Err(BuildError::new("key", "the list of keys is empty")
                .with_help("write `key: global` to count all calls together")),
            None => Ok(()),
        }
    }
}

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = |kind: &str| text.strip_prefix(kind).and_then(|rest| rest.strip_prefix(':')).map(str::trim);
        match text {
            "peer" => return Ok(Self::Peer),
            "principal" => return Ok(Self::Principal),
            "global" => return Ok(Self::Global),
            "operation" => return Ok(Self::Operation),
            "mark" => return Ok(Self::Mark),
            _ => {}
        }
        match (named("header"), named("param")) {
            (Some(name), _) => name.parse().map(Self::Header).map_err(|_| format!("`{name}` is not a header name")),
            (_, Some("")) => Err("`param:` names no path parameter".to_owned()),
            (_, Some(name)) => Ok(Self::Param(name.to_owned())),
            (None, None) => Err(format!(
                "unknown key `{text}`: write `peer`, `principal`, `global`, `operation`, `mark`, `header:NAME` or \
                 `param:NAME`"
            )),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Peer => f.write_str("peer"),
            Self::Principal => f.write_str("principal"),
            Self::Global => f.write_str("global"),
            Self::Operation => f.write_str("operation"),
            Self::Mark => f.write_str("mark"),
            Self::Header(name) => write!(f, "header:{name}"),
            Self::Param(name) => write!(f, "param:{name}"),
        }
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        for key in &self.0 {
            write!(f, "{between}{key}")?;
            between = ", ";
        }
        Ok(())
    }
}

impl Serialize for By {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [key] => serializer.collect_str(key),
            keys => serializer.collect_seq(keys.iter().map(ToString::to_string)),
        }
    }
}

impl<'de> Deserialize<'de> for By {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrMany)
    }
}

/// Reads a text or a list of texts. An untagged enum would not say what is wrong with the text.
struct OneOrMany;

impl<'de> Visitor<'de> for OneOrMany {
    type Value = By;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key such as `peer` or a list of keys")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<By, E> {
        text.parse().map(|key| By(vec![key])).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut texts: A) -> Result<By, A::Error> {
        let mut keys = Vec::new();
        while let Some(text) = texts.next_element::<String>()? {
            keys.push(text.parse().map_err(A::Error::custom)?);
        }
        Ok(By(keys))
    }
}

impl JsonSchema for By {
    fn schema_name() -> Cow<'static, str> {
        "RateLimitKey".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let pattern = "^(peer|principal|global|operation|mark|header:.+|param:.+)$";
        let examples = ["peer", "principal", "global", "operation", "mark", "header:X-Tenant", "param:name"];
        let key = json_schema!({ "type": "string", "pattern": pattern });
        json_schema!({ "anyOf": [
            { "description": "One key.", "type": "string", "pattern": pattern, "examples": examples },
            { "description": "Several: calls count together where all are the same.", "type": "array", "items": key },
        ] })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json, to_value};

    use super::*;

    #[test]
    fn keys_are_read_as_they_are_written() {
        for text in ["peer", "principal", "global", "operation", "mark", "header:x-tenant", "param:name"] {
            assert_eq!(text.parse::<Key>().map(|key| key.to_string()), Ok(text.to_owned()));
        }
        for value in [json!("peer"), json!(["principal", "operation"]), json!(["header:x-tenant", "param:name"])] {
            assert_eq!(to_value(from_value::<By>(value.clone()).unwrap()).unwrap(), value);
        }
    }

    #[test]
    fn what_is_no_key_is_said() {
        let unknown = "unknown key `user`: write `peer`, `principal`, `global`, `operation`, `mark`, `header:NAME` or \
                       `param:NAME`";
        assert_eq!("user".parse::<Key>(), Err(unknown.to_owned()));
        assert_eq!("header:a b".parse::<Key>(), Err("`a b` is not a header name".to_owned()));
        assert_eq!("param: ".parse::<Key>(), Err("`param:` names no path parameter".to_owned()));
        let wrong = |value| from_value::<By>(value).unwrap().check().unwrap_err().to_string();
        assert_eq!(wrong(json!(["peer", "operation", "peer"])), "`key[2]`: `peer` is listed twice");
        assert!(wrong(json!(["peer", "global"])).starts_with("`key`: `global` counts all calls together"));
        assert_eq!(wrong(json!([])), "`key`: the list of keys is empty");
    }
}
