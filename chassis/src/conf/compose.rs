//! The JSON Schema of the whole configuration: what chassis reads, and the part of everything that was linked in.

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::path::{KeyPath, Step};
use super::root::Root;

pub(crate) mod optional;
mod publish;
mod relax;
pub(crate) mod shelf;
pub(crate) mod terms;
mod tombstone;

pub use tombstone::{TOMBSTONES, Tombstone};

/// What kind of thing a part of the configuration belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Its part is `handlers.NAME`.
    Handler,
    /// Its part is `schemas.NAME`.
    Schema,
    /// Its part is `components.NAME`.
    Component,
    /// Its parts are `protocols.NAME` and `protocols.NAME-…`.
    Protocol,
}

impl Kind {
    /// The key its parts stand below.
    pub fn key(self) -> &'static str {
        match self {
            Self::Handler => "handlers",
            Self::Schema => "schemas",
            Self::Component => "components",
            Self::Protocol => "protocols",
        }
    }

    /// The word for one of them.
    pub fn word(self) -> &'static str {
        match self {
            Self::Handler => "handler",
            Self::Schema => "schema",
            Self::Component => "component",
            Self::Protocol => "listener",
        }
    }
}

/// Something that was linked in and has its own part of the configuration.
#[derive(Clone, Debug)]
pub struct Part {
    /// What it is.
    pub kind: Kind,
    /// Its name in YAML.
    pub name: String,
    /// What it does: Markdown, becomes the comment in `conf/chassis.yaml`.
    pub doc: String,
    /// The JSON Schema of its part.
    pub conf: fn(&mut SchemaGenerator) -> Schema,
}

/// The JSON Schema (draft 2020-12) of the whole configuration, and what else the check needs to know.
#[derive(Clone, Debug)]
pub struct Composed {
    pub(crate) schema: Value,
    pub(crate) names: BTreeMap<Kind, Vec<String>>,
    pub(crate) tombstones: Vec<Tombstone>,
}

impl Composed {
    /// The schema of chassis with these parts. Their order does not matter.
    pub fn new(parts: &[Part]) -> Self {
        let mut parts: Vec<_> = parts.iter().collect();
        parts.sort_by_key(|part| (part.kind, part.name.as_str()));
        let mut generator = SchemaSettings::draft2020_12().for_deserialize().into_generator();
        let mut root = Root::json_schema(&mut generator).to_value();
        let mut names: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let mut properties: BTreeMap<_, Map<_, _>> = BTreeMap::new();
        for part in parts {
            let mut schema = (part.conf)(&mut generator).to_value();
            describe(&mut schema, &part.doc);
            properties.entry(part.kind).or_default().insert(part.name.clone(), schema);
            names.entry(part.kind).or_default().push(part.name.clone());
        }
        let definitions: Map<_, _> = generator.take_definitions(true).into_iter().collect();
        root["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
        root["title"] = json!("Configuration");
        root["$defs"] = Value::Object(definitions);
        for kind in [Kind::Handler, Kind::Schema, Kind::Component, Kind::Protocol] {
            splice(&mut root, kind, properties.remove(&kind).unwrap_or_default());
        }
        name_one_of(&mut root, &names);
        root.sort_all_objects();
        Self { schema: root, names, tombstones: TOMBSTONES.to_vec() }
    }

    /// The same, but these keys are reported as gone, too.
    #[must_use]
    pub fn with_tombstones(mut self, tombstones: impl IntoIterator<Item = Tombstone>) -> Self {
        self.tombstones.extend(tombstones);
        self
    }

    /// The same, but these schemas can be named too: those that are mounted by hand. Of those that have no part of their
    /// own nothing can be said but the name.
    #[must_use]
    pub fn with_schemas<'a>(mut self, schemas: impl IntoIterator<Item = &'a str>) -> Self {
        let known = self.names.entry(Kind::Schema).or_default();
        for name in schemas {
            let parts = &mut self.schema["properties"][Kind::Schema.key()]["properties"];
            if parts.get(name).is_none() {
                parts[name] =
                    json!({ "type": "null", "description": "Is mounted by the program, and takes no configuration." });
            }
            known.push(name.to_owned());
        }
        known.sort();
        known.dedup();
        name_one_of(&mut self.schema, &self.names);
        self
    }

    /// The same, but handlers that chassis has with a feature may be configured, so that a program without them takes the
    /// reference of all keys. To list one in a chain stays a mistake.
    #[must_use]
    pub fn with_optional(mut self) -> Self {
        let parts = &mut self.schema["properties"][Kind::Handler.key()]["properties"];
        for name in optional::OPTIONAL {
            if parts.get(name).is_none() {
                parts[name] = json!({ "description": "Chassis has it with a Cargo feature of this name." });
            }
        }
        self
    }

    /// Whether a value belongs to a handler that this program does without.
    pub(crate) fn is_unread(&self, path: &KeyPath) -> bool {
        let absent = |name: &str| !self.names(Kind::Handler).any(|known| known == name);
        matches!(path.steps(), [Step::Key(handlers), Step::Key(name), ..]
            if handlers == Kind::Handler.key() && optional::OPTIONAL.contains(&name.as_str()) && absent(name))
    }

    /// The JSON Schema: what an editor completes and checks a YAML file by.
    pub fn schema(&self) -> &Value {
        &self.schema
    }

    /// The same for editors: any value may also be left out behind its key, or be made from environment variables, and
    /// the ids of these operations are completed.
    pub fn published(&self, operations: &[&str]) -> Value {
        publish::published(&self.schema, operations)
    }

    /// The names of what was linked in, of one kind, sorted.
    pub fn names(&self, kind: Kind) -> impl Iterator<Item = &str> + Clone {
        self.names.get(&kind).into_iter().flatten().map(String::as_str)
    }

    /// What a reference within the schema stands for, as far as it leads.
    pub(crate) fn follow<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let mut schema = schema;
        // A chain of references that never ends would be a mistake of the generator; it is left where it is.
        for _ in 0..8 {
            match target(&self.schema, schema) {
                Some(next) => schema = next,
                None => break,
            }
        }
        schema
    }

    /// What a reference within the schema refers to.
    pub(crate) fn referred(&self, reference: &str) -> Option<&Value> {
        self.schema.pointer(reference.strip_prefix('#')?)
    }

    /// The schema of one part, references followed.
    pub(crate) fn part(&self, kind: Kind, name: &str) -> Option<&Value> {
        let part = self.schema.pointer(&format!("/properties/{}/properties/{name}", kind.key()))?;
        Some(self.follow(part))
    }
}

/// What a schema that is a reference refers to.
fn target<'a>(root: &'a Value, schema: &Value) -> Option<&'a Value> {
    root.pointer(schema.get("$ref")?.as_str()?.strip_prefix('#')?)
}

/// Puts a comment on a schema. What is said of the whole thing wins over what is said of its configuration.
fn describe(schema: &mut Value, doc: &str) {
    if let (Value::Object(schema), false) = (schema, doc.trim().is_empty()) {
        schema.insert("description".to_owned(), json!(doc.trim()));
    }
}

/// Replaces "anything" under one of the root's keys by the parts that were linked in.
fn splice(root: &mut Value, kind: Kind, mut parts: Map<String, Value>) {
    let mut patterns = Map::new();
    if kind == Kind::Protocol {
        for (name, part) in &mut parts {
            let definition = format!("{name}-listener");
            let schema = listener(root, part);
            root["$defs"][&definition] = schema;
            *part = json!({ "$ref": format!("#/$defs/{definition}") });
            // One word more, so that it stays clear where the name of the protocol ends.
            patterns.insert(format!("^{name}-[a-z0-9]+$"), part.clone());
        }
    }
    if kind == Kind::Handler {
        let relaxed = parts.iter().map(|(name, part)| (name.clone(), relax::relaxed(root, part))).collect();
        close(&mut root["$defs"]["Overrides"]["properties"]["handlers"], kind, relaxed, Map::new());
    }
    close(&mut root["properties"][kind.key()], kind, parts, patterns);
}

/// Lets a map have these keys and no others.
fn close(map: &mut Value, kind: Kind, properties: Map<String, Value>, patterns: Map<String, Value>) {
    map["properties"] = Value::Object(properties);
    map["additionalProperties"] = json!(false);
    map["x-names"] = json!(kind.word());
    if !patterns.is_empty() {
        map["patternProperties"] = Value::Object(patterns);
    }
}

/// The schema of a listener: that of its protocol, and what every listener has.
fn listener(root: &Value, part: &Value) -> Value {
    let mut schema = target(root, part).unwrap_or(part).clone();
    if let Some(description) = part.get("description") {
        schema["description"] = description.clone();
    }
    schema["type"] = json!("object");
    schema["properties"]["schemas"] = json!({
        "type": "array",
        "items": { "type": "string", "x-one-of": "schema" },
        "default": null,
        "description": "The schemas this listener serves. Without it: all that no other listener lists.",
    });
    schema
}

/// Lists the names wherever one of them is wanted, so that editors complete them.
fn name_one_of(schema: &mut Value, names: &BTreeMap<Kind, Vec<String>>) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(|item| name_one_of(item, names)),
        Value::Object(map) => {
            if let Some(word) = map.get("x-one-of").and_then(Value::as_str) {
                let fits = |kind: &&Kind| kind.word() == word || (word == "part" && **kind != Kind::Protocol);
                let known = names.keys().filter(fits).flat_map(|kind| &names[kind]).map(|name| json!(name));
                let nothing = map.get("type").is_some_and(Value::is_array).then_some(Value::Null);
                map.insert("enum".to_owned(), known.chain(nothing).collect());
            }
            map.values_mut().for_each(|inner| name_one_of(inner, names));
        }
        _ => {}
    }
}

#[cfg(test)]
pub(crate) mod sample;

#[cfg(test)]
mod tests;
