//! What a segment with a parameter looks like.

use std::ops::Range;

use super::draft::Captured;
use super::expression::{Expression, Expressions};
use super::path::Segment;
use super::template::Parameter;
use super::word::{last_word, mask, word};

/// What a segment with a parameter looks like, whatever the parameter is called.
#[derive(Debug)]
pub(super) struct Shape {
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

impl Shape {
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
    pub(super) fn value(&self, segment: &Segment<'_>, is_escaped: bool, all: &[Expression]) -> Option<Range<usize>> {
        let fits = self.before + self.after < segment.text.len()
            && self.first.are_in(segment.first)
            && self.last.are_in(segment.last)
            && self.further.as_ref().is_none_or(|further| further.fits(self, segment.text, is_escaped, all));
        fits.then(|| segment.start + self.before..segment.start + segment.text.len() - self.after)
    }
}

impl Bits {
    #[inline]
    fn are_in(self, word: u64) -> bool {
        word & self.mask == self.bytes
    }
}

impl Further {
    fn fits(&self, shape: &Shape, segment: &[u8], is_escaped: bool, all: &[Expression]) -> bool {
        let value = &segment[shape.before..segment.len() - shape.after];
        let expression = self.expression.and_then(|at| all.get(at as usize));
        // The emptiness is asked for because comparing nothing with nothing takes a hundred cycles: the slice that is
        // empty has no address that can be read, and vector instructions stumble over it.
        (self.before.is_empty() || segment.starts_with(&self.before))
            && (self.after.is_empty() || segment.ends_with(&self.after))
            && expression.is_none_or(|expression| expression.matches(value, is_escaped))
    }
}
