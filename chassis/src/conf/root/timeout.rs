//! How long a call may take, or that it may take for ever.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::conf::value::{Interval, ValueError, from_text};

/// How long a call may take, written as an [`Interval`] or as `none` for no limit. 30 seconds unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeout(pub Option<Interval>);

impl Timeout {
    /// The limit, if there is one.
    pub fn limit(self) -> Option<Duration> {
        self.0.map(Duration::from)
    }
}

impl Default for Timeout {
    fn default() -> Self {
        Self(Some(Interval::secs(30)))
    }
}

impl FromStr for Timeout {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        match text.trim() {
            "none" => Ok(Self(None)),
            text => match text.parse()? {
                Interval::ZERO => {
                    Err(ValueError::new(format!("`{text}` leaves a call no time"), "write `none` for no limit"))
                }
                interval => Ok(Self(Some(interval))),
            },
        }
    }
}

impl fmt::Display for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(interval) => interval.fmt(f),
            None => f.write_str("none"),
        }
    }
}

impl Serialize for Timeout {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timeout {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, "a length of time such as `2s`, or `none`")
    }
}

impl JsonSchema for Timeout {
    fn schema_name() -> Cow<'static, str> {
        "Timeout".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A length of time such as `2s`, or `none`.",
            "type": "string",
            "format": "timeout",
            "pattern": r"^(none|([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h|d))+)$",
            "examples": ["2s", "none"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_limit_is_said_and_not_meant_by_zero() {
        assert_eq!("none".parse(), Ok(Timeout(None)));
        assert_eq!("2s".parse(), Ok(Timeout(Some(Interval::secs(2)))));
        let zero = "0s".parse::<Timeout>().map_err(|error| error.to_string());
        assert_eq!(zero, Err("`0s` leaves a call no time: write `none` for no limit".to_owned()));
        for timeout in [Timeout(None), Timeout::default()] {
            assert_eq!(timeout.to_string().parse(), Ok(timeout));
        }
    }
}
