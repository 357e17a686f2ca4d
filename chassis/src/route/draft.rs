//! The tree of templates while routes are added to it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use super::methods::Arrival;
use super::template::{Parameter, Segment};

/// A tree that grows. Node 0 is the root.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) nodes: Vec<DraftNode>,
}

/// What may follow a beginning of some templates.
#[derive(Debug, Default)]
pub(super) struct DraftNode {
    pub(super) statics: BTreeMap<Vec<u8>, usize>,
    parameters: HashMap<Parameter, usize>,
    /// By how many segments follow the tail: the more, the sooner it is tried.
    pub(super) tails: BTreeMap<(Reverse<usize>, Captured), usize>,
    pub(super) arrivals: Vec<Arrival>,
}

/// Whether the value is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Captured {
    Yes,
    No,
}

impl Default for Draft {
    fn default() -> Self {
        Self { nodes: vec![DraftNode::default()] }
    }
}

impl Draft {
    /// Adds a template; what arrives at its end is for the caller to say.
    pub(super) fn add(&mut self, segments: &[Segment]) -> &mut Vec<Arrival> {
        let mut at = 0;
        for (index, segment) in segments.iter().enumerate() {
            at = self.child(at, segment, segments.len() - index - 1);
        }
        &mut self.nodes[at].arrivals
    }

    fn child(&mut self, at: usize, segment: &Segment, after: usize) -> usize {
        let new = self.nodes.len();
        let node = &mut self.nodes[at];
        let child = match segment {
            Segment::Static(text) => *node.statics.entry(text.clone()).or_insert(new),
            Segment::Parameter(parameter) => *node.parameters.entry(anonymous(parameter)).or_insert(new),
            Segment::Tail(name) => {
                let captured = if name.is_some() { Captured::Yes } else { Captured::No };
                *node.tails.entry((Reverse(after), captured)).or_insert(new)
            }
        };
        if child == new {
            self.nodes.push(DraftNode::default());
        }
        child
    }
}

impl DraftNode {
    /// The parameters in the order they are tried: the longest affix first, of the same length the longer prefix, of
    /// the same affix an expression before none, then the one that was declared first.
    pub(super) fn parameters(&self) -> Vec<(&Parameter, usize)> {
        let mut sorted: Vec<_> = self.parameters.iter().map(|(parameter, child)| (parameter, *child)).collect();
        sorted.sort_by_key(|(parameter, child)| {
            let Parameter { prefix, suffix, expression, .. } = parameter;
            // Children are numbered in declared order.
            (Reverse(prefix.len() + suffix.len()), Reverse(prefix.len()), expression.is_none(), *child)
        });
        sorted
    }
}

/// The same parameter under no particular name: routes that differ in names only share a node.
fn anonymous(parameter: &Parameter) -> Parameter {
    Parameter { name: parameter.name.as_ref().map(|_| String::new()), ..parameter.clone() }
}
