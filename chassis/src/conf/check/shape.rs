//! Everything that the schemas of one value say about it, together.

use std::cell::RefCell;
use std::collections::BTreeMap;

use regex_automata::meta::Regex;
use serde_json::{Map, Value};

/// The schemas that hold for one value. What any of them forbids is forbidden; the keys of a map are those of all.
pub(super) struct Shape<'a> {
    layers: Vec<&'a Map<String, Value>>,
}

impl<'a> Shape<'a> {
    pub(super) fn new(layers: Vec<&'a Map<String, Value>>) -> Self {
        Self { layers }
    }

    /// What each schema says.
    pub(super) fn layers(&self) -> impl Iterator<Item = &'a Map<String, Value>> {
        self.layers.iter().copied()
    }

    /// What each layer says under this keyword.
    pub(super) fn all(&self, keyword: &str) -> impl Iterator<Item = &'a Value> {
        self.layers.iter().filter_map(move |layer| layer.get(keyword))
    }

    /// The first text under this keyword.
    pub(super) fn text(&self, keyword: &str) -> Option<&'a str> {
        self.all(keyword).find_map(Value::as_str)
    }

    /// The first count under this keyword.
    pub(super) fn number(&self, keyword: &str) -> Option<u64> {
        self.all(keyword).find_map(Value::as_u64)
    }

    /// Whether the value may never be shown.
    pub(super) fn is_secret(&self) -> bool {
        self.text("format") == Some("secret")
    }

    /// The kinds that are allowed, as JSON Schema names them; `None` if any is.
    pub(super) fn kinds(&self) -> Option<Vec<&'a str>> {
        let said = self.all("type").map(|kinds| match kinds {
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
            kind => kind.as_str().into_iter().collect::<Vec<_>>(),
        });
        said.reduce(|one, other| one.into_iter().filter(|kind| other.contains(kind)).collect())
    }

    /// The schema of a key of this map, if it is known.
    pub(super) fn key(&self, key: &str, patterns: &Patterns) -> Option<&'a Value> {
        let named = self.all("properties").find_map(|properties| properties.get(key));
        named
            .or_else(|| self.matching(key, patterns))
            .or_else(|| self.all("additionalProperties").find(|schema| schema.is_object()))
    }

    /// Whether keys that are not named are allowed.
    pub(super) fn is_open(&self) -> bool {
        let mut closing = self.all("additionalProperties").chain(self.all("unevaluatedProperties"));
        !closing.any(|schema| *schema == Value::Bool(false))
    }

    /// The keys that are named.
    pub(super) fn keys(&self) -> impl Iterator<Item = &'a str> {
        self.all("properties").filter_map(Value::as_object).flat_map(Map::keys).map(String::as_str)
    }

    /// The keys that must be there.
    pub(super) fn required(&self) -> impl Iterator<Item = &'a str> {
        self.all("required").filter_map(Value::as_array).flatten().filter_map(Value::as_str)
    }

    fn matching(&self, key: &str, patterns: &Patterns) -> Option<&'a Value> {
        let schemas = self.all("patternProperties").filter_map(Value::as_object).flatten();
        schemas.into_iter().find(|(pattern, _)| patterns.matches(pattern, key)).map(|(_, schema)| schema)
    }
}

/// The patterns that were needed so far: a pattern is compiled once, not for each of a thousand keys.
#[derive(Debug, Default)]
pub(crate) struct Patterns(RefCell<BTreeMap<String, Option<Regex>>>);

impl Patterns {
    /// Whether a text matches a pattern. A pattern that is none matches everything: it is not the writer's fault.
    pub(crate) fn matches(&self, pattern: &str, text: &str) -> bool {
        let mut compiled = self.0.borrow_mut();
        if !compiled.contains_key(pattern) {
            compiled.insert(pattern.to_owned(), Regex::new(pattern).ok());
        }
        compiled.get(pattern).and_then(Option::as_ref).is_none_or(|regex| regex.is_match(text))
    }
}
