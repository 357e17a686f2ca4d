//! The tree of templates as calls search it: immutable, in a few flat vectors.
//!
//! It has two levels. Text is a [`Radix`] tree of bytes. Where a segment may be captured there is a stop; one that is
//! reached over a capture has a tree of text of its own. What a search touches is kept small, because with thousands
//! of routes it is memory that costs time.

use std::num::NonZeroU32;

use super::draft::Captured;
use super::expression::Expression;
use super::methods::Arrival;
use super::radix::{NodeId, Radix};
use super::shape::Shape;

#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) radix: Radix,
    pub(super) stops: Vec<Stop>,
    pub(super) patterns: Vec<Pattern>,
    pub(super) shapes: Vec<Shape>,
    pub(super) expressions: Vec<Expression>,
    pub(super) tails: Vec<Tail>,
    pub(super) arrivals: Vec<Arrival>,
}

/// Where a way leads.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lead {
    /// To where more can follow.
    Stop(StopId),
    /// To where nothing can follow, and this arrives.
    End(ArrivalsId),
}

/// The same in four bytes, with room for none: one more than the number of a stop, with the highest bit for an end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packed(NonZeroU32);

/// The number of a stop.
pub(super) type StopId = u32;

/// Where some arrivals begin.
pub(super) type ArrivalsId = u32;

/// The beginning of some templates.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stop {
    /// What follows as text, if this is reached over a capture.
    pub(super) text: NodeId,
    /// What arrives here.
    pub(super) arrivals: Option<ArrivalsId>,
    pub(super) patterns: Span,
    pub(super) tails: Span,
}

/// A range of one of the vectors.
pub(super) type Span = (u32, u32);

/// A segment of which some is captured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pattern {
    pub(super) shape: u32,
    pub(super) leads: Packed,
}

/// One or more segments that are captured together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tail {
    /// How many segments follow.
    pub(super) after: usize,
    pub(super) captured: Captured,
    pub(super) leads: Packed,
}

const END: u32 = 1 << 31;

impl Packed {
    pub(super) fn new(lead: Lead) -> Option<Self> {
        let number = match lead {
            Lead::Stop(id) => id + 1,
            Lead::End(id) => (id + 1) | END,
        };
        NonZeroU32::new(number).map(Self)
    }

    #[inline]
    pub(super) fn lead(self) -> Lead {
        let number = self.0.get();
        if number & END == 0 { Lead::Stop(number - 1) } else { Lead::End((number & !END) - 1) }
    }
}

impl Tree {
    #[inline]
    pub(super) fn stop(&self, id: StopId) -> Option<&Stop> {
        self.stops.get(id as usize)
    }

    #[inline]
    pub(super) fn patterns(&self, stop: &Stop) -> &[Pattern] {
        slice(&self.patterns, stop.patterns)
    }

    #[inline]
    pub(super) fn tails(&self, stop: &Stop) -> &[Tail] {
        slice(&self.tails, stop.tails)
    }

    #[inline]
    pub(super) fn arrivals(&self, id: ArrivalsId) -> &[Arrival] {
        let rest = self.arrivals.get(id as usize..).unwrap_or_default();
        rest.split_at_checked(rest.first().map_or(0, |first| usize::from(first.count))).map_or(rest, |(these, _)| these)
    }

    #[inline]
    pub(super) fn shape(&self, pattern: Pattern) -> Option<&Shape> {
        self.shapes.get(pattern.shape as usize)
    }

    #[inline]
    pub(super) fn expressions(&self) -> &[Expression] {
        &self.expressions
    }
}

#[inline]
fn slice<T>(all: &[T], (start, end): Span) -> &[T] {
    all.get(start as usize..end as usize).unwrap_or_default()
}
