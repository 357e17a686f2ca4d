//! Parts as services link them, for tests.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::{Composed, Kind, Part};
use crate::conf::value::{FileRef, Interval, Rate, Secret, Size};

/// Refuses calls that come too often.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct RateLimit {
    /// How often calls may come.
    pub rate: Rate,
    /// How many may come at once.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub burst: u32,
    /// What is counted apart.
    pub key: Key,
    /// Whether calls are only counted.
    pub shadow: bool,
}

impl Default for RateLimit {
    fn default() -> Self {
        Self { rate: Rate::per_second(100), burst: 200, key: Key::Peer, shadow: false }
    }
}

/// What is counted apart.
#[derive(Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Key {
    /// Every address.
    Peer,
    /// Every known caller.
    Principal,
    /// Every value of a header field.
    Header(String),
}

/// Proves who calls.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Auth {
    /// Tokens in the `Authorization` field.
    pub jwt: Jwt,
    /// How long clocks may differ.
    #[serde(default = "leeway")]
    pub leeway: Interval,
}

fn leeway() -> Interval {
    Interval::secs(60)
}

/// Tokens.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Jwt {
    /// Who must have issued them.
    pub issuer: String,
    /// Where the keys are.
    pub keys: Keys,
    /// What else they must say.
    #[serde(default)]
    pub claims: BTreeMap<String, String>,
}

/// Where the keys are.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Keys {
    /// In a file.
    File(FileRef),
    /// Here.
    Secret(Secret),
}

/// A store.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Store {
    /// In memory.
    Memory {
        /// The most it holds.
        limit: Size,
    },
    /// In a database.
    Database {
        /// Its address.
        url: String,
        /// Its password.
        password: Secret,
    },
}

/// Greets.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Greeting {
    /// What to say.
    #[schemars(length(min = 1, max = 20), regex(pattern = "^[A-Z]"))]
    pub word: String,
    /// To whom not.
    pub unwelcome: Option<Vec<String>>,
}

impl Default for Greeting {
    fn default() -> Self {
        Self { word: "Hello".to_owned(), unwelcome: None }
    }
}

/// Answers HTTP.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Rest {
    /// The address.
    pub listen: String,
    /// The largest body.
    pub limit_body: Size,
}

impl Default for Rest {
    fn default() -> Self {
        Self { listen: ":8080".to_owned(), limit_body: Size::mib(1) }
    }
}

fn schema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

fn part<T: JsonSchema>(kind: Kind, name: &str, doc: &str) -> Part {
    Part { kind, name: name.to_owned(), doc: doc.to_owned(), conf: schema::<T> }
}

/// Two handlers with much to say and one with nothing, a schema, a component and a protocol.
pub(crate) fn parts() -> Vec<Part> {
    vec![
        part::<RateLimit>(Kind::Handler, "rate-limit", "Refuses calls that come too often (RFC 6585 §4)."),
        part::<Auth>(Kind::Handler, "auth", "Proves who calls."),
        part::<()>(Kind::Handler, "request-id", "Gives each call an id."),
        part::<Greeting>(Kind::Schema, "greeting", "Greets visitors by name."),
        part::<Store>(Kind::Component, "store", "Keeps what was said."),
        part::<Rest>(Kind::Protocol, "rest", "HTTP/1.1 and HTTP/2."),
    ]
}

pub(crate) fn composed() -> Composed {
    static COMPOSED: LazyLock<Composed> = LazyLock::new(|| Composed::new(&parts()));
    COMPOSED.clone()
}
