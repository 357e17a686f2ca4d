//! How the process starts.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::conf::value::Interval;

/// How the process starts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Start {
    /// How long components and schemas may take to start, all together. When it is over, what had started is stopped
    /// again, and the process ends with 1 and says what it waited for.
    pub deadline: Interval,
}

impl Default for Start {
    fn default() -> Self {
        Self { deadline: Interval::secs(90) }
    }
}
