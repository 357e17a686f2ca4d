//! The configuration after the check: typed for chassis itself, by part for everything that was linked in.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::broken::Broken;
use super::build::BuildError;
use super::compose::shelf::Shelf;
use super::compose::terms::SHARED;
use super::compose::{Composed, Kind};
use super::document::Document;
use super::listing::{defaults, in_effect};
use super::origin::Origin;
use super::path::KeyPath;
use super::problem::{Hidden, Problem};
use super::root::{ChainConf, DEFAULT, Listeners, Pattern, Root, Settled, Terms, UNMATCHED};
use super::source::Read;
use super::tree::{Content, Node};
use super::typed;

mod own;

use own::{as_far_as_it_is_right, own};

/// A configuration as far as it is right: in one that is in use nothing is wrong as far as its schema can say.
#[derive(Debug)]
pub struct Conf {
    /// What chassis itself reads.
    pub root: Root,
    /// The handlers of each provider chain, `default` and `unmatched` always among them.
    pub chains: BTreeMap<String, Vec<String>>,
    /// The listeners.
    pub listeners: Listeners,
    pub(crate) document: Document,
    pub(super) composed: Shelf,
    hidden: Hidden,
    broken: Broken,
}

/// What is said about one part, ready to be built from.
#[derive(Debug)]
pub struct Section<'a> {
    conf: &'a Conf,
    node: Option<Node>,
    /// The keys it is said under, the first for everybody, later ones for fewer and fewer operations.
    paths: Vec<KeyPath>,
    nothing: Value,
    schema: Option<Value>,
}

impl Conf {
    /// What can be read of a document in which this is wrong.
    pub(crate) fn new(
        document: Document,
        composed: Composed,
        hidden: Hidden,
        broken: Broken,
    ) -> Result<Self, Vec<Problem>> {
        let problem = |error: &BuildError| document.problem("", error).hiding(&hidden);
        let own = own(&document.root);
        let root = match broken.is_empty() {
            true => typed(own.to_json()).map_err(|error| vec![problem(&error)])?,
            false => as_far_as_it_is_right(own, &broken),
        };
        let (chains, errors) = root.chain.written();
        if broken.is_empty() && !errors.is_empty() {
            return Err(errors.iter().map(|error| problem(&error.clone().below("chain"))).collect());
        }
        let listeners = Listeners::new(&root.protocols, composed.names(Kind::Protocol));
        Ok(Self { root, chains, listeners, document, composed: Shelf::new(composed), hidden, broken })
    }

    /// Takes less memory until somebody looks at it again.
    pub(crate) fn put_away(&self) {
        self.composed.put_away();
    }

    /// Whether nothing is wrong, as far as is known without building anything from it.
    pub(crate) fn is_right(&self) -> bool {
        self.broken.is_empty()
    }

    /// Whether something is wrong with the value of this key, as far as is known without building anything from it.
    pub(crate) fn is_broken(&self, path: &KeyPath) -> bool {
        self.broken.touches(path)
    }

    /// Whether something is wrong with what is said about a chain, so that nobody knows what would be in it.
    pub(crate) fn is_broken_chain(&self, name: &str) -> bool {
        let provider = KeyPath::root().key("chain").key("provider");
        let mut name = name;
        // A chain that extends itself is wrong itself.
        for _ in 0..=self.root.chain.provider.len() {
            if self.is_broken(&provider.key(name)) {
                return true;
            }
            name = match self.root.chain.provider.get(name) {
                Some(ChainConf::Edit(edit)) => &edit.extends,
                None if name == UNMATCHED => DEFAULT,
                _ => return false,
            };
        }
        false
    }

    /// Whether something is wrong with what is said about the chain of an operation, so that nobody knows which it is.
    pub(crate) fn is_chain_lost(&self, operation: &str) -> bool {
        let operations = KeyPath::root().key("operations");
        let said = self.document.root.at(&operations).and_then(Node::entries).into_iter().flatten();
        let about =
            said.map(|(key, _)| key).filter(|key| Pattern::parse(key).is_some_and(|one| one.matches(operation)));
        let mut keys = about.map(String::as_str).chain([operation]);
        keys.any(|key| self.is_broken(&operations.key(key).key("chain")))
    }

    /// What was read, in order, so that start-up can say so.
    pub fn read(&self) -> &[Read] {
        self.document.read()
    }

    /// Where the value there comes from; `None` if it is a default in code.
    pub fn origin(&self, path: &str) -> Option<&Origin> {
        self.document.origin(path)
    }

    /// What `handlers` says about a handler.
    pub fn handler(&self, name: &str) -> Section<'_> {
        self.section(Kind::Handler, name, vec![KeyPath::root().key("handlers").key(name)])
    }

    /// What `handlers` and `operations` say together about a handler before one operation.
    pub fn handler_for(&self, name: &str, operation: &str) -> Section<'_> {
        let mut section = self.handler(name);
        for pattern in self.settled(operation).patterns {
            let path = KeyPath::root().key("operations").key(&pattern).key("handlers").key(name);
            let Some(node) = self.said(&path) else { continue };
            match &mut section.node {
                Some(below) => drop(below.merge(node.clone())),
                None => section.node = Some(node.clone()),
            }
            section.paths.push(path);
        }
        section
    }

    /// What `operations` says about the operation of this id.
    pub fn settled(&self, operation: &str) -> Settled {
        Settled::of(&self.root.operations, operation)
    }

    /// What `schemas` says about a schema.
    pub fn schema(&self, name: &str) -> Section<'_> {
        self.section(Kind::Schema, name, vec![KeyPath::root().key("schemas").key(name)])
    }

    /// What `components` says about a component.
    pub fn component(&self, name: &str) -> Section<'_> {
        self.section(Kind::Component, name, vec![KeyPath::root().key("components").key(name)])
    }

    /// What `protocols` says about a listener, without what chassis itself reads of it.
    pub fn listener(&self, name: &str) -> Section<'_> {
        let mut section = self.section(Kind::Protocol, name, vec![KeyPath::root().key("protocols").key(name)]);
        if let Some(Node { content: Content::Map(entries), .. }) = &mut section.node {
            entries.remove("schemas");
        }
        section
    }

    /// The problem that something has with the configuration below `prefix`, at its place. Problems of parts are
    /// placed by [`Section::problem`].
    pub fn problem(&self, prefix: &str, error: &BuildError) -> Problem {
        self.document.problem(prefix, error).hiding(&self.hidden)
    }

    fn said(&self, path: &KeyPath) -> Option<&Node> {
        self.document.root.at(path).filter(|node| node.content != Content::Null)
    }

    fn section(&self, kind: Kind, name: &str, paths: Vec<KeyPath>) -> Section<'_> {
        let node = paths.first().and_then(|path| self.said(path)).cloned();
        let schema = self.composed.open().part(kind, name).cloned();
        let is_null = |schema: &Value| schema.get("x-nothing").is_some() || schema.get("type") == Some(&"null".into());
        let nothing = if schema.as_ref().is_some_and(is_null) { Value::Null } else { Value::Object(Map::new()) };
        Section { conf: self, node, paths, nothing, schema }
    }
}

impl Section<'_> {
    /// The value, ready for the type of the part: paths are resolved and secrets are read. An empty map if nothing is
    /// said, or null if the part takes no configuration.
    pub fn value(&self) -> Value {
        let mut value = self.node.as_ref().map_or_else(|| self.nothing.clone(), Node::to_json);
        let Value::Object(keys) = &mut value else { return value };
        let said = keys.len();
        keys.retain(|key, _| !self.is_shared(key));
        if keys.is_empty() && said > 0 { self.nothing.clone() } else { value }
    }

    /// What is said of the keys that every handler takes.
    ///
    /// # Errors
    /// They are not what they should be in a way that their schema cannot say.
    pub(crate) fn terms(&self) -> Result<Terms, BuildError> {
        let Some(Value::Object(mut keys)) = self.node.as_ref().map(Node::to_json) else { return Ok(Terms::default()) };
        keys.retain(|key, _| self.is_shared(key));
        typed(Value::Object(keys))
    }

    fn is_shared(&self, key: &str) -> bool {
        let property = self.schema.as_ref().and_then(|schema| schema.get("properties")?.get(key));
        property.is_some_and(|property| property.get(SHARED).is_some())
    }

    /// Whether something is said for this part by somebody: the reference of all keys speaks of every one.
    pub(crate) fn is_said(&self) -> bool {
        self.node.as_ref().is_some_and(Node::is_said)
    }

    /// Whether something that is said for this part is wrong already.
    pub(crate) fn is_broken(&self) -> bool {
        self.paths.iter().any(|path| self.conf.is_broken(path))
    }

    /// The pattern under `operations` that is the most specific to say something; `None` if only `handlers` does.
    pub fn scope(&self) -> Option<&str> {
        match self.paths.last()?.steps() {
            [super::path::Step::Key(root), super::path::Step::Key(pattern), ..] if root == "operations" => {
                Some(pattern)
            }
            _ => None,
        }
    }

    /// Where the value of a key of the part comes from; `None` if it is a default in code.
    pub fn origin(&self, key: &str) -> Option<&Origin> {
        self.node.as_ref()?.at(&KeyPath::parse(key)).map(|node| &node.origin)
    }

    /// Every value that is in effect, with its key and origin: what is said, and defaults where nothing is.
    pub fn effective(&self) -> Vec<(KeyPath, Node)> {
        let said = self.node.as_ref();
        let defaults = match &self.schema {
            Some(schema) => defaults(&self.conf.composed.open(), schema, None, said),
            None => Node::empty(Origin::Default),
        };
        let node = match said {
            Some(said) => in_effect(defaults, said.clone()),
            None => defaults,
        };
        let leaves = node.leaves().into_iter().filter(|(_, node)| node.content != Content::Null);
        leaves.map(|(key, node)| (key, node.clone())).collect()
    }

    /// The problem that the part has with its configuration, at its place: where the value is said, else at the
    /// nearest key around it.
    pub fn problem(&self, error: &BuildError) -> Problem {
        let key = KeyPath::parse(&error.at);
        let says = |path: &&KeyPath| self.conf.said(&path.join(&key)).is_some();
        let path = self.paths.iter().rev().find(says).or(self.paths.first()).cloned().unwrap_or_default();
        self.conf.problem(&path.to_string(), error)
    }
}

#[cfg(test)]
mod tests;
