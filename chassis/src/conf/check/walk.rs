//! Walks the configuration and its schema side by side.

use serde_json::{Map, Value};

use super::shape::{Patterns, Shape};
use super::{choice, keys, scalar, secrets, wording};
use crate::conf::compose::Composed;
use crate::conf::origin::Origin;
use crate::conf::path::KeyPath;
use crate::conf::problem::{Hidden, Problem};
use crate::conf::tree::{Content, Node, Role};

/// More findings than this nobody reads.
const MOST: usize = 1_000;

/// What has been found so far.
pub(super) struct Walk<'a> {
    pub composed: &'a Composed,
    pub patterns: &'a Patterns,
    pub findings: Vec<Finding>,
    /// What the schema makes of values that are not just what they are.
    pub marks: Vec<(KeyPath, Role)>,
    /// The lists of patterns of operations, and the maps that are keyed by them.
    pub operations: Vec<KeyPath>,
    /// Text that may not be shown.
    pub hidden: Hidden,
    /// The keys that were probably meant by those that are not known.
    pub meant: Vec<KeyPath>,
}

/// Something that does not fit.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub weight: Weight,
    /// How many steps lead to it.
    pub depth: usize,
    pub problem: Problem,
}

/// How much a finding says about an alternative not being the one that was meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// Something of another kind is there.
    Kind,
    /// Another word is there.
    Word,
    /// A key is missing or unknown.
    Key,
    /// A value is out of bounds.
    Value,
}

/// What one schema says.
pub(super) type Layer<'a> = &'a Map<String, Value>;

/// One value and the way to it.
#[derive(Clone, Copy)]
pub(super) struct Spot<'a> {
    pub path: &'a KeyPath,
    pub node: &'a Node,
    /// Where its key is written.
    pub key: &'a Origin,
}

impl<'a> Walk<'a> {
    pub(super) fn new(composed: &'a Composed, patterns: &'a Patterns) -> Self {
        Self {
            composed,
            patterns,
            findings: Vec::new(),
            marks: Vec::new(),
            operations: Vec::new(),
            hidden: Hidden::default(),
            meant: Vec::new(),
        }
    }

    /// Whether there is no point in looking for more.
    pub(super) fn is_full(&self) -> bool {
        self.findings.len() >= MOST
    }

    /// Checks a value against its schema.
    pub(super) fn check(&mut self, spot: Spot<'_>, schema: &'a Value) {
        if spot.node.content == Content::Broken {
            // What is wrong with it was said when it was read, before anything could say what it is.
            if secrets::are_below(self.composed, schema) {
                self.hidden.add(&spot.node.origin);
            }
            return;
        }
        if self.is_full() {
            return;
        }
        let mut layers = Vec::new();
        if !self.flatten(spot, schema, &mut layers) {
            return;
        }
        let shape = Shape::new(layers);
        if shape.is_secret() {
            secrets::hide(spot.node, &mut self.hidden);
        }
        let Some(text) = scalar::fits(self, spot, &shape) else { return };
        if shape.all("x-operations").next().is_some() {
            self.operations.push(spot.path.clone());
        }
        match &spot.node.content {
            Content::List(items) => self.list(spot, items, &shape),
            Content::Map(entries) => keys::check(self, spot, entries, &shape),
            _ => scalar::check(self, spot, text, &shape),
        }
    }

    /// Collects everything that is said about a value: behind references, in all of `allOf` and in the fitting
    /// alternative of `anyOf` and `oneOf`. `false` if none fits; that is reported then.
    pub(super) fn flatten(&mut self, spot: Spot<'_>, schema: &'a Value, layers: &mut Vec<Layer<'a>>) -> bool {
        let Value::Object(map) = schema else {
            // `false` allows nothing. Nothing generates it; a person may write it by hand.
            if *schema == Value::Bool(false) {
                self.report(spot.path, &spot.node.origin, Weight::Kind, "nothing is allowed here", None);
            }
            return *schema != Value::Bool(false);
        };
        layers.push(map);
        let followed = self.composed.follow(schema);
        if !std::ptr::eq(followed, schema) && !self.flatten(spot, followed, layers) {
            return false;
        }
        for all in map.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            if !self.flatten(spot, all, layers) {
                return false;
            }
        }
        for keyword in ["anyOf", "oneOf"] {
            if let Some(alternatives) = map.get(keyword).and_then(Value::as_array) {
                match choice::choose(self, spot, alternatives) {
                    Some(chosen) if !self.flatten(spot, chosen, layers) => return false,
                    Some(_) => {}
                    None => return false,
                }
            }
        }
        true
    }

    fn list(&mut self, spot: Spot<'_>, items: &[Node], shape: &Shape<'a>) {
        let length = items.len() as u64;
        if let Some(least) = shape.number("minItems").filter(|least| length < *least) {
            let message = format!("the list is too short: {}", wording::items(length, "at least", least));
            self.report(spot.path, &spot.node.origin, Weight::Value, message, None);
        }
        if let Some(most) = shape.number("maxItems").filter(|most| length > *most) {
            let message = format!("the list is too long: {}", wording::items(length, "at most", most));
            self.report(spot.path, &spot.node.origin, Weight::Value, message, None);
        }
        if shape.all("uniqueItems").any(|unique| *unique == Value::Bool(true)) {
            self.unique(spot, items, shape);
        }
        let first: Vec<_> = shape.all("prefixItems").filter_map(Value::as_array).flatten().collect();
        for (index, item) in items.iter().enumerate() {
            let path = spot.path.index(index);
            match (first.get(index).copied(), shape.all("items").next()) {
                (Some(schema), _) | (None, Some(schema)) => {
                    self.check(Spot { path: &path, node: item, key: &item.origin }, schema);
                }
                (None, None) => {}
            }
        }
    }

    fn unique(&mut self, spot: Spot<'_>, items: &[Node], shape: &Shape<'a>) {
        let secret = secrets::are_in(self.composed, shape);
        for (index, item) in items.iter().enumerate() {
            let json = item.to_json();
            if items[..index].iter().any(|other| other.to_json() == json) {
                let shown = if secret { "this".to_owned() } else { wording::shown(item) };
                let message = format!("{shown} is there twice");
                self.report(
                    &spot.path.index(index),
                    &item.origin,
                    Weight::Value,
                    message,
                    Some("remove one of them".to_owned()),
                );
            }
        }
    }

    /// Tries an alternative without reporting anything.
    pub(super) fn trial(&self, spot: Spot<'_>, schema: &'a Value) -> Vec<Finding> {
        let mut trial = Walk::new(self.composed, self.patterns);
        trial.check(spot, schema);
        trial.findings
    }

    pub(super) fn report(
        &mut self,
        path: &KeyPath,
        origin: &Origin,
        weight: Weight,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        let problem = Problem::new(origin, path, message).helped(help);
        self.findings.push(Finding { weight, depth: path.steps().len(), problem });
    }
}
