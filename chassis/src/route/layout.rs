//! From the tree that grew to the tree that is searched.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::draft::{Draft, DraftNode};
use super::expression::Expressions;
use super::methods::Arrival;
use super::radix::NodeId;
use super::shape::Shape;
use super::template::Parameter;
use super::tree::{ArrivalsId, Lead, Packed, Pattern, Span, Stop, StopId, Tail, Tree};

/// Lays a draft out.
pub(super) fn tree(draft: &Draft, expressions: Expressions) -> Tree {
    let mut layout = Layout { tree: Tree::default(), leads: Vec::new(), shapes: HashMap::new(), expressions };
    let arrivals = layout.number(draft);
    // The text below the root comes first: a search begins there.
    let root = layout.tree.radix.add(draft, 0, &layout.leads);
    for (id, (node, arrivals)) in draft.nodes.iter().zip(arrivals).enumerate().filter(|(_, (node, _))| node.is_stop()) {
        let text = if id == 0 { root } else { layout.tree.radix.add(draft, id, &layout.leads) };
        layout.add(node, text, arrivals);
    }
    layout.tree.expressions = layout.expressions.into_all();
    layout.tree
}

struct Layout<'d> {
    tree: Tree,
    // Where each node of the draft leads; `None` if nothing is captured after it and nothing ends there.
    leads: Vec<Option<Packed>>,
    shapes: HashMap<&'d Parameter, u32>,
    expressions: Expressions,
}

impl<'d> Layout<'d> {
    /// Says where each node leads. Numbers follow the draft, so that what belongs to one template lies together.
    fn number(&mut self, draft: &Draft) -> Vec<Option<ArrivalsId>> {
        let arrivals: Vec<_> = draft.nodes.iter().map(|node| self.arrivals(node)).collect();
        let mut stops: StopId = 0;
        for (node, arrivals) in draft.nodes.iter().zip(&arrivals) {
            let lead = if node.is_stop() {
                stops += 1;
                Some(Lead::Stop(stops - 1))
            } else {
                arrivals.map(Lead::End)
            };
            self.leads.push(lead.and_then(Packed::new));
        }
        arrivals
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
        (!node.arrivals.is_empty()).then_some(start as ArrivalsId)
    }

    fn add(&mut self, node: &'d DraftNode, text: NodeId, arrivals: Option<ArrivalsId>) {
        let patterns = self.patterns(node);
        let start = self.tree.tails.len() as u32;
        for ((Reverse(after), captured), child) in &node.tails {
            let tail = |leads| Tail { after: *after, captured: *captured, leads };
            self.tree.tails.extend(self.leads[*child].map(tail));
        }
        let tails = (start, self.tree.tails.len() as u32);
        self.tree.stops.push(Stop { text, arrivals, patterns, tails });
    }

    fn patterns(&mut self, node: &'d DraftNode) -> Span {
        let start = self.tree.patterns.len() as u32;
        for (parameter, child) in node.parameters() {
            let shape = *self.shapes.entry(parameter).or_insert_with(|| {
                self.tree.shapes.push(Shape::new(parameter, &self.expressions));
                self.tree.shapes.len() as u32 - 1
            });
            self.tree.patterns.extend(self.leads[child].map(|leads| Pattern { shape, leads }));
        }
        (start, self.tree.patterns.len() as u32)
    }
}
