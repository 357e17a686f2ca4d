//! The schema as editors check by it: what a file may say although no value of that kind is written in it.

use serde_json::{Map, Value, json};

/// A text that is made from environment variables: what it comes to is not known to an editor.
const REFERENCE: &str = r"\$\{";

/// The schema for editors, in which these operations are completed.
pub(super) fn published(schema: &Value, operations: &[&str]) -> Value {
    let mut schema = schema.clone();
    complete(&mut schema, operations);
    if let Value::Object(root) = &mut schema {
        root.values_mut().for_each(loosen);
    }
    schema
}

/// Names what is there without forbidding what else fits: patterns of operations, and chains that a file adds.
fn complete(schema: &mut Value, operations: &[&str]) {
    let one = schema["properties"]["operations"]["additionalProperties"].clone();
    let known: Map<_, _> = operations.iter().map(|id| ((*id).to_owned(), one.clone())).collect();
    schema["properties"]["operations"]["properties"] = Value::Object(known);
    schema["$defs"]["Overrides"]["properties"]["chain"]["examples"] = json!(["default", "unmatched"]);
}

/// Lets every value be nothing or a reference, too: a key without a value is as if it was not there.
fn loosen(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(loosen),
        Value::Object(map) => {
            // Of several that fit, `oneOf` would take none.
            if let Some(alternatives) = map.remove("oneOf") {
                map.insert("anyOf".to_owned(), alternatives);
            }
            map.values_mut().for_each(loosen);
            if let Some(alternatives) = map.get_mut("anyOf").and_then(Value::as_array_mut)
                && alternatives.iter().any(|one| one.get("const").is_some_and(Value::is_string))
            {
                alternatives.push(json!({ "type": ["string", "null"], "pattern": REFERENCE }));
            }
            match map.get("type").cloned() {
                Some(Value::String(kind)) => of_kind(map, vec![json!(kind)]),
                Some(Value::Array(kinds)) => of_kind(map, kinds),
                _ => {}
            }
        }
        _ => {}
    }
}

fn of_kind(map: &mut Map<String, Value>, mut kinds: Vec<Value>) {
    // A constant tells alternatives apart.
    if map.contains_key("const") {
        return;
    }
    let is_scalar = !kinds.contains(&json!("object")) && !kinds.contains(&json!("array"));
    if let Some(words) = map.remove("enum") {
        map.remove("type");
        let reference = json!({ "type": ["string", "null"], "pattern": REFERENCE });
        map.insert("anyOf".to_owned(), json!([{ "enum": words }, reference]));
        return;
    }
    if is_scalar && kinds.iter().any(|kind| kind != "null") {
        // What the pattern says holds for texts alone, as bounds do for numbers.
        match (kinds.contains(&json!("string")), map.get("pattern").and_then(Value::as_str)) {
            (true, Some(pattern)) => drop(map.insert("pattern".to_owned(), json!(format!("({pattern})|{REFERENCE}")))),
            (true, None) => {}
            (false, _) => {
                kinds.push(json!("string"));
                map.insert("pattern".to_owned(), json!(REFERENCE));
            }
        }
    }
    if !kinds.contains(&json!("null")) {
        kinds.push(json!("null"));
    }
    map.insert("type".to_owned(), Value::Array(kinds));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(mut schema: Value, expected: &Value) {
        loosen(&mut schema);
        assert_eq!(schema, *expected);
    }

    #[test]
    fn any_value_may_be_nothing_or_a_reference() {
        let text = json!(["string", "null"]);
        check(
            json!({ "type": "integer", "minimum": 1 }),
            &json!({ "type": ["integer", "string", "null"], "minimum": 1, "pattern": REFERENCE }),
        );
        check(json!({ "type": "string", "pattern": "^a$" }), &json!({ "type": text, "pattern": r"(^a$)|\$\{" }));
        check(json!({ "type": "array", "items": true }), &json!({ "type": ["array", "null"], "items": true }));
        let words = json!([{ "enum": ["a", "b"] }, { "type": text, "pattern": REFERENCE }]);
        check(json!({ "type": "string", "enum": ["a", "b"] }), &json!({ "anyOf": words }));
        check(json!({ "type": "null" }), &json!({ "type": ["null"] }));
    }

    #[test]
    fn what_tells_alternatives_apart_stays() {
        let tag = json!({ "type": "string", "const": "memory" });
        let map = json!({ "properties": { "kind": tag } });
        check(json!({ "oneOf": [map] }), &json!({ "anyOf": [map] }));
        let reference = json!({ "type": ["string", "null"], "pattern": REFERENCE });
        check(json!({ "oneOf": [tag] }), &json!({ "anyOf": [tag, reference] }));
    }

    #[test]
    fn operations_are_completed_and_patterns_of_them_still_fit() {
        let schema = published(super::super::sample::composed().schema(), &["greeting.hello"]);
        let operations = &schema["properties"]["operations"];
        assert_eq!(operations["properties"]["greeting.hello"], operations["additionalProperties"]);
        assert!(operations["propertyNames"]["pattern"].is_string(), "{operations}");
    }
}
