//! The keys that every handler takes beside its own.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::{Composed, target};
use crate::conf::root::Terms;

/// Marks a key that all handlers share, so that the reference says it once.
pub(crate) const SHARED: &str = "x-every-handler";

impl Composed {
    /// The same, but every handler takes `when`, `shadow` and `enforce` as well, unless it has a key of that name.
    #[must_use]
    pub fn with_terms(mut self) -> Self {
        let mut generator = SchemaSettings::draft2020_12().for_deserialize().into_generator();
        let terms = Terms::json_schema(&mut generator).to_value();
        for (name, definition) in generator.take_definitions(true) {
            if self.schema["$defs"].get(&name).is_none() {
                self.schema["$defs"][&name] = definition;
            }
        }
        let keys = terms.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
        for place in ["/properties/handlers/properties", "/$defs/Overrides/properties/handlers/properties"] {
            let handlers = self.schema.pointer(place).and_then(Value::as_object).cloned().unwrap_or_default();
            let taking = handlers.iter().map(|(name, part)| (name.clone(), taking(&self.schema, part, &keys)));
            let taking: Map<_, _> = taking.collect();
            if let Some(handlers) = self.schema.pointer_mut(place) {
                *handlers = Value::Object(taking);
            }
        }
        self.schema.sort_all_objects();
        self
    }
}

/// The schema of a handler that takes these keys as well. One that is no map of keys stays as it is.
fn taking(root: &Value, part: &Value, keys: &Map<String, Value>) -> Value {
    let mut schema = target(root, part).unwrap_or(part).clone();
    let is_nothing = schema.get("type").is_some_and(|kind| kind == "null");
    if schema.get("properties").is_none() && !is_nothing {
        return part.clone();
    }
    if let Some(description) = part.get("description") {
        schema["description"] = description.clone();
    }
    if is_nothing {
        schema["type"] = json!(["object", "null"]);
        schema["x-nothing"] = json!(true);
    }
    schema["additionalProperties"] = json!(false);
    for (key, value) in keys {
        if schema["properties"].get(key).is_none() {
            schema["properties"][key] = value.clone();
            schema["properties"][key][SHARED] = json!(true);
        }
    }
    schema
}
