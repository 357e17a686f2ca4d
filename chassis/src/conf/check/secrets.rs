//! Which values may not be shown: those that the schema calls secrets, and whatever stands where one belongs.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::shape::Shape;
use crate::conf::compose::Composed;
use crate::conf::problem::Hidden;
use crate::conf::tree::{Content, Node};

/// Whether anything that these schemas speak of is a secret.
pub(super) fn are_in(composed: &Composed, shape: &Shape<'_>) -> bool {
    shape.layers().any(|layer| in_map(composed, layer, &mut BTreeSet::new()))
}

/// Whether anything that this schema speaks of is a secret.
pub(super) fn are_below(composed: &Composed, schema: &Value) -> bool {
    below(composed, schema, &mut BTreeSet::new())
}

/// Hides a secret, and all that is there instead of one, but for what says only where it is kept.
pub(super) fn hide(node: &Node, hidden: &mut Hidden) {
    hidden.those(node, |node| node.content != Content::Null && !is_reference(node));
    hidden.keys(node);
}

/// Hides what is under a key that is not known: it may be a misspelt secret. Where one belongs, a number may be, too.
pub(super) fn hide_unknown(composed: &Composed, shape: &Shape<'_>, node: &Node, hidden: &mut Hidden) {
    if are_in(composed, shape) { hidden.values(node) } else { hide_texts(node, hidden) }
}

/// Hides every text in a value.
pub(super) fn hide_texts(node: &Node, hidden: &mut Hidden) {
    hidden.those(node, |node| matches!(node.content, Content::Text(_) | Content::Broken));
}

fn is_reference(node: &Node) -> bool {
    matches!(&node.content, Content::Text(text) if text.starts_with("file:") || text.starts_with("env:"))
}

/// `seen` are the references that were followed: schemas of conditions refer to themselves.
fn below<'a>(composed: &'a Composed, schema: &'a Value, seen: &mut BTreeSet<&'a str>) -> bool {
    match schema {
        Value::Object(map) => in_map(composed, map, seen),
        Value::Array(items) => items.iter().any(|item| below(composed, item, seen)),
        _ => false,
    }
}

fn in_map<'a>(composed: &'a Composed, map: &'a Map<String, Value>, seen: &mut BTreeSet<&'a str>) -> bool {
    let reference = map.get("$ref").and_then(Value::as_str).filter(|reference| seen.insert(reference));
    map.get("format").is_some_and(|format| format == "secret")
        || reference
            .and_then(|reference| composed.referred(reference))
            .is_some_and(|there| below(composed, there, seen))
        || map.values().any(|inner| below(composed, inner, seen))
}
