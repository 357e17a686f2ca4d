//! What the schema of the whole configuration says.

use super::*;

#[test]
fn the_order_of_parts_changes_nothing() {
    let parts = sample::parts();
    let reversed: Vec<_> = parts.iter().rev().cloned().collect();
    assert_eq!(Composed::new(&parts).schema().to_string(), Composed::new(&reversed).schema().to_string());
}

#[test]
fn each_part_is_below_its_own_key_and_nothing_else_is() {
    let composed = sample::composed();
    let handlers = &composed.schema()["properties"]["handlers"];
    let names: Vec<_> = handlers["properties"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["auth", "rate-limit", "request-id"]);
    assert_eq!(handlers["additionalProperties"], json!(false));
    assert_eq!(handlers["properties"]["auth"]["description"], json!("Proves who calls."));
}

#[test]
fn a_listener_has_the_conf_of_its_protocol_and_its_schemas() {
    let composed = sample::composed();
    let protocols = &composed.schema()["properties"]["protocols"];
    let named = &protocols["patternProperties"]["^rest-[a-z0-9]+$"];
    assert_eq!(named, &protocols["properties"]["rest"]);
    let listener = composed.follow(named);
    assert_eq!(listener["properties"]["listen"]["default"], json!(":8080"));
    assert_eq!(listener["properties"]["schemas"]["items"]["enum"], json!(["greeting"]));
}

#[test]
fn an_operation_says_only_what_is_different() {
    let composed = sample::composed();
    let auth = &composed.schema()["$defs"]["Overrides"]["properties"]["handlers"]["properties"]["auth"];
    assert_eq!(auth.get("required"), None);
    assert_eq!(auth["properties"]["jwt"].get("required"), None);
    assert_eq!(composed.part(Kind::Handler, "auth").unwrap()["required"], json!(["jwt"]));
}

#[test]
fn names_are_listed_where_one_of_them_is_wanted() {
    let composed = sample::composed();
    let list = &composed.schema()["$defs"]["ChainConf"]["anyOf"][0]["items"]["enum"];
    assert_eq!(list, &json!(["auth", "rate-limit", "request-id"]));
    let expect = &composed.schema()["properties"]["expect"]["items"]["enum"];
    assert_eq!(expect, &json!(["auth", "rate-limit", "request-id", "greeting", "store"]));
}
