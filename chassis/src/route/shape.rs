//! What a way takes of a path: a segment with a parameter in it, or a tail.

use std::ops::Range;

use super::draft::Captured;
use super::expression::{Expression, Expressions};
use super::path::{Path, Segment};
use super::template::Parameter;
use super::word::{last_word, mask, word};

/// What a way takes.
#[derive(Debug)]
pub(super) enum Shape {
    Segment(Pattern),
    Tail(Tail),
}

/// One or more segments that are captured together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Tail {
    /// How many segments follow.
    pub(super) after: usize,
    pub(super) captured: Captured,
}

/// What a segment with a parameter looks like, whatever the parameter is called.
#[derive(Debug)]
pub(super) struct Pattern {
    // The text before and after a value: its outer eight bytes where they stand in a word, and its length.
    first: Bits,
    last: Bits,
    before: usize,
    after: usize,
    /// Whether the value is kept.
    pub(super) captured: Captured,
    // What takes longer to find out.
    further: Option<Box<Further>>,
}

/// Some bytes of a word.
#[derive(Clone, Copy, Debug)]
struct Bits {
    bytes: u64,
    mask: u64,
}

#[derive(Debug)]
struct Further {
    // Empty unless they are longer than a word.
    before: Box<[u8]>,
    after: Box<[u8]>,
    expression: Option<u32>,
}

impl Pattern {
    pub(super) fn new(parameter: &Parameter, expressions: &Expressions) -> Self {
        let Parameter { prefix, suffix, .. } = parameter;
        let long = |text: &[u8]| if text.len() > 8 { text.into() } else { Box::default() };
        let expression = parameter.expression.as_ref().and_then(|text| expressions.number(text));
        let is_simple = prefix.len().max(suffix.len()) <= 8 && expression.is_none();
        let further = Further { before: long(prefix), after: long(suffix), expression };
        Self {
            first: Bits { bytes: word(prefix), mask: mask(prefix.len()) },
            last: Bits { bytes: last_word(suffix), mask: mask(suffix.len()).swap_bytes() },
            before: prefix.len(),
            after: suffix.len(),
            captured: Captured::from(&parameter.name),
            further: (!is_simple).then(|| Box::new(further)),
        }
    }

    /// Where in the path the value is in a segment that looks like this; never empty.
    #[inline]
    pub(super) fn value(&self, segment: &Segment, path: &Path<'_>, all: &[Expression]) -> Option<Range<usize>> {
        // Both at once: which pattern of a place fits is what no branch prediction knows.
        let differs = self.first.differ(segment.first) | self.last.differ(segment.last);
        if differs != 0 || segment.len() <= self.before + self.after {
            return None;
        }
        let value = segment.start + self.before..segment.end - self.after;
        let further = self.further.as_ref().is_none_or(|further| further.fit(segment, &value, path, all));
        (further && path.is_whole(value.end)).then_some(value)
    }
}

impl Bits {
    /// Zero if the word has these bytes.
    #[inline]
    fn differ(self, word: u64) -> u64 {
        word & self.mask ^ self.bytes
    }
}

impl Further {
    #[inline(never)]
    fn fit(&self, segment: &Segment, value: &Range<usize>, path: &Path<'_>, all: &[Expression]) -> bool {
        let expression = self.expression.and_then(|at| all.get(at as usize));
        // The emptiness is asked for because comparing nothing with nothing takes a hundred cycles: the slice that is
        // empty has no address that can be read, and vector instructions stumble over it.
        (self.before.is_empty() || path.slice(segment.start..value.start) == &*self.before)
            && (self.after.is_empty() || path.slice(value.end..segment.end) == &*self.after)
            && expression.is_none_or(|expression| expression.matches(path.slice(value.clone()), path.is_escaped()))
    }
}
