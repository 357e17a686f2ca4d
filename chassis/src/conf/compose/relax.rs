//! A part of a part: what an operation says of a handler needs not say everything.

use serde_json::Value;

use super::target;

/// The same schema with no key required, as deep as its own maps go. Alternatives stay as they are: their required
/// keys are how they are told apart.
pub(super) fn relaxed(root: &Value, schema: &Value) -> Value {
    relax(root, schema, 0)
}

/// Deeper than this a schema that contains itself is left as it is.
const DEEPEST: usize = 4;

fn relax(root: &Value, schema: &Value, depth: usize) -> Value {
    let meant = target(root, schema).filter(|meant| meant.get("properties").is_some());
    let mut relaxed = match meant {
        Some(_) if depth >= DEEPEST => return schema.clone(),
        Some(meant) => meant.clone(),
        None => schema.clone(),
    };
    if let Some(description) = schema.get("description") {
        relaxed["description"] = description.clone();
    }
    if let Value::Object(map) = &mut relaxed {
        map.remove("required");
    }
    if let Some(properties) = relaxed.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(|property| *property = relax(root, property, depth + 1));
    }
    relaxed
}
