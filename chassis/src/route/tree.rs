//! The tree of templates as calls search it: immutable, in a few flat vectors.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::draft::{Captured, Draft};
use super::escape::Raw;
use super::expression::Expression;
use super::methods::Arrival;
use super::statics::Statics;
use super::template::Parameter;

/// The number of a node; 0 is the root.
pub(super) type NodeId = u32;

#[derive(Debug, Default)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    statics: Statics,
    patterns: Vec<Pattern>,
    tails: Vec<Tail>,
    arrivals: Vec<Arrival>,
}

#[derive(Debug, Default)]
struct Node {
    statics: Span,
    patterns: Span,
    tails: Span,
    arrivals: Span,
}

/// A range of one of the vectors.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Span {
    pub(super) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A segment that is captured, or the middle of one.
#[derive(Debug)]
pub(super) struct Pattern {
    prefix: Box<[u8]>,
    suffix: Box<[u8]>,
    expression: Option<Arc<Expression>>,
    pub(super) captured: Captured,
    pub(super) child: NodeId,
}

/// One or more segments that are captured together.
#[derive(Debug)]
pub(super) struct Tail {
    /// How many segments follow.
    pub(super) after: usize,
    pub(super) captured: Captured,
    pub(super) child: NodeId,
}

impl Pattern {
    /// The value in a segment that fits.
    pub(super) fn value(&self, segment: Raw<'_>) -> Option<Range<usize>> {
        let value = segment.between(&self.prefix, &self.suffix)?;
        match &self.expression {
            Some(expression) if !expression.matches(segment.part(value.clone())) => None,
            _ => Some(value),
        }
    }
}

impl Tree {
    pub(super) fn statics(&self, node: NodeId, segment: Raw<'_>) -> Option<NodeId> {
        self.statics.child(node, self.nodes[node as usize].statics, segment)
    }

    pub(super) fn patterns(&self, node: NodeId) -> &[Pattern] {
        &self.patterns[self.nodes[node as usize].patterns.range()]
    }

    pub(super) fn tails(&self, node: NodeId) -> &[Tail] {
        &self.tails[self.nodes[node as usize].tails.range()]
    }

    pub(super) fn arrivals(&self, node: NodeId) -> &[Arrival] {
        &self.arrivals[self.nodes[node as usize].arrivals.range()]
    }

    /// Lays a draft out; nodes keep their numbers, so that those of one template lie close together.
    pub(super) fn build(draft: &Draft, expressions: &HashMap<String, Arc<Expression>>) -> Self {
        let mut tree = Self::default();
        for node in &draft.nodes {
            let statics = tree.statics.add(&node.statics);
            let patterns =
                node.parameters().into_iter().map(|(parameter, child)| pattern(parameter, child, expressions));
            let tails = node.tails.iter().map(|(key, child)| Tail::new(*key, *child));
            let node = Node {
                statics,
                patterns: append(&mut tree.patterns, patterns),
                tails: append(&mut tree.tails, tails),
                arrivals: append(&mut tree.arrivals, node.arrivals.iter().copied()),
            };
            tree.nodes.push(node);
        }
        tree.statics.index();
        tree
    }
}

impl Tail {
    fn new((Reverse(after), captured): (Reverse<usize>, Captured), child: usize) -> Self {
        Self { after, captured, child: child as NodeId }
    }
}

fn pattern(parameter: &Parameter, child: usize, expressions: &HashMap<String, Arc<Expression>>) -> Pattern {
    Pattern {
        prefix: parameter.prefix.clone().into(),
        suffix: parameter.suffix.clone().into(),
        expression: parameter.expression.as_ref().and_then(|text| expressions.get(text)).cloned(),
        captured: if parameter.name.is_some() { Captured::Yes } else { Captured::No },
        child: child as NodeId,
    }
}

fn append<T>(all: &mut Vec<T>, more: impl Iterator<Item = T>) -> Span {
    let start = all.len() as u32;
    all.extend(more);
    Span { start, end: all.len() as u32 }
}
