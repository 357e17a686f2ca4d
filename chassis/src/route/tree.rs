//! The tree of templates as calls search it: immutable, in a few flat vectors.
//!
//! It has two levels. Text is a [`Radix`] tree of bytes. Where a segment may be captured there are ways; each leads to
//! a tree of text of its own, or to its end. What a search touches is kept small and together, because with thousands
//! of routes it is memory that costs time.

use std::num::NonZeroU32;

use super::expression::Expression;
use super::methods::Arrival;
use super::radix::{NodeId, Radix};
use super::shape::Shape;

#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) radix: Radix,
    pub(super) ways: Vec<Way>,
    pub(super) shapes: Vec<Shape>,
    pub(super) expressions: Vec<Expression>,
    pub(super) arrivals: Vec<Arrival>,
}

/// Where some arrivals begin.
pub(super) type ArrivalsId = Number;

/// Where the ways of one place begin.
pub(super) type WaysId = Number;

/// A place in a vector, plus one: so that none at all takes no room.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number(NonZeroU32);

/// A segment of which some is captured, or several, and what follows. Those of one place lie in order of precedence.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    // The highest bit says that it is the last of its place.
    shape: u32,
    // The highest bit says that nothing can follow.
    leads: u32,
}

/// Where a way leads.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lead {
    /// To text; it is empty if the path may end here.
    Text(NodeId),
    /// To where nothing can follow, and this arrives.
    End(ArrivalsId),
}

const MARK: u32 = 1 << 31;

impl Number {
    pub(super) fn new(at: usize) -> Option<Self> {
        u32::try_from(at).ok().and_then(|at| NonZeroU32::new(at + 1)).map(Self)
    }

    #[inline]
    fn at(self) -> usize {
        self.0.get() as usize - 1
    }
}

impl Way {
    pub(super) fn new(shape: u32, lead: Lead) -> Self {
        let leads = match lead {
            Lead::Text(node) => node,
            Lead::End(arrivals) => arrivals.0.get() | MARK,
        };
        Self { shape, leads }
    }

    /// The same as the last one of its place.
    pub(super) fn last(self) -> Self {
        Self { shape: self.shape | MARK, ..self }
    }

    #[inline]
    pub(super) fn is_last(self) -> bool {
        self.shape & MARK != 0
    }

    #[inline]
    pub(super) fn lead(self) -> Lead {
        match NonZeroU32::new(self.leads & !MARK) {
            Some(arrivals) if self.leads & MARK != 0 => Lead::End(Number(arrivals)),
            _ => Lead::Text(self.leads),
        }
    }
}

impl Tree {
    /// The ways of a place, and then those of others.
    #[inline]
    pub(super) fn ways(&self, id: WaysId) -> &[Way] {
        self.ways.get(id.at()..).unwrap_or_default()
    }

    #[inline]
    pub(super) fn shape(&self, way: Way) -> Option<&Shape> {
        self.shapes.get((way.shape & !MARK) as usize)
    }

    #[inline]
    pub(super) fn arrivals(&self, id: ArrivalsId) -> &[Arrival] {
        let rest = self.arrivals.get(id.at()..).unwrap_or_default();
        rest.split_at_checked(rest.first().map_or(0, |first| usize::from(first.count))).map_or(rest, |(these, _)| these)
    }
}
