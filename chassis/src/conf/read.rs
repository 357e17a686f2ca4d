//! The configuration after the check: typed for chassis itself, by part for everything that was linked in.

use std::collections::BTreeMap;

use serde_json::Value;

use super::build::BuildError;
use super::compose::{Composed, Kind};
use super::document::Document;
use super::listing::defaults;
use super::origin::Origin;
use super::path::KeyPath;
use super::problem::{ConfError, Hidden, Problem};
use super::root::{Listeners, Root, Settled};
use super::source::Read;
use super::tree::{Content, Node};
use super::typed;

/// A configuration in which nothing is wrong as far as its schema can say.
#[derive(Debug)]
pub struct Conf {
    /// What chassis itself reads.
    pub root: Root,
    /// The handlers of each provider chain, `default` and `unmatched` always among them.
    pub chains: BTreeMap<String, Vec<String>>,
    /// The listeners.
    pub listeners: Listeners,
    pub(crate) document: Document,
    pub(crate) composed: Composed,
    hidden: Hidden,
}

/// What is said about one part, ready to be built from.
#[derive(Debug)]
pub struct Section<'a> {
    conf: &'a Conf,
    node: Option<Node>,
    /// The keys it is said under, the first for everybody, later ones for fewer and fewer operations.
    paths: Vec<KeyPath>,
    nothing: Value,
    schema: Option<&'a Value>,
}

impl Conf {
    pub(crate) fn new(document: Document, composed: Composed, hidden: Hidden) -> Result<Self, ConfError> {
        let problem = |error: &BuildError| ConfError::from(document.problem("", error).hiding(&hidden));
        let root: Root = typed(own(&document.root)).map_err(|error| problem(&error))?;
        let chains = root
            .chain
            .provider()
            .map_err(|errors| ConfError::new(errors.into_iter().map(|error| document.problem("chain", &error))))?;
        let listeners = Listeners::new(&root.protocols, composed.names(Kind::Protocol));
        Ok(Self { root, chains, listeners, document, composed, hidden })
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
                Some(below) => below.merge(node.clone()),
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
        let schema = self.composed.part(kind, name);
        let nothing = match schema.and_then(|schema| schema.get("type")) {
            Some(kind) if kind == "null" => Value::Null,
            _ => Value::Object(serde_json::Map::new()),
        };
        Section { conf: self, node, paths, nothing, schema }
    }
}

/// What chassis itself reads: everything but what parts are made from, which may hold secrets.
fn own(root: &Node) -> Value {
    let mut root = root.clone();
    let strip = |node: &mut Node, keep: &[&str]| {
        if let Content::Map(entries) = &mut node.content {
            entries.retain(|key, _| keep.contains(&key.as_str()));
        }
    };
    for key in ["handlers", "schemas", "components"] {
        if let Some(parts) = root.at_mut(&KeyPath::root().key(key)) {
            strip(parts, &[]);
        }
    }
    for (key, keep) in [("protocols", ["schemas"].as_slice()), ("operations", &["timeout", "chain"])] {
        if let Some(Node { content: Content::Map(entries), .. }) = root.at_mut(&KeyPath::root().key(key)) {
            entries.values_mut().for_each(|entry| strip(&mut entry.node, keep));
        }
    }
    root.to_json()
}

impl Section<'_> {
    /// The value, ready for the type of the part: paths are resolved and secrets are read. An empty map if nothing is
    /// said, or null if the part takes no configuration.
    pub fn value(&self) -> Value {
        self.node.as_ref().map_or_else(|| self.nothing.clone(), Node::to_json)
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
        let mut node = match self.schema {
            Some(schema) => defaults(&self.conf.composed, schema, None, said),
            None => Node::empty(Origin::Default),
        };
        said.into_iter().for_each(|said| node.merge(said.clone()));
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
