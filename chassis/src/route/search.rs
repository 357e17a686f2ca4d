//! One search of a tree for one path.
//!
//! The work is bounded by the tree, not by the path: a node is entered over one way only, and only with the one part
//! of the path that its depth (or, below a tail, its distance to the end) assigns to it. So no set of templates and
//! no path makes a search enter a node twice, and its depth is that of the deepest template.

use std::ops::Range;

use super::TrailingSlash;
use super::draft::Captured;
use super::escape::{Raw, Spelling};
use super::methods::Arrival;
use super::tree::{NodeId, Tail, Tree};
use crate::invocation::Params;

/// A path that can be searched for.
#[derive(Clone, Copy)]
pub(super) struct Path<'p> {
    raw: &'p [u8],
    // Where the segments end: before an insignificant slash.
    end: usize,
    escaped: bool,
}

/// Why a path leads nowhere in any tree.
pub(super) enum Unsearchable {
    Malformed,
    Relative,
}

impl<'p> Path<'p> {
    pub(super) fn parse(path: &'p str, trailing_slash: TrailingSlash) -> Result<Self, Unsearchable> {
        let raw = path.as_bytes();
        let escaped = match Spelling::of(raw) {
            Spelling::Plain => false,
            Spelling::Escaped => true,
            Spelling::Malformed => return Err(Unsearchable::Malformed),
        };
        let end = match raw {
            [b'/'] => 1,
            // A doubled slash is no trailing slash: `//` is an empty segment.
            [b'/', .., last, b'/'] if trailing_slash == TrailingSlash::Ignore && *last != b'/' => raw.len() - 1,
            [b'/', ..] => raw.len(),
            _ => return Err(Unsearchable::Relative),
        };
        Ok(Self { raw, end, escaped })
    }

    /// Where the first segment begins: after the end if there is none.
    fn start(self) -> usize {
        if self.end == 1 { 2 } else { 1 }
    }

    fn segment(self, at: usize) -> Range<usize> {
        let rest = &self.raw[at..self.end];
        at..at + rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len())
    }

    fn text(self, range: Range<usize>) -> Raw<'p> {
        Raw { bytes: &self.raw[range], escaped: self.escaped }
    }

    /// What a tail that begins at `at` takes, if as many segments are to follow it.
    fn tail(self, at: usize, after: usize) -> Option<Range<usize>> {
        let mut end = self.end;
        for _ in 0..after {
            end = self.raw[at..end].iter().rposition(|byte| *byte == b'/')? + at;
        }
        let value = &self.raw[at..end];
        // A value that began with a slash would be an absolute path to whoever joins it to a directory.
        let is_empty = value.first().is_none_or(|byte| *byte == b'/');
        // What is empty is so because of a trailing slash that counts.
        (!is_empty || (after == 0 && value.is_empty())).then_some(at..end)
    }
}

pub(super) struct Search<'t, 'p> {
    tree: &'t Tree,
    path: Path<'p>,
    params: Params,
    // Whether the path ended where a tail would begin: what is below that tail is not for those above it.
    ended_at_tail: bool,
}

impl<'t, 'p> Search<'t, 'p> {
    pub(super) fn new(tree: &'t Tree, path: Path<'p>) -> Self {
        Self { tree, path, params: Params::default(), ended_at_tail: false }
    }

    /// Shows the ends of all templates that fit, in order of precedence, until one is accepted; what was captured on
    /// the way to that one is the result.
    pub(super) fn run(mut self, mut accept: impl FnMut(&'t [Arrival]) -> bool) -> Option<Params> {
        self.walk(0, self.path.start(), &mut accept).then_some(self.params)
    }

    fn walk(&mut self, node: NodeId, at: usize, accept: &mut impl FnMut(&'t [Arrival]) -> bool) -> bool {
        let (tree, path) = (self.tree, self.path);
        if at > path.end {
            return self.arrive(node, accept);
        }
        let range = path.segment(at);
        let segment = path.text(range.clone());
        if let Some(child) = tree.statics(node, segment)
            && self.walk(child, range.end + 1, accept)
        {
            return true;
        }
        let known = self.params.len();
        for pattern in tree.patterns(node) {
            if let Some(value) = pattern.value(segment) {
                self.capture(pattern.captured, at + value.start..at + value.end);
                if self.walk(pattern.child, range.end + 1, accept) {
                    return true;
                }
                self.params.truncate(known);
            }
        }
        tree.tails(node).iter().any(|tail| self.follow(tail, at, accept))
    }

    fn follow(&mut self, tail: &Tail, at: usize, accept: &mut impl FnMut(&'t [Arrival]) -> bool) -> bool {
        if self.ended_at_tail && tail.after == 0 {
            return false;
        }
        let Some(value) = self.path.tail(at, tail.after) else {
            return false;
        };
        let (known, next) = (self.params.len(), value.end + 1);
        self.capture(tail.captured, value);
        if self.walk(tail.child, next, accept) {
            return true;
        }
        self.params.truncate(known);
        false
    }

    /// The path has ended. A tail may still be empty, if a slash stands where it would begin.
    fn arrive(&mut self, node: NodeId, accept: &mut impl FnMut(&'t [Arrival]) -> bool) -> bool {
        let arrivals = self.tree.arrivals(node);
        if !arrivals.is_empty() && accept(arrivals) {
            return true;
        }
        let length = self.path.raw.len();
        for tail in self.tree.tails(node).iter().filter(|tail| tail.after == 0) {
            if self.path.end == length {
                self.ended_at_tail = true;
                break;
            }
            let known = self.params.len();
            self.capture(tail.captured, length..length);
            if accept(self.tree.arrivals(tail.child)) {
                return true;
            }
            self.params.truncate(known);
        }
        false
    }

    fn capture(&mut self, captured: Captured, value: Range<usize>) {
        if captured == Captured::Yes {
            self.params.push(value);
        }
    }
}
