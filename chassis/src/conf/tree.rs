//! The configuration as a tree, every value and every key with its origin.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Number, Value};

use super::origin::Origin;
use super::path::{KeyPath, Step};

/// A value and where it comes from.
#[derive(Clone, PartialEq)]
pub struct Node {
    /// What it is.
    pub content: Content,
    /// Where it comes from.
    pub origin: Origin,
    /// The text it was made from, where that was said without types: by the environment, by `--set` or by `${…}`.
    pub said: Option<Arc<str>>,
    /// What its schema makes of it.
    pub role: Role,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Nothing: as if the key was not there.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A map.
    Map(BTreeMap<String, Entry>),
    /// Something that could not be made out; a problem says why.
    Broken,
}

/// A key of a map with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Where the key is written.
    pub key: Origin,
    /// The value.
    pub node: Node,
}

/// What the schema makes of a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// What it is.
    #[default]
    Plain,
    /// Text, although it looks like something else.
    Text,
    /// The path of a file.
    Path,
    /// A secret that is not read yet.
    Secret,
    /// A secret.
    Revealed(super::Secret),
}

impl Node {
    /// A value from this origin.
    pub fn new(content: Content, origin: Origin) -> Self {
        Self { content, origin, said: None, role: Role::Plain }
    }

    /// A map without keys.
    pub fn empty(origin: Origin) -> Self {
        Self::new(Content::Map(BTreeMap::new()), origin)
    }

    /// The same as a JSON value, all of it from one origin.
    pub fn from_json(value: Value, origin: &Origin) -> Self {
        let content = match value {
            Value::Null => Content::Null,
            Value::Bool(bool) => Content::Bool(bool),
            Value::Number(number) => Content::Number(number),
            Value::String(text) => Content::Text(text),
            Value::Array(items) => Content::List(items.into_iter().map(|item| Self::from_json(item, origin)).collect()),
            Value::Object(map) => {
                let entry = |(key, value)| (key, Entry { key: origin.clone(), node: Self::from_json(value, origin) });
                Content::Map(map.into_iter().map(entry).collect())
            }
        };
        Self::new(content, origin.clone())
    }

    /// The value as programs read it: keys without a value are left out, paths are absolute where they can be.
    pub fn to_json(&self) -> Value {
        match (&self.role, &self.content) {
            (Role::Text, _) if self.said.is_some() => Value::from(self.said.as_deref()),
            (Role::Revealed(secret), _) => Value::from(secret.expose()),
            (Role::Path, Content::Text(path)) => Value::from(self.resolved(path)),
            (_, Content::Null | Content::Broken) => Value::Null,
            (_, Content::Bool(bool)) => Value::Bool(*bool),
            (_, Content::Number(number)) => Value::Number(number.clone()),
            (_, Content::Text(text)) => Value::String(text.clone()),
            (_, Content::List(items)) => Value::Array(items.iter().map(Self::to_json).collect()),
            (_, Content::Map(entries)) => object(entries, Self::to_json),
        }
    }

    /// The value as people read it: `***` stands for each secret in it.
    pub fn shown(&self) -> Value {
        match (&self.role, &self.content) {
            (Role::Secret | Role::Revealed(_), _) => Value::from("***"),
            (_, Content::List(items)) => Value::Array(items.iter().map(Self::shown).collect()),
            (_, Content::Map(entries)) => object(entries, Self::shown),
            _ => self.to_json(),
        }
    }

    /// A path it says, seen from the working directory.
    pub(crate) fn resolved(&self, path: &str) -> String {
        match self.origin.directory() {
            Some(directory) => directory.join(path).to_string_lossy().into_owned(),
            None => path.to_owned(),
        }
    }

    /// The keys, if it is a map.
    pub fn entries(&self) -> Option<&BTreeMap<String, Entry>> {
        match &self.content {
            Content::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// Whether it is a number.
    pub(crate) fn is_number(&self) -> bool {
        matches!(self.content, Content::Number(_))
    }

    /// The value there.
    pub fn at(&self, path: &KeyPath) -> Option<&Self> {
        path.steps().iter().try_fold(self, |node, step| match (step, &node.content) {
            (Step::Key(key), Content::Map(entries)) => entries.get(key).map(|entry| &entry.node),
            (Step::Index(index), Content::List(items)) => items.get(*index),
            _ => None,
        })
    }

    /// The value there, to change it.
    pub(crate) fn at_mut(&mut self, path: &KeyPath) -> Option<&mut Self> {
        path.steps().iter().try_fold(self, |node, step| match (step, &mut node.content) {
            (Step::Key(key), Content::Map(entries)) => entries.get_mut(key).map(|entry| &mut entry.node),
            (Step::Index(index), Content::List(items)) => items.get_mut(*index),
            _ => None,
        })
    }

    /// Whether somebody says something here: the reference of all keys speaks of everything.
    pub(crate) fn is_said(&self) -> bool {
        let is_own = |node: &Self| node.content != Content::Null && !node.origin.is_of_reference();
        self.leaves().into_iter().any(|(_, leaf)| is_own(leaf))
    }

    /// Where the value there is written or, if it is not, the key of the nearest one around it.
    pub fn nearest(&self, path: &KeyPath) -> &Origin {
        let mut node = self;
        let mut nearest = &self.origin;
        for step in path.steps() {
            let (next, written) = match (step, &node.content) {
                (Step::Key(key), Content::Map(entries)) => match entries.get(key) {
                    Some(entry) => (&entry.node, &entry.key),
                    None => return nearest,
                },
                (Step::Index(index), Content::List(items)) => match items.get(*index) {
                    Some(item) => (item, &item.origin),
                    None => return nearest,
                },
                _ => return nearest,
            };
            if *written != Origin::Default {
                nearest = written;
            }
            node = next;
        }
        match node.content {
            Content::Map(_) | Content::List(_) => nearest,
            _ if node.origin == Origin::Default => nearest,
            _ => &node.origin,
        }
    }

    /// Lays a value from a later source over this one: maps merge, everything else replaces. A key without a value
    /// takes a scalar or a list back to its default and leaves a map as it is; `null`, written out, takes a map back, too.
    /// Answers what is no longer there.
    pub fn merge(&mut self, over: Self) -> Vec<Self> {
        let leaves_maps = over.leaves_maps();
        match (&mut self.content, over.content) {
            (Content::Map(entries), Content::Map(others)) => {
                if self.origin == Origin::Default {
                    self.origin = over.origin;
                }
                others.into_iter().flat_map(|(key, other)| merge_entry(entries, key, other)).collect()
            }
            (Content::Map(_), Content::Null) if leaves_maps => Vec::new(),
            (_, content) => vec![std::mem::replace(self, Self { content, ..over })],
        }
    }

    /// Whether a map stays what it is below this: nobody wrote `null`.
    pub(crate) fn leaves_maps(&self) -> bool {
        self.content == Content::Null && self.said.as_deref().is_none_or(|said| said.trim().is_empty())
    }

    /// Every value that is not a map with keys in it, with its path.
    pub fn leaves(&self) -> Vec<(KeyPath, &Self)> {
        let mut leaves = Vec::new();
        self.collect(&KeyPath::root(), &mut leaves);
        leaves
    }

    fn collect<'a>(&'a self, path: &KeyPath, leaves: &mut Vec<(KeyPath, &'a Self)>) {
        match self.entries() {
            Some(entries) if !entries.is_empty() => {
                entries.iter().for_each(|(key, entry)| entry.node.collect(&path.key(key), leaves));
            }
            _ => leaves.push((path.clone(), self)),
        }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.role {
            Role::Secret | Role::Revealed(_) => write!(f, "*** from {}", self.origin),
            _ => write!(f, "{:?} from {}", self.content, self.origin),
        }
    }
}

/// The keys that have a value.
fn object(entries: &BTreeMap<String, Entry>, value: fn(&Node) -> Value) -> Value {
    let said = entries.iter().filter(|(_, entry)| entry.node.content != Content::Null);
    Value::Object(said.map(|(key, entry)| (key.clone(), value(&entry.node))).collect::<Map<_, _>>())
}

fn merge_entry(entries: &mut BTreeMap<String, Entry>, key: String, other: Entry) -> Vec<Node> {
    match entries.get_mut(&key) {
        None => {
            entries.insert(key, other);
            Vec::new()
        }
        Some(entry) => {
            // What is replaced is no longer there to be pointed at.
            let replaces = other.node.entries().is_none() && !other.node.leaves_maps();
            if entry.key == Origin::Default || entry.node.entries().is_none() || replaces {
                entry.key = other.key;
            }
            entry.node.merge(other.node)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn set(name: &str) -> Origin {
        Origin::Set(name.into())
    }

    fn check(lower: Value, upper: Value, expected: &Value) {
        let mut node = Node::from_json(lower, &set("lower"));
        node.merge(Node::from_json(upper, &set("upper")));
        assert_eq!(node.to_json(), *expected);
    }

    #[test]
    fn maps_merge_and_everything_else_replaces() {
        check(json!({"a": {"b": 1, "c": 2}}), json!({"a": {"c": 3}}), &json!({"a": {"b": 1, "c": 3}}));
        check(json!({"a": [1, 2]}), json!({"a": [3]}), &json!({"a": [3]}));
        check(json!({"a": {"b": 1}}), json!({"a": 2}), &json!({"a": 2}));
    }

    #[test]
    fn a_key_without_a_value_takes_a_scalar_back_and_leaves_a_map() {
        check(json!({"a": 1}), json!({"a": null}), &json!({}));
        check(json!({"a": [1]}), json!({"a": null}), &json!({}));
        check(json!({"a": {"b": 1}}), json!({"a": null}), &json!({"a": {"b": 1}}));
    }

    #[test]
    fn null_written_out_takes_a_map_back() {
        for said in ["~", "null"] {
            let mut node = Node::from_json(json!({"a": {"b": 1}, "c": 1}), &set("lower"));
            let mut over = Node::from_json(json!({"a": null}), &set("upper"));
            over.at_mut(&KeyPath::parse("a")).unwrap().said = Some(said.into());
            node.merge(over);
            assert_eq!(node.to_json(), json!({"c": 1}));
            assert_eq!(node.nearest(&KeyPath::parse("a")), &set("upper"));
        }
    }

    #[test]
    fn each_value_keeps_its_own_origin() {
        let mut node = Node::from_json(json!({"a": {"b": 1, "c": 2}}), &set("lower"));
        node.merge(Node::from_json(json!({"a": {"c": 3}}), &set("upper")));
        assert_eq!(node.nearest(&KeyPath::parse("a.b")), &set("lower"));
        assert_eq!(node.nearest(&KeyPath::parse("a.c")), &set("upper"));
        assert_eq!(node.nearest(&KeyPath::parse("a.d.e")), &set("lower"));
    }

    #[test]
    fn what_replaces_a_map_is_the_nearest_place() {
        let mut node = Node::from_json(json!({"a": {"b": 1}, "c": {"d": 1}}), &set("lower"));
        node.merge(Node::from_json(json!({"a": [1], "c": null}), &set("upper")));
        assert_eq!(node.nearest(&KeyPath::parse("a")), &set("upper"));
        assert_eq!(node.nearest(&KeyPath::parse("a[0]")), &set("upper"));
        assert_eq!(node.nearest(&KeyPath::parse("c")), &set("lower"));
    }

    #[test]
    fn what_the_program_says_itself_is_never_the_nearest_place() {
        let mut node = Node::from_json(json!({"a": {"b": 1}}), &Origin::Default);
        node.merge(Node::from_json(json!({"a": {"c": 1}}), &set("upper")));
        assert_eq!(node.nearest(&KeyPath::parse("a.b")), &set("upper"));
        assert_eq!(node.nearest(&KeyPath::parse("x")), &set("upper"));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf =
            prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), any::<i32>().prop_map(Value::from)];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                proptest::collection::btree_map("[a-c]", inner, 0..4).prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_later_source_wins_wherever_it_says_something(lower in any_json(), upper in any_json()) {
            let over = Node::from_json(upper, &set("upper"));
            let mut node = Node::from_json(lower, &set("lower"));
            node.merge(over.clone());
            for (path, leaf) in over.leaves() {
                let empty = leaf.entries().is_some() || leaf.content == Content::Null;
                prop_assert!(empty || node.at(&path).is_some_and(|found| found == leaf), "{}", path);
            }
        }
    }
}
