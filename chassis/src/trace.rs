//! The W3C trace context of a call (Trace Context level 2): identity and sampling, no I/O.

use http::HeaderMap;
use http::header::HeaderName;

use crate::field::sole;

mod b3;
mod baggage;
mod hex;
mod state;

pub use b3::{B3, Zipkin};
pub use baggage::{BAGGAGE, Baggage};
pub use hex::Hex;
pub use state::TraceState;

pub(crate) use hex::read_hex;
use hex::write_hex;

/// The header field a caller names its span in (Trace Context §3.2).
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The header field that holds what tracing systems add (Trace Context §3.3).
pub const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Which trace a call belongs to. All zero until a handler sets it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace: 16 bytes, not all zero once set.
    pub trace_id: [u8; 16],
    /// This call's own span.
    pub span_id: [u8; 8],
    /// The caller's span; all zero at the root.
    pub parent_id: [u8; 8],
    /// `trace-flags`: bit 0 sampled, bit 1 random.
    pub flags: u8,
}

/// The flag that says the trace is recorded.
pub const SAMPLED: u8 = 0b01;

/// The flag that says the last seven bytes of the trace id are random (level 2, §3.2.2.5.2).
pub const RANDOM: u8 = 0b10;

impl TraceContext {
    /// What the caller says in `traceparent`: its trace, its span as `parent_id`, its flags; `span_id` is left zero.
    ///
    /// `None` where there is no field, more than one, or one that is malformed: the trace then starts here.
    pub fn parse(headers: &HeaderMap) -> Option<Self> {
        parse_traceparent(sole(headers, &TRACEPARENT).ok()??.as_bytes())
    }

    /// Whether a handler set it.
    pub fn is_set(&self) -> bool {
        self.trace_id != [0; 16]
    }

    /// Whether the trace is recorded.
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// Whether the caller is part of the trace, so that its `tracestate` may be passed on.
    pub fn is_continued(&self) -> bool {
        self.parent_id != [0; 8]
    }

    /// The trace id as 32 lower-case hexadecimal digits, if there is one.
    pub fn trace_id(&self) -> Option<Hex<'_>> {
        self.is_set().then_some(Hex(&self.trace_id))
    }

    /// The id of this call's own span as 16 lower-case hexadecimal digits, if it has one.
    pub fn span_id(&self) -> Option<Hex<'_>> {
        (self.span_id != [0; 8]).then_some(Hex(&self.span_id))
    }

    /// The `traceparent` that makes this call's span the parent: 55 ASCII characters, version 00.
    pub fn to_traceparent(&self) -> [u8; LENGTH] {
        let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
        write_hex(&self.trace_id, &mut text[3..35]);
        write_hex(&self.span_id, &mut text[36..52]);
        write_hex(&[self.flags & (SAMPLED | RANDOM)], &mut text[53..55]);
        text
    }
}

/// How long a `traceparent` of version 00 is.
const LENGTH: usize = 55;

/// Reads a `traceparent` (Trace Context §3.2): the caller's span becomes `parent_id`.
///
/// Digits are lower case, ids are not all zero, version `ff` does not exist. A version above 00 is read by the
/// part that all versions share (§4.3). Flags that are not known are dropped.
pub fn parse_traceparent(text: &[u8]) -> Option<TraceContext> {
    let head = text.first_chunk::<LENGTH>()?;
    let (version, flags) = match [head[0], head[1], head[53], head[54]] {
        // As nearly everybody writes it.
        [b'0', b'0', b'0', flags @ b'0'..=b'3'] => (0, flags - b'0'),
        [first, second, third, fourth] => {
            let [version, _, _, flags] = read_hex(&[first, second, b'0', b'0', b'0', b'0', third, fourth])?;
            (version, flags)
        }
    };
    let ends = match version {
        0x00 => text.len() == LENGTH,
        0xff => false,
        _ => text.get(LENGTH).is_none_or(|byte| *byte == b'-'),
    };
    if !ends || [head[2], head[35], head[52]] != *b"---" {
        return None;
    }
    let (trace_id, parent_id) = (read_hex(&head[3..35])?, read_hex(&head[36..52])?);
    let known = trace_id != [0; 16] && parent_id != [0; 8];
    known.then_some(TraceContext { trace_id, parent_id, flags: flags & (SAMPLED | RANDOM), span_id: [0; 8] })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn parse(text: &str) -> Option<TraceContext> {
        parse_traceparent(text.as_bytes())
    }

    #[test]
    fn the_callers_span_becomes_the_parent() {
        let context = parse(GOOD).unwrap();
        assert_eq!(context.trace_id().unwrap().to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(Hex(&context.parent_id).to_string(), "b7ad6b7169203331");
        assert_eq!((context.span_id, context.flags), ([0; 8], SAMPLED));
    }

    #[test]
    fn what_is_malformed_is_no_parent() {
        for text in [
            "",
            "00",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-extra",
            "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01extra",
            " 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_higher_version_is_read_by_what_all_versions_share() {
        let same = parse(GOOD);
        assert_eq!(parse("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), same);
        assert_eq!(parse("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-the-future-holds"), same);
    }

    #[test]
    fn only_known_flags_are_kept() {
        let flags = |text| parse(text).map(|context| context.flags);
        assert_eq!(flags("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff"), Some(SAMPLED | RANDOM));
        assert_eq!(flags("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-02"), Some(RANDOM));
        assert_eq!(flags("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-f0"), Some(0));
    }

    #[test]
    fn two_parents_are_none() {
        let mut headers = HeaderMap::new();
        assert_eq!(TraceContext::parse(&headers), None);
        headers.append(TRACEPARENT, HeaderValue::from_static(GOOD));
        assert_eq!(TraceContext::parse(&headers), parse(GOOD));
        headers.append(TRACEPARENT, HeaderValue::from_static(GOOD));
        assert_eq!(TraceContext::parse(&headers), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(trace_id: [u8; 16], span_id: [u8; 8], flags in 0_u8..4) {
            let context = TraceContext { trace_id, span_id, parent_id: [0; 8], flags };
            let read = parse_traceparent(&context.to_traceparent());
            let known = trace_id != [0; 16] && span_id != [0; 8];
            prop_assert_eq!(read, known.then_some(TraceContext { parent_id: span_id, span_id: [0; 8], ..context }));
        }

        #[test]
        fn no_bytes_panic_and_what_is_read_is_complete(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            prop_assert!(parse_traceparent(&bytes).is_none_or(|context| context.is_set() && context.is_continued()));
        }

        #[test]
        fn one_wrong_byte_is_one_wrong_parent(at in 0..GOOD.len(), byte: u8) {
            let mut bytes = GOOD.as_bytes().to_vec();
            bytes[at] = byte;
            let digit = byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            let fits = if matches!(at, 2 | 35 | 52) { byte == b'-' } else { digit };
            // A version of `f0` is one of the future; `ff` needs two wrong bytes.
            prop_assert_eq!(parse_traceparent(&bytes).is_some(), fits);
        }
    }
}
