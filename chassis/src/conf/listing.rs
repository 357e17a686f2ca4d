//! The effective configuration: every value, said or default, and where it comes from.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::check::Patterns;
use super::compose::Composed;
use super::emit;
use super::origin::Origin;
use super::path::{KeyPath, Step};
use super::read::Conf;
use super::root::ORDER;
use super::tree::{Content, Entry, Node};

/// Every value that is in effect. Displayed as YAML with the origins as comments.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Listing {
    /// The values, in the order of the reference.
    pub values: Vec<Listed>,
}

/// One value that is in effect.
#[derive(Clone, Debug, Serialize)]
pub struct Listed {
    /// Its key, such as `handlers.rate-limit.burst`.
    pub key: String,
    /// What it is; `***` if it is a secret.
    pub value: Value,
    /// Where it comes from.
    pub origin: Origin,
    #[serde(skip)]
    path: KeyPath,
}

impl Listing {
    /// The text of it below the name that refusals have for it.
    pub(crate) fn titled(&self, revision: &str) -> String {
        format!("# revision {revision}\n{self}")
    }
}

impl Conf {
    /// Every value that is in effect, defaults of everything that was linked in included, secrets hidden.
    pub fn listing(&self) -> Listing {
        let composed = self.composed.open();
        let defaults = defaults(&composed, &composed.schema, None, Some(&self.document.root));
        let root = in_effect(defaults, self.document.root.clone());
        let leaves = root.leaves().into_iter().filter(|(_, node)| node.content != Content::Null);
        let mut values: Vec<_> = leaves.map(|(path, node)| listed(path, node)).collect();
        values.sort_by_key(|listed| (rank(&listed.path), listed.path.clone()));
        Listing { values }
    }

    /// Whether it is the reference of all keys, and says nothing that does not hold anyway.
    pub(crate) fn is_reference(&self) -> bool {
        let composed = self.composed.open();
        let defaults = defaults(&composed, &composed.schema, None, Some(&self.document.root));
        let holds = |(path, node): (KeyPath, &Node)| {
            let said = node.to_json();
            let is_default = || defaults.at(&path).is_some_and(|default| default.to_json() == said);
            is_nothing(&said) || composed.is_unread(&path) || is_default()
        };
        self.document.is_reference && self.is_right() && self.document.root.leaves().into_iter().all(holds)
    }
}

/// What is said, laid over the defaults; a default that is in effect because it was taken back says by whom.
pub(super) fn in_effect(mut defaults: Node, mut said: Node) -> Node {
    take_back(&mut defaults, &mut said);
    defaults.merge(said);
    defaults
}

fn take_back(defaults: &mut Node, said: &mut Node) {
    let (Content::Map(defaults), Content::Map(entries)) = (&mut defaults.content, &mut said.content) else { return };
    entries.retain(|key, entry| {
        let Some(default) = defaults.get_mut(key).map(|default| &mut default.node) else { return true };
        if entry.node.content != Content::Null {
            take_back(default, &mut entry.node);
            return true;
        }
        if default.entries().is_none() || !entry.node.leaves_maps() {
            taken_back(default, &Arc::new(entry.node.origin.clone()));
        }
        false
    });
}

fn taken_back(default: &mut Node, by: &Arc<Origin>) {
    match &mut default.content {
        Content::Map(entries) if !entries.is_empty() => {
            entries.values_mut().for_each(|entry| taken_back(&mut entry.node, by));
        }
        _ => default.origin = Origin::TakenBack(Arc::clone(by)),
    }
}

/// What a key without a value comes to, whatever its type.
fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty)
}

fn listed(path: KeyPath, node: &Node) -> Listed {
    Listed { key: path.to_string(), value: node.shown(), origin: node.origin.clone(), path }
}

/// Where a person reads this key.
fn rank(path: &KeyPath) -> usize {
    match path.steps().first() {
        Some(Step::Key(key)) => ORDER.iter().position(|known| known == key).unwrap_or(ORDER.len()),
        _ => ORDER.len(),
    }
}

/// What a schema says holds where nothing else is said. `given` is what the map around it says, `said` what the
/// configuration does: names that only it knows have defaults, too.
pub(super) fn defaults(composed: &Composed, schema: &Value, given: Option<&Value>, said: Option<&Node>) -> Node {
    let layers = layers(composed, schema);
    let given = given.or_else(|| layers.iter().find_map(|layer| layer.get("default")));
    let is_secret = layers.iter().any(|layer| layer.get("format").is_some_and(|format| format == "secret"));
    let absent = said.is_none_or(|said| said.content == Content::Null);
    let nothing = given == Some(&Value::Null) || (given.is_none() && is_optional(&layers));
    if is_secret || (nothing && absent) {
        return Node::new(Content::Null, Origin::Default);
    }
    let given = given.filter(|given| !given.is_null());
    let maps = layers.iter().filter_map(|layer| layer.get("properties")?.as_object()).flatten();
    let mut entries: BTreeMap<_, _> = maps
        .map(|(key, schema)| {
            let inner = said.and_then(Node::entries).and_then(|entries| entries.get(key)).map(|entry| &entry.node);
            let node = defaults(composed, schema, given.and_then(|given| given.get(key)), inner);
            (key.clone(), Entry { key: Origin::Default, node })
        })
        .filter(|(_, entry)| entry.node.content != Content::Null)
        .collect();
    entries.extend(named(composed, &layers, said));
    match given {
        Some(given) if entries.is_empty() => Node::from_json(given.clone(), &Origin::Default),
        None if entries.is_empty() => Node::new(Content::Null, Origin::Default),
        _ => Node::new(Content::Map(entries), Origin::Default),
    }
}

/// The defaults below the names that only the configuration knows. What `operations` leaves out is not default: it
/// is what `handlers` says.
fn named(composed: &Composed, layers: &[&Value], said: Option<&Node>) -> Vec<(String, Entry)> {
    let patterns = Patterns::default();
    let schemas: Vec<_> =
        layers.iter().filter_map(|layer| layer.get("patternProperties")?.as_object()).flatten().collect();
    let entries = said.and_then(Node::entries).into_iter().flatten();
    let fitting = |key: &str| schemas.iter().find(|(pattern, _)| patterns.matches(pattern, key));
    let filled = entries.filter_map(|(key, entry)| {
        let (_, schema) = fitting(key)?;
        let node = defaults(composed, schema, None, Some(&entry.node));
        Some((key.clone(), Entry { key: Origin::Default, node }))
    });
    filled.collect()
}

/// The schema itself and what it refers to; of "this or nothing" this.
pub(crate) fn layers<'a>(composed: &'a Composed, schema: &'a Value) -> Vec<&'a Value> {
    let mut layers = vec![schema];
    let followed = composed.follow(schema);
    if !std::ptr::eq(followed, schema) {
        layers.extend(self::layers(composed, followed));
        return layers;
    }
    let alternatives = schema.get("anyOf").and_then(Value::as_array).into_iter().flatten();
    let some: Vec<_> = alternatives.filter(|schema| schema.get("type").is_none_or(|kind| kind != "null")).collect();
    if let [only] = some.as_slice() {
        layers.extend(self::layers(composed, only));
    }
    layers
}

/// Whether a value may be left out without anything taking its place.
pub(crate) fn is_optional(layers: &[&Value]) -> bool {
    layers.iter().any(|layer| {
        let kinds = layer.get("type").and_then(Value::as_array).into_iter().flatten();
        let alternatives = layer.get("anyOf").and_then(Value::as_array).into_iter().flatten();
        kinds.chain(alternatives.filter_map(|schema| schema.get("type"))).any(|kind| kind == "null")
    })
}

impl fmt::Display for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines: Vec<(String, Option<&Origin>)> = Vec::new();
        let mut above: &[Step] = &[];
        for listed in &self.values {
            let Some((last, maps)) = listed.path.steps().split_last() else { continue };
            let shared = maps.iter().zip(above).take_while(|(one, other)| one == other).count();
            for (depth, step) in maps.iter().enumerate().skip(shared) {
                lines.push((format!("{}{}:", "  ".repeat(depth), key(step)), None));
            }
            let value = emit::inline(&listed.value);
            lines.push((format!("{}{}: {value}", "  ".repeat(maps.len()), key(last)), Some(&listed.origin)));
            above = maps;
        }
        let widths = lines.iter().filter(|(_, origin)| origin.is_some()).map(|(line, _)| line.chars().count());
        let width = widths.filter(|width| *width <= WIDEST).max().unwrap_or_default();
        for (line, origin) in lines {
            match origin {
                Some(origin) => writeln!(f, "{line:width$}  # {origin}")?,
                None => writeln!(f, "{line}")?,
            }
        }
        Ok(())
    }
}

/// Longer lines do not push the origins of all others to the right.
const WIDEST: usize = 60;

fn key(step: &Step) -> String {
    match step {
        Step::Key(key) => emit::key(key),
        Step::Index(index) => index.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use schemars::json_schema;
    use serde_json::json;

    use crate::conf::compose::{Composed, Kind, Part, sample};
    use crate::conf::source::InMemory;
    use crate::conf::{Conf, Document};

    fn conf(yaml: &str) -> Conf {
        let document = Document::of_text("greeter.yaml", yaml).unwrap();
        document.check(sample::composed(), &["greeting.hello"], &InMemory::default()).unwrap()
    }

    const YAML: &str = "\
service: { name: greeter }
chain: { provider: { default: [auth] } }
handlers:
  rate-limit: { burst: 5 }
  auth: { jwt: { issuer: me, keys: { secret: hunter2 } } }
operations: { greeting.hello: { handlers: { auth: { leeway: 2s } } } }
protocols: { rest-internal: { listen: ':81' } }
";

    #[test]
    fn every_value_is_listed_with_its_origin() {
        let mut listing = conf(YAML).listing();
        let parts = ["service", "protocols", "chain", "handlers", "operations", "schemas", "drain"];
        listing.values.retain(|listed| parts.iter().any(|part| listed.key.starts_with(part)));
        insta::assert_snapshot!(listing, @r#"
        service:
          name: greeter        # greeter.yaml:1:18
        protocols:
          rest:
            limit-body: 1MiB   # default
            listen: ":8080"    # default
          rest-internal:
            limit-body: 1MiB   # default
            listen: ":81"      # greeter.yaml:7:39
        chain:
          provider:
            default: [auth]    # greeter.yaml:2:31
        handlers:
          auth:
            jwt:
              claims: {}       # default
              issuer: me       # greeter.yaml:5:26
              keys:
                secret: "***"  # greeter.yaml:5:46
            leeway: 1m         # default
          rate-limit:
            burst: 5           # greeter.yaml:4:24
            key: peer          # default
            rate: 100/s        # default
            shadow: false      # default
        operations:
          greeting.hello:
            handlers:
              auth:
                leeway: 2s     # greeter.yaml:6:61
        schemas:
          greeting:
            word: Hello        # default
        drain:
          deadline: 20s        # default
          delay: 5s            # default
          flush: 2s            # default
          grace: 30s           # default
        "#);
    }

    #[test]
    fn the_listing_is_a_configuration_that_says_the_same() {
        let yaml = YAML.replace("hunter2", "'***'");
        let listing = conf(&yaml).listing();
        let again = conf(&listing.to_string()).listing();
        let values = |listing: &super::Listing| {
            listing.values.iter().map(|listed| (listed.key.clone(), listed.value.clone())).collect::<Vec<_>>()
        };
        assert_eq!(values(&again), values(&listing));
    }

    #[test]
    fn what_is_taken_back_is_listed_with_its_default() {
        let yaml = "drain: { delay: ~ }\nhandlers: { rate-limit: null }\nlog:\n";
        let listing = conf(yaml).listing();
        let origin = |key: &str| {
            let found = listing.values.iter().find(|listed| listed.key == key).unwrap();
            (found.value.clone(), found.origin.to_string())
        };
        assert_eq!(origin("drain.delay"), (json!("5s"), "default (taken back by greeter.yaml:1:17)".to_owned()));
        let rate = (json!("100/s"), "default (taken back by greeter.yaml:2:25)".to_owned());
        assert_eq!(origin("handlers.rate-limit.rate"), rate);
        assert_eq!(origin("log.level").1, "default");
    }

    #[test]
    fn secrets_in_lists_are_hidden_too() {
        let part = Part {
            kind: Kind::Handler,
            name: "part".to_owned(),
            doc: String::new(),
            conf: |_| {
                let secret = json!({ "type": "string", "format": "secret" });
                let named = json!({ "type": "object", "properties": { "name": { "type": "string" }, "key": secret } });
                let list = |item: &serde_json::Value| json!({ "type": "array", "items": item });
                json_schema!({ "type": "object", "properties": { "keys": list(&secret), "named": list(&named) } })
            },
        };
        let yaml = "handlers: { part: { keys: [sekret, env:KEY], named: [{ name: a, key: sekret }] } }\n";
        let mut document = Document::of_text("greeter.yaml", yaml).unwrap();
        document.environment.insert("KEY".to_owned(), "sekret".to_owned());
        let conf = document.check(Composed::new(&[part]), &[], &InMemory::default()).unwrap();
        let shown = |key: &str, values: Vec<(String, serde_json::Value)>| {
            values.into_iter().find_map(|(found, value)| (found == key).then_some(value)).unwrap()
        };
        let listed = || conf.listing().values.into_iter().map(|listed| (listed.key, listed.value)).collect();
        assert_eq!(shown("handlers.part.keys", listed()), json!(["***", "***"]));
        assert_eq!(shown("handlers.part.named", listed()), json!([{ "name": "a", "key": "***" }]));
    }

    #[test]
    fn machines_read_keys_values_and_origins() {
        let listing = serde_json::to_value(conf(YAML).listing()).unwrap();
        let find = |key: &str| listing.as_array().unwrap().iter().find(|listed| listed["key"] == key).cloned();
        let origin = json!({"source": "file", "file": "greeter.yaml", "line": 4, "column": 24});
        let expected = json!({"key": "handlers.rate-limit.burst", "value": 5, "origin": origin});
        assert_eq!(find("handlers.rate-limit.burst"), Some(expected));
        let expected = json!({"key": "drain.delay", "value": "5s", "origin": {"source": "default"}});
        assert_eq!(find("drain.delay"), Some(expected));
        assert!(!listing.to_string().contains("hunter2"));
    }
}
