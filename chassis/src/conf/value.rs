//! The values YAML writes as text: durations, sizes, rates, secrets and files.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A length of time, written as `250ms`, `2s`, `5m`, `1h` or `1m30s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interval(pub Duration);

/// A number of bytes, written as `512`, `64KiB`, `1MiB` or `10MB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

/// A number of things in a length of time, written as `100/s`, `5/m`, `1000/h` or `10/30s`. `0/s` means never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: u64,
    /// In how long; never zero.
    pub per: Duration,
}

/// A value that is never printed. In YAML it is the text itself, or `file:/path` or `env:NAME` to keep it elsewhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// The path of a file. A relative one is relative to the YAML file that says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRef(pub PathBuf);

impl Secret {
    /// Wraps the text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
