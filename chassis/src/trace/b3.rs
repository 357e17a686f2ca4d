//! The trace context of Zipkin: the field `b3`, or the fields `X-B3-…` (<https://github.com/openzipkin/b3-propagation>).

use http::HeaderMap;
use http::header::HeaderName;

use super::hex::read_hex;
use super::{SAMPLED, TraceContext};
use crate::field::sole;

/// All of it in one field.
pub const B3: HeaderName = HeaderName::from_static("b3");

const TRACE_ID: HeaderName = HeaderName::from_static("x-b3-traceid");
const SPAN_ID: HeaderName = HeaderName::from_static("x-b3-spanid");
const IS_SAMPLED: HeaderName = HeaderName::from_static("x-b3-sampled");
const FLAGS: HeaderName = HeaderName::from_static("x-b3-flags");

/// What a caller says in B3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zipkin {
    /// Its trace, its span as `parent_id`; `None` where it says only whether to record.
    pub context: Option<TraceContext>,
    /// Whether the trace is recorded; `None` where that is left to whoever comes next.
    pub sampled: Option<bool>,
}

impl Zipkin {
    /// Reads what a caller says, in one field before several. `None` where it says nothing or something malformed.
    pub fn parse(headers: &HeaderMap) -> Option<Self> {
        // Most calls have none of these fields: one look at all names costs less than one look for each of them.
        if !headers.keys().any(|name| matches!(name.as_str().as_bytes(), b"b3" | [b'x', b'-', b'b', b'3', b'-', ..])) {
            return None;
        }
        match headers.get(B3) {
            Some(value) => single(only(headers, &B3).filter(|_| value.len() <= LONGEST)?),
            None => several(headers),
        }
    }

    fn new(trace_id: &str, span_id: &str, sampled: Option<bool>) -> Option<Self> {
        let (trace_id, parent_id) = (wide(trace_id)?, read_hex(span_id.as_bytes()).filter(|_| span_id.len() == 16)?);
        let flags = if sampled == Some(true) { SAMPLED } else { 0 };
        let known = trace_id != [0; 16] && parent_id != [0; 8];
        known.then_some(Self { context: Some(TraceContext { trace_id, parent_id, flags, span_id: [0; 8] }), sampled })
    }
}

/// A trace id, a span id, the decision, the span before that one, and dashes.
const LONGEST: usize = 32 + 1 + 16 + 1 + 1 + 1 + 16;

fn single(text: &str) -> Option<Zipkin> {
    let mut parts = text.split('-');
    let (first, span_id, sampled) = (parts.next()?, parts.next(), parts.next());
    match (span_id, sampled) {
        (None, _) => Some(Zipkin { context: None, sampled: Some(decision(first)?) }),
        (Some(span_id), None) => Zipkin::new(first, span_id, None),
        (Some(span_id), Some(sampled)) => Zipkin::new(first, span_id, Some(decision(sampled)?)),
    }
}

fn several(headers: &HeaderMap) -> Option<Zipkin> {
    // The flag asks for debugging, which says more than whether the trace is recorded.
    let sampled = match (only(headers, &FLAGS), only(headers, &IS_SAMPLED).map(decision)) {
        (Some("1"), _) => Some(true),
        (_, Some(sampled)) => Some(sampled?),
        (_, None) => None,
    };
    match only(headers, &TRACE_ID) {
        Some(trace_id) => Zipkin::new(trace_id, only(headers, &SPAN_ID)?, sampled),
        None => sampled.filter(|_| !headers.contains_key(SPAN_ID)).map(|_| Zipkin { context: None, sampled }),
    }
}

/// The value of a field that is there once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    sole(headers, name).ok()??.to_str().ok()
}

/// `d` asks for debugging, which is recorded whatever else.
fn decision(text: &str) -> Option<bool> {
    match text {
        "1" | "d" | "true" => Some(true),
        "0" | "false" => Some(false),
        _ => None,
    }
}

/// A trace id of 16 or 8 bytes; a short one is the end of a long one.
fn wide(text: &str) -> Option<[u8; 16]> {
    match text.len() {
        32 => read_hex(text.as_bytes()),
        16 => read_hex::<8>(text.as_bytes()).map(|low| u128::from(u64::from_be_bytes(low)).to_be_bytes()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::trace::Hex;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const SPAN: &str = "b7ad6b7169203331";

    fn parse(fields: &[(&str, &str)]) -> Option<(String, String, Option<bool>)> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        }
        Zipkin::parse(&headers).map(|said| {
            let hex = |bytes: &[u8]| Hex(bytes).to_string();
            let ids = said.context.map(|context| {
                assert_eq!(context.is_sampled(), said.sampled == Some(true));
                (hex(&context.trace_id), hex(&context.parent_id))
            });
            let (trace, span) = ids.unwrap_or_default();
            (trace, span, said.sampled)
        })
    }

    fn said(sampled: Option<bool>) -> Option<(String, String, Option<bool>)> {
        Some((TRACE.to_owned(), SPAN.to_owned(), sampled))
    }

    #[test]
    fn one_field_says_it_all() {
        for (end, sampled) in [("", None), ("-1", Some(true)), ("-d", Some(true)), ("-0-05e3ac9a4f6e3b90", Some(false))]
        {
            assert_eq!(parse(&[("b3", &format!("{TRACE}-{SPAN}{end}"))]), said(sampled), "{end}");
        }
        let short = parse(&[("b3", "8448eb211c80319c-b7ad6b7169203331-1")]).unwrap();
        assert_eq!(short.0, "00000000000000008448eb211c80319c");
    }

    #[test]
    fn several_fields_say_the_same() {
        let ids = [("X-B3-TraceId", TRACE), ("X-B3-SpanId", SPAN)];
        assert_eq!(parse(&ids), said(None));
        for (field, sampled) in
            [(("X-B3-Sampled", "1"), true), (("X-B3-Sampled", "0"), false), (("X-B3-Flags", "1"), true)]
        {
            assert_eq!(parse(&[ids[0], ids[1], field]), said(Some(sampled)));
        }
        assert_eq!(
            parse(&[ids[0], ids[1], ("b3", "0")]),
            Some((String::new(), String::new(), Some(false))),
            "one wins"
        );
    }

    #[test]
    fn a_decision_may_come_without_a_trace() {
        assert_eq!(parse(&[("b3", "0")]).unwrap().2, Some(false));
        assert_eq!(parse(&[("X-B3-Sampled", "true")]).unwrap().2, Some(true));
        assert_eq!(parse(&[("X-B3-Flags", "1")]).unwrap().2, Some(true), "as `b3: d` is read");
        assert_eq!(parse(&[("X-B3-Flags", "0")]), None);
        assert_eq!(parse(&[("X-B3-Flags", "1"), ("X-B3-SpanId", SPAN)]), None);
    }

    #[test]
    fn what_is_malformed_says_nothing() {
        let zero = format!("{}-{SPAN}-1", "0".repeat(32));
        let (upper, long) = (format!("{}-{SPAN}", TRACE.to_uppercase()), format!("{TRACE}-{SPAN}-1-{SPAN}0"));
        for text in
            ["", "2", "-", &zero, TRACE, &format!("{TRACE}-{SPAN}-x"), &upper, &long, &format!("{TRACE}-{TRACE}")]
        {
            assert_eq!(parse(&[("b3", text)]), None, "{text}");
        }
        assert_eq!(parse(&[("b3", "1"), ("b3", "1")]), None);
        assert_eq!(parse(&[("X-B3-TraceId", TRACE)]), None);
        assert_eq!(parse(&[("X-B3-TraceId", TRACE), ("X-B3-SpanId", SPAN), ("X-B3-Sampled", "x")]), None);
        assert_eq!(parse(&[]), None);
    }
}
