//! From the tree that grew to the tree that is searched.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::draft::{Draft, DraftNode};
use super::expression::Expressions;
use super::methods::Arrival;
use super::radix::Marks;
use super::shape::{Pattern, Shape, Tail};
use super::template::Parameter;
use super::tree::{ArrivalsId, Lead, Number, Tree, Way};

/// Lays a draft out. What belongs to one template lies together, because numbers follow the draft.
pub(super) fn tree(draft: &Draft, expressions: Expressions) -> Tree {
    let mut layout = Layout { tree: Tree::default(), shapes: HashMap::new(), expressions };
    let marks = layout.marks(draft);
    // The text below the root comes first: a search begins there.
    let leads: Vec<_> = (0..draft.nodes.len()).map(|id| layout.lead(draft, id, &marks)).collect();
    for node in &draft.nodes {
        layout.ways(node, &leads);
    }
    layout.tree.expressions = layout.expressions.into_all();
    layout.tree
}

struct Layout<'d> {
    tree: Tree,
    shapes: HashMap<Taken<'d>, u32>,
    expressions: Expressions,
}

/// What a way takes, as it was declared.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Taken<'d> {
    Segment(&'d Parameter),
    Tail(Tail),
}

impl<'d> Layout<'d> {
    /// Says what arrives and begins at each node.
    fn marks(&mut self, draft: &Draft) -> Vec<Marks> {
        let mut ways = 0;
        let nodes = draft.nodes.iter().map(|node| {
            let begins = if node.has_more_than_text() { Number::new(ways) } else { None };
            ways += taken(node).count();
            Marks { arrives: self.arrivals(node), begins }
        });
        nodes.collect()
    }

    fn arrivals(&mut self, node: &DraftNode) -> Option<ArrivalsId> {
        let start = self.tree.arrivals.len();
        let counts = (1..=node.arrivals.len() as u16).rev();
        let arrivals = node.arrivals.iter().zip(counts);
        self.tree.arrivals.extend(arrivals.map(|((method, target), count)| Arrival {
            count,
            method: *method,
            target: *target,
        }));
        if node.arrivals.is_empty() { None } else { Number::new(start) }
    }

    /// Where a way to this node leads, if there can be one.
    fn lead(&mut self, draft: &Draft, id: usize, marks: &[Marks]) -> Option<Lead> {
        let node = &draft.nodes[id];
        if !node.is_captured {
            return None;
        }
        if node.goes_on() || id == 0 {
            return Some(Lead::Text(self.tree.radix.add(draft, id, marks)));
        }
        marks[id].arrives.map(Lead::End)
    }

    fn ways(&mut self, node: &'d DraftNode, leads: &[Option<Lead>]) {
        for (taken, child) in taken(node) {
            let shape = self.shape(taken);
            self.tree.ways.extend(leads[child].map(|lead| Way::new(shape, lead)));
        }
        if let Some(last) = self.tree.ways.last_mut().filter(|_| node.has_more_than_text()) {
            *last = last.last();
        }
    }

    fn shape(&mut self, taken: Taken<'d>) -> u32 {
        let (shapes, expressions) = (&mut self.tree.shapes, &self.expressions);
        *self.shapes.entry(taken).or_insert_with(|| {
            shapes.push(match taken {
                Taken::Segment(parameter) => Shape::Segment(Pattern::new(parameter, expressions)),
                Taken::Tail(tail) => Shape::Tail(tail),
            });
            shapes.len() as u32 - 1
        })
    }
}

/// What the ways of a place take and the nodes they lead to, in order of precedence.
fn taken(node: &DraftNode) -> impl Iterator<Item = (Taken<'_>, usize)> {
    let segments = node.parameters().into_iter().map(|(parameter, child)| (Taken::Segment(parameter), child));
    let tails = node
        .tails
        .iter()
        .map(|((Reverse(after), captured), child)| (Taken::Tail(Tail { after: *after, captured: *captured }), *child));
    segments.chain(tails)
}
