//! What a value looks like that has no default.

use serde_json::Value;

use crate::conf::compose::Composed;
use crate::conf::emit;
use crate::conf::listing::layers;

/// A value as somebody could write it, with what is required in it.
pub(super) fn value(composed: &Composed, schema: &Value) -> String {
    let layers = layers(composed, schema);
    let find = |keyword: &str| layers.iter().find_map(|layer| layer.get(keyword));
    if let Some(word) = find("const") {
        return emit::inline(word);
    }
    let is_empty = |default: &Value| default.is_null() || default.as_object().is_some_and(serde_json::Map::is_empty);
    if let Some(word) = find("default").filter(|default| !is_empty(default)) {
        return emit::inline(word);
    }
    if let Some(example) = find("examples").and_then(|examples| examples.get(0)) {
        return emit::inline(example);
    }
    if let Some(word) = find("enum").and_then(|words| words.get(0)) {
        return emit::inline(word);
    }
    if let Some(first) = find("oneOf").or(find("anyOf")).and_then(|alternatives| alternatives.get(0)) {
        return value(composed, first);
    }
    let kind = find("type").map(|kinds| kinds.get(0).unwrap_or(kinds));
    match kind.and_then(Value::as_str) {
        Some("string") => "TEXT".to_owned(),
        Some("integer") => find("minimum").map_or_else(|| "1".to_owned(), ToString::to_string),
        Some("number") => "1.0".to_owned(),
        Some("boolean") => "true".to_owned(),
        Some("array") => find("items").map_or_else(|| "[]".to_owned(), |items| format!("[{}]", value(composed, items))),
        Some("object") => map(composed, &layers),
        Some("null") => String::new(),
        _ => "{}".to_owned(),
    }
}

fn map(composed: &Composed, layers: &[&Value]) -> String {
    let properties = super::properties(layers);
    let required = properties.iter().filter(|(key, _)| super::requires(layers, key));
    let pairs: Vec<_> =
        required.map(|(key, schema)| format!("{}: {}", emit::key(key), value(composed, schema))).collect();
    let part = properties.first().filter(|_| layers.iter().any(|layer| layer.get("x-names").is_some()));
    if let Some((name, _)) = part {
        return format!("{{ {}: {{}} }}", emit::key(name));
    }
    match pairs.as_slice() {
        [] => "{}".to_owned(),
        pairs => format!("{{ {} }}", pairs.join(", ")),
    }
}

/// A map whose keys are names: what to write for such a name, and the schema of what it holds.
pub(super) fn named<'a>(layers: &[&'a Value], key: &str) -> Option<(&'static str, &'a Value)> {
    let below =
        layers.iter().find_map(|layer| layer.get("additionalProperties").filter(|schema| schema.is_object()))?;
    let patterns = layers.iter().any(|layer| layer.get("propertyNames").is_some());
    let name = match key {
        _ if patterns => "greeting.*",
        "provider" => "default",
        _ => "NAME",
    };
    Some((name, below))
}

/// A word without quotes.
pub(super) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
