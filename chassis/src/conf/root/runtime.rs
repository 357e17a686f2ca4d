//! How many threads the process works with.

use std::borrow::Cow;
use std::num::NonZeroUsize;
use std::thread::available_parallelism;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::conf::value::Size;

/// What the process works with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Runtime {
    /// How many threads answer calls.
    pub workers: Workers,
    /// The most memory that whatever is kept for each caller, key or token may take, all together. The worst case is
    /// told at the start; a service whose worst case is more does not start. Without it, there is no limit.
    pub memory_budget: Option<Size>,
}

/// How many threads answer calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Workers {
    /// As many as processors may be used.
    #[default]
    Auto,
    /// So many.
    #[serde(untagged)]
    Count(NonZeroUsize),
}

/// More than this many threads are a mistake: each has queues and a stack of its own.
const MOST: usize = 1024;

impl Workers {
    /// The number of threads, here and now. One where the system does not say how many processors there are.
    pub fn count(self) -> usize {
        match self {
            Self::Auto => available_parallelism().map_or(1, NonZeroUsize::get),
            Self::Count(count) => count.get(),
        }
    }
}

impl JsonSchema for Workers {
    fn schema_name() -> Cow<'static, str> {
        "Workers".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                {
                    "const": "auto",
                    "description": "As many as processors may be used: those of the machine, of the affinity of the \
                                    process, or of the quota of its container (`resources.limits.cpu`, rounded down).",
                },
                { "type": "integer", "minimum": 1, "maximum": MOST, "description": "So many, from 1 to 1024." },
            ],
            "default": "auto",
            "examples": ["auto", 4],
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(value: Value) -> Option<Workers> {
        serde_json::from_value(value).ok()
    }

    #[test]
    fn workers_are_counted_or_found_out() {
        assert_eq!(read(json!("auto")), Some(Workers::Auto));
        assert_eq!(read(json!(4)).map(Workers::count), Some(4));
        assert!(Workers::Auto.count() >= 1);
        for none in [json!(0), json!(-1), json!("many")] {
            assert_eq!(read(none.clone()), None, "{none}");
        }
        assert_eq!(json!([Workers::Auto, read(json!(4))]), json!(["auto", 4]));
    }
}
