//! Writes values as YAML that reads back as the same.

use serde_json::Value;

use super::scalar;
use super::tree::Content;

/// A value on one line.
pub(crate) fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => self::text(text),
        Value::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Object(map) if map.is_empty() => "{}".to_owned(),
        Value::Object(map) => {
            let pairs: Vec<_> =
                map.iter().map(|(key, value)| format!("{}: {}", self::key(key), inline(value))).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// A text, in quotes only if it would read back as something else.
pub(crate) fn text(text: &str) -> String {
    // What looks like a reference to a variable is none.
    key(text).replace("${", "$${")
}

/// A key, in quotes only if it would read back as something else.
pub(crate) fn key(text: &str) -> String {
    let harmless = |c: char| c.is_alphanumeric() || "_-./+".contains(c);
    let start = text.starts_with(|c: char| c.is_alphanumeric() || c == '/');
    if start && text.chars().all(harmless) && scalar::resolve(text) == Content::Text(text.to_owned()) {
        return text.to_owned();
    }
    // JSON is YAML, but for the characters that YAML wants escaped and JSON does not (YAML 1.2 §5.1).
    let escaped = |c: char| match c {
        c if c.is_control() || c == '\u{feff}' => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    };
    Value::from(text).to_string().chars().map(escaped).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::conf::origin::Text;
    use crate::conf::yaml;

    #[test]
    fn quotes_are_there_only_where_they_are_needed() {
        let written = inline(&json!({"a": ["x", "1", "100/s", ":80", "a b", "", "true"], "b": {}, "c.d": null}));
        assert_eq!(written, r#"{ a: [x, "1", 100/s, ":80", "a b", "", "true"], b: {}, c.d: null }"#);
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(text: String, key in "[ -~]{0,8}", number: i64) {
            let value = json!({ "k": { key: [text, number] } });
            let content = Arc::new(Text::of("", inline(&value)));
            let parsed = yaml::parse(&content, Some(&|_: &str| None));
            prop_assert_eq!(parsed.node.map(|node| node.to_json()), Some(value), "{:?}", parsed.problems);
        }
    }
}
