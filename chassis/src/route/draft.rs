//! The tree of templates while routes are added to it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use super::methods::MethodId;
use super::template::{Parameter, Segment};

/// A tree that grows. Node 0 is the root.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) nodes: Vec<DraftNode>,
}

/// What may follow a beginning of some templates.
#[derive(Debug, Default)]
pub(super) struct DraftNode {
    /// The text of a segment, and the node it leads to.
    pub(super) statics: BTreeMap<Vec<u8>, usize>,
    parameters: HashMap<Parameter, usize>,
    /// By how many segments follow the tail: the more, the sooner it is tried.
    pub(super) tails: BTreeMap<(Reverse<usize>, Captured), usize>,
    /// The methods and targets of the templates that end here.
    pub(super) arrivals: Vec<(MethodId, u32)>,
    /// Whether it follows a segment that is captured, or nothing.
    pub(super) is_captured: bool,
}

/// Whether the value is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Captured {
    Yes,
    No,
}

impl From<&Option<String>> for Captured {
    /// A value without a name is not kept.
    fn from(name: &Option<String>) -> Self {
        if name.is_some() { Self::Yes } else { Self::No }
    }
}

impl Default for Draft {
    fn default() -> Self {
        Self { nodes: vec![DraftNode { is_captured: true, ..DraftNode::default() }] }
    }
}

impl Draft {
    /// Adds a template; what arrives at its end is for the caller to say.
    pub(super) fn add(&mut self, segments: &[Segment]) -> &mut Vec<(MethodId, u32)> {
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
            Segment::Tail(name) => *node.tails.entry((Reverse(after), Captured::from(name))).or_insert(new),
        };
        if child == new {
            let is_captured = !matches!(segment, Segment::Static(_));
            self.nodes.push(DraftNode { is_captured, ..DraftNode::default() });
        }
        child
    }
}

impl DraftNode {
    /// Whether a segment may follow that is captured.
    pub(super) fn has_more_than_text(&self) -> bool {
        !(self.parameters.is_empty() && self.tails.is_empty())
    }

    /// Whether a segment may follow.
    pub(super) fn goes_on(&self) -> bool {
        self.has_more_than_text() || !self.statics.is_empty()
    }

    /// Whether a path may end here; where a tail would begin it may, if only to find that out.
    pub(super) fn may_end_here(&self) -> bool {
        !(self.arrivals.is_empty() && self.tails.is_empty())
    }

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
