//! A matcher that tries every template on every path: slow, and short enough to be believed.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use chassis::route::template::{self, Parameter, Segment};
use chassis::route::{Conf, Route, TrailingSlash};
use http::Method;
use percent_encoding::percent_decode_str;
use regex_automata::meta::Regex;

/// What a call leads to. Values are as they were sent, methods in the order they are told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Route { target: u32, values: Vec<String> },
    Options(Vec<String>),
    MethodNotAllowed(Vec<String>),
    NotFound,
    Malformed,
}

/// The templates in the order they are tried.
pub(crate) struct Naive {
    ends: BTreeMap<Vec<Rank>, End>,
    declared: Vec<String>,
    trailing_slash: TrailingSlash,
}

/// Where a segment stands among those that could stand in its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Text(Vec<u8>),
    Parameter { affix: Reverse<usize>, prefix: Reverse<usize>, is_free: bool, declared: u32 },
    Tail { after: Reverse<usize>, is_dropped: bool },
}

/// All routes of one template.
struct End {
    segments: Vec<Segment>,
    targets: Vec<(String, u32)>,
}

/// A character of a path or an escape: as it was sent, and in its canonical form.
#[derive(Clone)]
struct Unit<'p> {
    sent: &'p str,
    canonical: Vec<u8>,
}

/// How a template takes a path.
enum Taken {
    Whole(Vec<String>),
    /// The path ends where a tail would begin.
    UpToTail,
}

impl Naive {
    /// Makes a matcher, and says which of the routes can be in one table.
    pub(crate) fn new(routes: &[Route], conf: Conf) -> (Self, Vec<Route>) {
        let mut naive = Self { ends: BTreeMap::new(), declared: Vec::new(), trailing_slash: conf.trailing_slash };
        let kept = routes.iter().filter(|route| naive.add(route)).cloned().collect();
        (naive, kept)
    }

    fn add(&mut self, route: &Route) -> bool {
        let template = template::parse(&route.template).unwrap();
        let mut segments = template.segments.clone();
        if self.trailing_slash == TrailingSlash::Strict && template.has_trailing_slash() {
            segments.push(Segment::Static(Vec::new()));
        }
        let shape =
            |segments: &[Segment]| segments.iter().map(|segment| without_name(segment, None)).collect::<Vec<_>>();
        let same = self.ends.values().filter(|end| shape(&end.segments) == shape(&segments));
        if same.flat_map(|end| &end.targets).any(|(method, _)| *method == route.method) {
            return false;
        }
        let ranks = (0..segments.len()).map(|at| self.rank(&segments, at, route.target)).collect();
        let end = self.ends.entry(ranks).or_insert_with(|| End { segments, targets: Vec::new() });
        end.targets.push((route.method.to_string(), route.target));
        if !self.declared.contains(&route.method.to_string()) && route.method != "*" {
            self.declared.push(route.method.to_string());
        }
        true
    }

    fn rank(&self, segments: &[Segment], at: usize, target: u32) -> Rank {
        match &segments[at] {
            Segment::Static(text) => Rank::Text(text.clone()),
            Segment::Tail(name) => Rank::Tail { after: Reverse(segments.len() - at - 1), is_dropped: name.is_none() },
            Segment::Parameter(Parameter { prefix, suffix, expression, .. }) => Rank::Parameter {
                affix: Reverse(prefix.len() + suffix.len()),
                prefix: Reverse(prefix.len()),
                is_free: expression.is_none(),
                declared: self.declared(segments, at).unwrap_or(target),
            },
        }
    }

    /// When the first template was declared that begins like this.
    fn declared(&self, segments: &[Segment], at: usize) -> Option<u32> {
        let beginning = |segments: &[Segment]| {
            let named = |segment: &Segment| without_name(segment, segment.name().map(|_| "name"));
            segments.get(..=at).map(|segments| segments.iter().map(named).collect::<Vec<_>>())
        };
        let alike = self.ends.values().filter(|end| beginning(&end.segments) == beginning(segments));
        alike.flat_map(|end| &end.targets).map(|(_, target)| *target).min()
    }

    pub(crate) fn find(&self, method: &Method, path: &str) -> Answer {
        let Some(units) = units(path) else { return Answer::Malformed };
        if !path.starts_with('/') {
            let is_server = path == "*" && method == Method::OPTIONS;
            return if is_server { Answer::Options(self.declared.clone()) } else { Answer::NotFound };
        }
        let mut segments: Vec<_> = units[1..].split(|unit| unit.sent == "/").collect();
        let is_doubled = segments.len() > 1 && segments[segments.len() - 2].is_empty();
        let has_slash = path.len() > 1 && path.ends_with('/') && !is_doubled;
        let is_ignored = has_slash && self.trailing_slash == TrailingSlash::Ignore;
        if path == "/" || is_ignored {
            segments.pop();
        }
        self.search(method.as_str(), &segments, is_ignored)
    }

    fn search(&self, method: &str, path: &[&[Unit<'_>]], has_extra_slash: bool) -> Answer {
        let (mut allow, mut ended_at_tail, mut fits) = (Vec::new(), false, false);
        for end in self.ends.values() {
            let is_tail_last = matches!(end.segments.last(), Some(Segment::Tail(_)));
            let values = match end.take(path, has_extra_slash) {
                Some(Taken::UpToTail) => {
                    ended_at_tail = true;
                    continue;
                }
                Some(Taken::Whole(values)) if !(ended_at_tail && is_tail_last) => values,
                _ => continue,
            };
            if let Some(target) = end.target(method) {
                return Answer::Route { target, values };
            }
            fits = true;
            for (method, _) in &end.targets {
                if !allow.contains(method) {
                    allow.push(method.clone());
                }
            }
        }
        match (fits, method) {
            (true, "OPTIONS") => Answer::Options(allow),
            (true, _) => Answer::MethodNotAllowed(allow),
            (false, _) => Answer::NotFound,
        }
    }
}

impl End {
    fn target(&self, method: &str) -> Option<u32> {
        let of = |wanted: &str| self.targets.iter().find(|(method, _)| method == wanted).map(|(_, target)| *target);
        of(method).or_else(|| if method == "HEAD" { of("GET") } else { None }).or_else(|| of("*"))
    }

    fn take(&self, path: &[&[Unit<'_>]], has_extra_slash: bool) -> Option<Taken> {
        let tail = self.segments.iter().position(|segment| matches!(segment, Segment::Tail(_)));
        let Some(tail) = tail else {
            return (path.len() == self.segments.len()).then(|| take_each(&self.segments, path))?.map(Taken::Whole);
        };
        let (before, after) = (&self.segments[..tail], &self.segments[tail + 1..]);
        let mut values = take_each(before, path.get(..tail)?)?;
        if path.len() == tail && after.is_empty() && !has_extra_slash {
            return Some(Taken::UpToTail);
        }
        let end = path.len().checked_sub(after.len()).filter(|end| *end >= tail)?;
        let taken = path[tail..end].iter().map(|segment| sent(segment)).collect::<Vec<_>>().join("/");
        let may_be_empty = after.is_empty() && (end > tail || has_extra_slash);
        if taken.starts_with('/') || (taken.is_empty() && !may_be_empty) {
            return None;
        }
        values.extend(self.segments[tail].name().map(|_| taken));
        values.extend(take_each(after, &path[end..])?);
        Some(Taken::Whole(values))
    }
}

fn take_each(segments: &[Segment], path: &[&[Unit<'_>]]) -> Option<Vec<String>> {
    let taken: Option<Vec<_>> = segments.iter().zip(path).map(|(segment, units)| take(segment, units)).collect();
    Some(taken?.into_iter().flatten().collect())
}

/// The value that a segment captures, if it takes this; the inner `None` if it captures nothing.
fn take(segment: &Segment, units: &[Unit<'_>]) -> Option<Option<String>> {
    let Segment::Parameter(Parameter { name, prefix, suffix, expression }) = segment else {
        return (*segment == Segment::Static(canonical(units))).then_some(None);
    };
    if matches!(canonical(units).as_slice(), b"." | b"..") {
        return None;
    }
    let starts = (0..=units.len()).find(|at| canonical(&units[..*at]) == *prefix)?;
    let ends = (0..=units.len()).find(|at| canonical(&units[*at..]) == *suffix)?;
    let value = sent(units.get(starts..ends).filter(|value| !value.is_empty())?);
    let decoded: Vec<u8> = percent_decode_str(&value).collect();
    expression.as_ref().is_none_or(|expression| matches(expression, &decoded)).then(|| name.as_ref().map(|_| value))
}

fn matches(expression: &str, value: &[u8]) -> bool {
    // The same few are asked for many thousand times.
    thread_local!(static KNOWN: RefCell<HashMap<String, Regex>> = RefCell::default());
    let compiled = || Regex::new(&format!("^(?:{expression})$")).unwrap();
    KNOWN.with_borrow_mut(|known| known.entry(expression.to_owned()).or_insert_with(compiled).is_match(value))
}

fn sent(units: &[Unit<'_>]) -> String {
    units.iter().map(|unit| unit.sent).collect()
}

fn canonical(units: &[Unit<'_>]) -> Vec<u8> {
    units.iter().flat_map(|unit| unit.canonical.clone()).collect()
}

/// RFC 3986 §6.2.2: what is escaped and not reserved is itself. `None` if an escape is none, or there is a NUL.
fn units(path: &str) -> Option<Vec<Unit<'_>>> {
    let mut units = Vec::new();
    let mut rest = path;
    while let Some(first) = rest.chars().next() {
        let len = if first == '%' { 3 } else { first.len_utf8() };
        let sent = rest.get(..len)?;
        let canonical = match sent.strip_prefix('%') {
            Some(digits) if digits.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
                let byte = u8::from_str_radix(digits, 16).ok()?;
                let is_reserved = b":/?#[]@!$&'()*+,;=%".contains(&byte);
                if is_reserved { sent.to_uppercase().into_bytes() } else { vec![byte] }
            }
            Some(_) => return None,
            None => sent.as_bytes().to_vec(),
        };
        if canonical == [0] {
            return None;
        }
        units.push(Unit { sent, canonical });
        rest = &rest[len..];
    }
    Some(units)
}

fn without_name(segment: &Segment, name: Option<&str>) -> Segment {
    let name = name.map(str::to_owned);
    match segment {
        Segment::Static(text) => Segment::Static(text.clone()),
        Segment::Parameter(parameter) => Segment::Parameter(Parameter { name, ..parameter.clone() }),
        Segment::Tail(_) => Segment::Tail(name),
    }
}
