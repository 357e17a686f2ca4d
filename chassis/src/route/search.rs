//! One search of a tree for one path.
//!
//! The work is bounded by the tree, not by the path: a stop is entered over one way only, and only with the one part
//! of the path that its depth (or, below a tail, its distance to the end) assigns to it. So no set of templates and
//! no path makes a search enter a stop twice, and its depth is that of the deepest template.

use std::ops::Range;

use super::draft::Captured;
use super::methods::Arrival;
use super::path::Path;
use super::radix::{Node, NodeId};
use super::tree::{Lead, Packed, Stop, StopId, Tail, Tree};
use crate::invocation::Params;

/// A search. `accept` is shown the ends of all templates that fit, in order of precedence, until it accepts one.
pub(super) struct Search<'t, 'p, A> {
    tree: &'t Tree,
    path: Path<'p>,
    accept: A,
    params: Params,
    // Whether the path ended where a tail would begin: what is below that tail is not for those above it.
    ended_at_tail: bool,
}

impl<'t, 'p, A: FnMut(&'t [Arrival]) -> bool> Search<'t, 'p, A> {
    pub(super) fn new(tree: &'t Tree, path: Path<'p>, accept: A) -> Self {
        Self { tree, path, accept, params: Params::default(), ended_at_tail: false }
    }

    /// What was captured on the way to the end that was accepted, if one was.
    #[inline]
    pub(super) fn run(mut self) -> Option<Params> {
        self.walk(0, self.path.from(0)).then_some(self.params)
    }

    /// Searches below some text for the rest of the path.
    fn walk(&mut self, mut id: NodeId, mut rest: &'p [u8]) -> bool {
        let radix = &self.tree.radix;
        while let Some(node) = radix.node(id) {
            let Some(stripped) = radix.strip(node, rest) else { return false };
            rest = stripped;
            let Some(next) = rest.first() else { return self.end(node) };
            let child = radix.child(node, *next);
            if let Some(begins) = node.begins {
                return child.is_some_and(|child| self.walk(child, rest)) || self.begin(begins, rest);
            }
            let Some(child) = child else { return false };
            id = child;
        }
        false
    }

    /// The path ends where the text of this node does.
    fn end(&mut self, node: &Node) -> bool {
        let tails = node.begins.filter(|_| self.path.len() > 1);
        // Those begin after a slash that counts; the path `/` has none, it is one.
        node.arrives.is_some_and(|lead| self.arrive(lead)) || tails.is_some_and(|lead| self.begin(lead, &[]))
    }

    /// A segment begins that may be captured.
    fn begin(&mut self, lead: Packed, rest: &'p [u8]) -> bool {
        let tree = self.tree;
        let Lead::Stop(id) = lead.lead() else { return false };
        let Some(stop) = tree.stop(id) else { return false };
        let at = self.path.len() - rest.len();
        self.patterns(stop, at) || tree.tails(stop).iter().any(|tail| self.tail(tail, at))
    }

    #[inline]
    fn patterns(&mut self, stop: &Stop, at: usize) -> bool {
        let tree = self.tree;
        let segment = self.path.segment(at);
        if segment.is_dots() {
            return false;
        }
        for pattern in tree.patterns(stop) {
            let Some(shape) = tree.shape(*pattern) else { continue };
            let Some(value) = shape.value(&segment, self.path.is_escaped(), tree.expressions()) else { continue };
            if !self.path.is_whole(value.end) {
                continue;
            }
            if self.through(shape.captured, value, pattern.leads, at + segment.text.len()) {
                return true;
            }
        }
        false
    }

    fn tail(&mut self, tail: &Tail, at: usize) -> bool {
        if self.ended_at_tail && tail.after == 0 {
            return false;
        }
        let Some(value) = self.path.tail(at, tail.after) else { return false };
        let end = value.end;
        self.through(tail.captured, value, tail.leads, end)
    }

    /// Captures a value and goes on behind it; forgets it if that leads nowhere.
    #[inline]
    fn through(&mut self, captured: Captured, value: Range<usize>, lead: Packed, end: usize) -> bool {
        let known = self.params.len();
        if captured == Captured::Yes {
            self.params.push(self.path.origin(value));
        }
        let rest = self.path.from(end);
        let leads = if rest.is_empty() { self.arrive(lead) } else { self.go_on(lead, rest) };
        if !leads {
            self.params.truncate(known);
        }
        leads
    }

    fn go_on(&mut self, lead: Packed, rest: &'p [u8]) -> bool {
        match lead.lead() {
            Lead::Stop(id) => self.tree.stop(id).is_some_and(|stop| self.walk(stop.text, rest)),
            Lead::End(_) => false,
        }
    }

    /// The path has ended.
    #[inline]
    fn arrive(&mut self, lead: Packed) -> bool {
        match lead.lead() {
            Lead::End(arrivals) => (self.accept)(self.tree.arrivals(arrivals)),
            Lead::Stop(id) => self.arrive_at(id),
        }
    }

    /// A tail may still be empty, if a slash stands where it would begin.
    fn arrive_at(&mut self, id: StopId) -> bool {
        let tree = self.tree;
        let Some(stop) = tree.stop(id) else { return false };
        if stop.arrivals.is_some_and(|arrivals| (self.accept)(tree.arrivals(arrivals))) {
            return true;
        }
        for tail in tree.tails(stop).iter().filter(|tail| tail.after == 0) {
            let Some(end) = self.path.extra_slash() else {
                self.ended_at_tail = true;
                break;
            };
            if self.through(tail.captured, end..end, tail.leads, end) {
                return true;
            }
        }
        false
    }
}
