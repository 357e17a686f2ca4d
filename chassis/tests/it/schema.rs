//! The JSON Schema of the configuration, as editors read it.

use chassis::app::App;
use chassis::catalog::Catalog;
use chassis::cli::Package;
use serde_json::{Value, json};

fn schema() -> Value {
    let app = App::new(Package { name: "it", version: "0.0.0" }).expect_mounted("late");
    app.json_schema().unwrap()
}

/// Every object within a document.
fn objects<'a>(value: &'a Value, visit: &mut dyn FnMut(&'a serde_json::Map<String, Value>)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| objects(item, visit)),
        Value::Object(map) => {
            visit(map);
            map.values().for_each(|inner| objects(inner, visit));
        }
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let schema = schema();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    objects(&schema, &mut |map| {
        let Some(Value::String(target)) = map.get("$ref") else { return };
        let found = target.strip_prefix('#').and_then(|pointer| schema.pointer(pointer));
        assert!(found.is_some_and(Value::is_object), "{target}");
    });
}

#[test]
fn each_linked_handler_is_completed_under_handlers_and_under_every_operation() {
    let schema = schema();
    let linked: Vec<_> = Catalog::linked().unwrap().handlers.iter().map(|entry| entry.head.name).collect();
    let operations = &schema["properties"]["operations"]["additionalProperties"];
    let overrides = schema.pointer(operations["$ref"].as_str().unwrap().strip_prefix('#').unwrap()).unwrap();
    for parts in [&schema["properties"]["handlers"], &overrides["properties"]["handlers"]] {
        let names: Vec<_> = parts["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, linked);
        assert_eq!(parts["additionalProperties"], json!(false));
        assert!(
            parts["properties"]["cors"]["description"].as_str().unwrap().starts_with("Lets pages of other origins")
        );
    }
    let limit = &overrides["properties"]["handlers"]["properties"]["rate-limit"]["properties"];
    assert!(limit["rate"]["description"].is_string() && limit["burst"]["minimum"] == json!(1), "{limit}");
}

#[test]
fn what_may_be_left_empty_may_be_nothing() {
    let schema = schema();
    for map in ["handlers", "operations", "schemas", "components"] {
        assert_eq!(schema["properties"][map]["type"], json!(["object", "null"]), "{map}");
    }
    assert_eq!(schema["type"], json!("object"));
}

#[test]
fn what_is_mounted_later_can_be_named() {
    let names = &schema()["$defs"]["rest-listener"]["properties"]["schemas"]["items"]["anyOf"][0]["enum"];
    assert!(names.as_array().unwrap().contains(&json!("late")), "{names}");
}
