//! Which listeners there are, and which schemas each of them serves.

use std::collections::BTreeMap;

use serde_json::Value;

/// One listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Its key under `protocols`: `rest`, `rest-internal`.
    pub name: String,
    /// The protocol it speaks.
    pub protocol: String,
    /// The schemas it lists; `None` if it lists none.
    pub schemas: Option<Vec<String>>,
    /// Whether it is there without being said.
    pub implied: bool,
}

/// The listeners of a process.
///
/// A listener that lists `schemas` serves those. One that does not serves every schema that no other lists. REST is
/// listened to even if nothing is said about it, unless nothing is left for it to serve.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listeners(Vec<Opened>);

/// The protocol that is listened to even if nothing is said about protocols.
const ALWAYS: &str = "rest";

impl Listeners {
    /// The listeners that `protocols` says there are, of the protocols that are linked in.
    pub fn new<'a>(protocols: &BTreeMap<String, Value>, linked: impl IntoIterator<Item = &'a str>) -> Self {
        let linked: Vec<_> = linked.into_iter().collect();
        let mut listeners: Vec<_> = protocols.iter().filter_map(|(name, value)| opened(name, value, &linked)).collect();
        if linked.contains(&ALWAYS) && !protocols.contains_key(ALWAYS) {
            let (name, protocol) = (ALWAYS.to_owned(), ALWAYS.to_owned());
            listeners.insert(0, Opened { name, protocol, schemas: None, implied: true });
        }
        Self(listeners)
    }

    /// The listeners to open, each with those of these schemas that it serves.
    pub fn serving<'a>(&'a self, schemas: &'a [&'a str]) -> impl Iterator<Item = (&'a Opened, Vec<&'a str>)> {
        self.0.iter().filter_map(move |listener| {
            let served: Vec<_> = schemas.iter().copied().filter(|schema| self.serves(listener, schema)).collect();
            let needless = listener.implied && served.is_empty() && !schemas.is_empty();
            (!needless).then_some((listener, served))
        })
    }

    /// Whether the listener serves the schema.
    pub fn serves(&self, listener: &Opened, schema: &str) -> bool {
        let lists = |listener: &Opened| listener.schemas.iter().flatten().any(|listed| listed == schema);
        match listener.schemas {
            Some(_) => lists(listener),
            None => !self.0.iter().any(lists),
        }
    }

    /// All of them, also an implied one with nothing to serve.
    pub fn iter(&self) -> impl Iterator<Item = &Opened> {
        self.0.iter()
    }
}

fn opened(name: &str, value: &Value, linked: &[&str]) -> Option<Opened> {
    let fits = |protocol: &&&str| {
        name == **protocol || name.strip_prefix(**protocol).is_some_and(|rest| rest.starts_with('-'))
    };
    let protocol = linked.iter().filter(fits).max_by_key(|protocol| protocol.len())?;
    let schemas = value.get("schemas").and_then(Value::as_array);
    let schemas = schemas.map(|names| names.iter().filter_map(Value::as_str).map(str::to_owned).collect());
    Some(Opened { name: name.to_owned(), protocol: (*protocol).to_owned(), schemas, implied: false })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(protocols: &Value, expected: &[(&str, &[&str])]) {
        let protocols: BTreeMap<String, Value> = serde_json::from_value(protocols.clone()).unwrap();
        let listeners = Listeners::new(&protocols, ["rest", "rest-lite", "bus"]);
        let found: Vec<_> =
            listeners.serving(&["a", "b"]).map(|(listener, served)| (listener.name.as_str(), served)).collect();
        let expected: Vec<_> = expected.iter().map(|(name, served)| (*name, served.to_vec())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_no_other_lists_is_on_the_default_listener() {
        check(&json!({}), &[("rest", &["a", "b"])]);
        check(&json!({"rest-internal": {"schemas": ["b"]}}), &[("rest", &["a"]), ("rest-internal", &["b"])]);
        check(&json!({"rest-internal": {"schemas": ["a", "b"]}}), &[("rest-internal", &["a", "b"])]);
        check(
            &json!({"rest": {"schemas": ["a", "b"]}, "rest-internal": {"schemas": ["b"]}}),
            &[("rest", &["a", "b"]), ("rest-internal", &["b"])],
        );
        check(&json!({"rest-second": {}}), &[("rest", &["a", "b"]), ("rest-second", &["a", "b"])]);
        check(&json!({"bus": {}}), &[("rest", &["a", "b"]), ("bus", &["a", "b"])]);
    }

    #[test]
    fn the_longest_protocol_name_that_fits_is_meant() {
        let protocols = BTreeMap::from([("rest-lite-x".to_owned(), json!({})), ("rest-x".to_owned(), json!({}))]);
        let listeners = Listeners::new(&protocols, ["rest", "rest-lite"]);
        let found: Vec<_> =
            listeners.iter().map(|listener| (listener.name.as_str(), listener.protocol.as_str())).collect();
        assert_eq!(found, [("rest", "rest"), ("rest-lite-x", "rest-lite"), ("rest-x", "rest")]);
    }
}
