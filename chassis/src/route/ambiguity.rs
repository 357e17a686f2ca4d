//! Finds routes that both match a path though neither is more specific, so that nothing but their order decides.
//!
//! The documented precedence leaves one thing open: two expressions at one place. Where the first of them matches less
//! than the second, that is what everybody expects. Anything else is worth a word, above all between schemas, which
//! nobody orders.

use std::collections::HashMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use super::Route;
use super::error::Ambiguous;
use super::expression::{Expression, Expressions};
use super::methods::MethodId;
use super::template::{Parameter, Segment};

/// How many pairs of routes are compared, which bounds what a table costs to build.
const PAIRS: usize = 1 << 10;

/// What is not escaped in a segment (RFC 3986 §2.3).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A route that has a place in the table.
pub(super) struct Declared<'r> {
    pub(super) route: &'r Route,
    pub(super) method: MethodId,
    pub(super) segments: Vec<Segment>,
}

/// All pairs of which only the order decides.
pub(super) fn ambiguous(declared: &[Declared<'_>], expressions: &Expressions) -> Vec<Ambiguous> {
    let forks = forks(declared);
    let pairs = forks.iter().flat_map(|(at, fork)| pairs(fork).map(move |pair| (*at, pair)));
    let comparing = Comparing { expressions };
    let found = pairs.take(PAIRS).filter_map(|(at, (first, second))| {
        let path = comparing.path(at, first, second)?;
        Some(Ambiguous::new(second.route, first.route, path))
    });
    found.collect()
}

/// The routes that have an expression in the same place, in the order they are declared: with how many segments stand
/// before it.
fn forks<'d, 'r>(declared: &'d [Declared<'r>]) -> Vec<(usize, Vec<&'d Declared<'r>>)> {
    let (mut known, mut forks) = (HashMap::new(), Vec::new());
    for route in declared {
        for (at, segment) in route.segments.iter().enumerate() {
            let Segment::Parameter(Parameter { expression: Some(_), prefix, suffix, .. }) = segment else { continue };
            let before: Vec<Segment> = route.segments[..at].iter().map(Segment::anonymous).collect();
            let fork = *known.entry((before, prefix, suffix)).or_insert_with(|| {
                forks.push((at, Vec::new()));
                forks.len() - 1
            });
            forks[fork].1.push(route);
        }
    }
    forks
}

fn pairs<'d, 'r>(fork: &'d [&'d Declared<'r>]) -> impl Iterator<Item = (&'d Declared<'r>, &'d Declared<'r>)> {
    let pairs = fork.iter().enumerate().flat_map(|(at, first)| fork[at + 1..].iter().map(|second| (*first, *second)));
    pairs.filter(|(first, second)| {
        first.method == second.method || [first.method, second.method].contains(&MethodId::ANY)
    })
}

struct Comparing<'e> {
    expressions: &'e Expressions,
}

impl Comparing<'_> {
    /// A path that both match and only their order decides, if they part at this segment.
    fn path(&self, at: usize, first: &Declared<'_>, second: &Declared<'_>) -> Option<String> {
        let (here, there) = (first.segments.get(at)?, second.segments.get(at)?);
        if here.anonymous() == there.anonymous() || self.is_narrower(here, there) {
            return None;
        }
        let before = first.segments[..at].iter().map(|segment| self.sample(segment)).collect::<Option<Vec<_>>>()?;
        let here = self.both(here, there)?;
        let after = self.rest(&first.segments[at + 1..], &second.segments[at + 1..])?;
        let segments = before.iter().chain([&here]).chain(&after);
        Some(segments.map(|text| format!("/{}", String::from_utf8_lossy(text))).collect())
    }

    fn is_narrower(&self, one: &Segment, other: &Segment) -> bool {
        match (self.expression(one), self.expression(other)) {
            (Some(one), Some(other)) => one.is_narrower(other),
            _ => false,
        }
    }

    fn expression(&self, segment: &Segment) -> Option<&Expression> {
        let Segment::Parameter(Parameter { expression: Some(text), .. }) = segment else { return None };
        self.expressions.get(text)
    }

    /// Segments that match the ends of both templates.
    fn rest(&self, one: &[Segment], other: &[Segment]) -> Option<Vec<Vec<u8>>> {
        let ((head, tail), (others_head, others_tail)) = match (one.split_first(), other.split_first()) {
            (None, None) => return Some(Vec::new()),
            (Some(one), Some(other)) => (one, other),
            _ => return None,
        };
        let text = self.both(head, others_head)?;
        // A tail may end with this segment, or go on.
        let more = [
            Some((tail, others_tail)),
            is_tail(head).then_some((one, others_tail)),
            is_tail(others_head).then_some((tail, other)),
        ];
        let rest = more.into_iter().flatten().find_map(|(one, other)| self.rest(one, other))?;
        Some([text].into_iter().chain(rest).collect())
    }

    /// A segment that both match, as far as one is found.
    fn both(&self, one: &Segment, other: &Segment) -> Option<Vec<u8>> {
        if let (Segment::Parameter(one), Segment::Parameter(other)) = (one, other)
            && (&one.prefix, &one.suffix) == (&other.prefix, &other.suffix)
            && let (Some(a), Some(b)) = (&one.expression, &other.expression)
        {
            return Some(around(one, &self.expressions.get(a)?.common(self.expressions.get(b)?)?));
        }
        let samples = [self.sample(one), self.sample(other)].into_iter().flatten();
        samples.into_iter().find(|text| self.matches(one, text) && self.matches(other, text))
    }

    /// A segment that this one matches.
    fn sample(&self, segment: &Segment) -> Option<Vec<u8>> {
        match (segment, self.expression(segment)) {
            (Segment::Static(text), _) => Some(text.clone()),
            (Segment::Parameter(parameter), Some(expression)) => {
                Some(around(parameter, &expression.common(expression)?))
            }
            (Segment::Parameter(parameter), None) => Some(around(parameter, b"x")),
            (Segment::Tail(_), _) => Some(b"x".to_vec()),
        }
    }

    fn matches(&self, segment: &Segment, text: &[u8]) -> bool {
        let parameter = match segment {
            Segment::Static(known) => return known == text,
            Segment::Tail(_) => return true,
            Segment::Parameter(parameter) => parameter,
        };
        let value = text.strip_prefix(&*parameter.prefix).and_then(|rest| rest.strip_suffix(&*parameter.suffix));
        value.filter(|value| !value.is_empty()).is_some_and(|value| match self.expression(segment) {
            Some(expression) => expression.matches(value, value.contains(&b'%')),
            None => true,
        })
    }
}

fn is_tail(segment: &Segment) -> bool {
    matches!(segment, Segment::Tail(_))
}

/// A value as it stands in a path, with the text around it.
fn around(parameter: &Parameter, value: &[u8]) -> Vec<u8> {
    let value = percent_encode(value, ESCAPED).to_string();
    [&parameter.prefix, value.as_bytes(), &parameter.suffix].concat()
}

#[cfg(test)]
mod tests;
