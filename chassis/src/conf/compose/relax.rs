//! A part of a part: what an operation says of a handler needs not say everything.

use serde_json::{Value, json};

use super::target;

/// The same schema with no key required, as deep as its own maps go, those that may be `null` and the values of open ones
/// included. Other alternatives stay as they are: their required keys are how they are told apart.
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
    if let Some(or_null) = relaxed.get_mut("anyOf").and_then(or_null) {
        *or_null = relax(root, or_null, depth);
    }
    if let Some(values) = relaxed.get_mut("additionalProperties").filter(|values| values.is_object()) {
        *values = relax(root, values, depth + 1);
    }
    if let Some(properties) = relaxed.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(|property| *property = relax(root, property, depth + 1));
    }
    relaxed
}

/// What stands beside `null` alone.
fn or_null(alternatives: &mut Value) -> Option<&mut Value> {
    let [one, other] = alternatives.as_array_mut()?.as_mut_slice() else { return None };
    let is_null = |schema: &Value| *schema == json!({ "type": "null" });
    match (is_null(one), is_null(other)) {
        (false, true) => Some(one),
        (true, false) => Some(other),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_required_of_what_may_be_null_or_stands_in_an_open_map() {
        let part = json!({ "properties": { "time": { "type": "string" } }, "required": ["time"] });
        let root = json!({ "$defs": { "Part": part } });
        let it = json!({ "$ref": "#/$defs/Part" });
        let one_of = json!({ "anyOf": [it, { "type": "string" }] });
        let schema = json!({
            "properties": {
                "delay": { "anyOf": [it, { "type": "null" }] },
                "callers": { "type": "object", "additionalProperties": it },
                "either": one_of,
            },
            "required": ["delay"],
        });
        let relaxed = relaxed(&root, &schema);
        let free = json!({ "properties": { "time": { "type": "string" } } });
        assert_eq!(relaxed.get("required"), None);
        assert_eq!(relaxed["properties"]["delay"]["anyOf"], json!([free, { "type": "null" }]));
        assert_eq!(relaxed["properties"]["callers"]["additionalProperties"], free);
        assert_eq!(relaxed["properties"]["either"], one_of, "keys tell one from the other");
    }
}
