//! One search of a tree for one path.
//!
//! The work is bounded by the tree, not by the path: a node is entered over one way only, and only with the one part
//! of the path that its depth (or, below a tail, its distance to the end) assigns to it. So no set of templates and
//! no path makes a search enter a node twice, and its depth is that of the deepest template.

use std::ops::Range;

use super::draft::Captured;
use super::methods::Arrival;
use super::path::{Path, Segment};
use super::radix::{Node, NodeId};
use super::shape::{Pattern, Shape, Tail};
use super::tree::{Lead, Tree, Way, WaysId};
use crate::invocation::Params;

/// A search. `accept` is shown the ends of all templates that fit, in order of precedence, until it accepts one.
pub(super) struct Search<'t, 's, A> {
    tree: &'t Tree,
    path: &'s Path<'s>,
    accept: A,
    // What is captured on the way. They are written where they are wanted: to move them costs more than to find them.
    params: &'s mut Params,
    // Whether the path ended where a tail would begin: what is below that tail is not for those above it.
    ended_at_tail: bool,
}

impl<'t, 's, A: FnMut(&'t [Arrival]) -> bool> Search<'t, 's, A> {
    #[inline]
    pub(super) fn new(tree: &'t Tree, path: &'s Path<'s>, params: &'s mut Params, accept: A) -> Self {
        Self { tree, path, accept, params, ended_at_tail: false }
    }

    /// Whether an end was accepted. What was captured on the way to it is in the parameters then.
    #[inline]
    pub(super) fn run(mut self) -> bool {
        self.walk(0, 0)
    }

    /// Searches below some text for what follows this place of the path.
    fn walk(&mut self, mut id: NodeId, mut at: usize) -> bool {
        let radix = &self.tree.radix;
        while let Some(node) = radix.node(id) {
            if !radix.fits(node, self.path, at) {
                return false;
            }
            at += node.len();
            let Some(next) = self.path.byte(at) else { return self.end(node, at) };
            let child = radix.child(node, next);
            if let Some(begins) = node.begins {
                return child.is_some_and(|child| self.walk(child, at)) || self.begin(begins, at);
            }
            let Some(child) = child else { return false };
            id = child;
        }
        false
    }

    /// A segment begins that may be captured.
    fn begin(&mut self, ways: WaysId, at: usize) -> bool {
        let segment = self.path.segment(at);
        for way in self.tree.ways(ways) {
            let goes = match self.tree.shape(*way) {
                Some(Shape::Segment(pattern)) => self.segment(pattern, &segment, *way),
                Some(Shape::Tail(tail)) => self.tail(*tail, at, *way),
                None => false,
            };
            if goes || way.is_last() {
                return goes;
            }
        }
        false
    }

    #[inline]
    fn segment(&mut self, pattern: &Pattern, segment: &Segment, way: Way) -> bool {
        let Some(value) = pattern.value(segment, self.path, &self.tree.expressions) else { return false };
        !segment.is_dots() && self.through(pattern.captured, value, way, segment.end)
    }

    fn tail(&mut self, tail: Tail, at: usize, way: Way) -> bool {
        if self.ended_at_tail && tail.after == 0 {
            return false;
        }
        let Some(value) = self.path.tail(at, tail.after) else { return false };
        let end = value.end;
        self.through(tail.captured, value, way, end)
    }

    /// Captures a value and goes on behind it; forgets it if that leads nowhere.
    #[inline]
    fn through(&mut self, captured: Captured, value: Range<usize>, way: Way, end: usize) -> bool {
        let known = self.params.len();
        if captured == Captured::Yes {
            self.params.push(self.path.origin(value));
        }
        let leads = match way.lead() {
            Lead::Text(node) => self.walk(node, end),
            Lead::End(arrivals) => end >= self.path.len() && (self.accept)(self.tree.arrivals(arrivals)),
        };
        if !leads {
            self.params.truncate(known);
        }
        leads
    }

    /// The path ends where the text of this node does.
    #[inline]
    fn end(&mut self, node: &'t Node, at: usize) -> bool {
        let tree = self.tree;
        node.arrives.is_some_and(|arrivals| (self.accept)(tree.arrivals(arrivals))) || self.end_at_tail(node, at)
    }

    /// What else a path may be that ends here.
    #[inline(never)]
    fn end_at_tail(&mut self, node: &'t Node, at: usize) -> bool {
        let radix = &self.tree.radix;
        let after_slash = radix.child(node, b'/').and_then(|slash| radix.node(slash)?.begins);
        // Those of this place begin after a slash that counts; the path `/` has none, it is one.
        after_slash.is_some_and(|ways| self.end_before(ways))
            || node.begins.filter(|_| self.path.len() > 1).is_some_and(|ways| self.begin(ways, at))
    }

    /// A tail may be empty, if a slash that does not count stands where it would begin.
    fn end_before(&mut self, ways: WaysId) -> bool {
        for way in self.tree.ways(ways) {
            if let Some(Shape::Tail(Tail { after: 0, captured })) = self.tree.shape(*way) {
                let Some(end) = self.path.extra_slash() else {
                    self.ended_at_tail = true;
                    return false;
                };
                if self.through(*captured, end..end, *way, end) {
                    return true;
                }
            }
            if way.is_last() {
                return false;
            }
        }
        false
    }
}
