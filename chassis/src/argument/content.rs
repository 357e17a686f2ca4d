//! Checks that a body is of the kind an argument reads.

use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use http_body::Body as _;

use crate::fault::{Code, Fault};
use crate::invocation::Invocation;

/// A kind of body that an argument reads.
pub(super) struct Kind {
    /// The media type, as `Accept` offers it.
    media_type: &'static str,
    /// The structured syntax suffix (RFC 6839) of the other media types that are read too.
    suffix: Option<&'static str>,
    /// Whether an empty body can be of this kind.
    may_be_empty: bool,
}

/// RFC 8259, and whatever is built upon it (RFC 6839 §3.1).
pub(super) const JSON: Kind = Kind { media_type: "application/json", suffix: Some("+json"), may_be_empty: false };

/// WHATWG URL §5.
pub(super) const FORM: Kind =
    Kind { media_type: "application/x-www-form-urlencoded", suffix: None, may_be_empty: true };

/// Refuses a body of another kind (RFC 9110 §15.5.16).
pub(super) fn expect(invocation: &Invocation, kind: &Kind) -> Result<(), Fault> {
    let headers = &invocation.parts.headers;
    match headers.get(CONTENT_TYPE) {
        // Most senders write it exactly so.
        Some(value) if value == kind.media_type || kind.reads(value) => {}
        None if invocation.body.is_end_stream() => return if kind.may_be_empty { Ok(()) } else { Err(absent(kind)) },
        sent => return Err(kind.unsupported(sent)),
    }
    if encoded(headers) {
        return Err(Fault::new(
            Code::UnsupportedMediaType,
            "The body is compressed, and this operation reads it plain.",
        )
        .with_header(ACCEPT_ENCODING, HeaderValue::from_static("identity")));
    }
    Ok(())
}

/// Refuses a call without a body.
#[cold]
pub(super) fn absent(kind: &Kind) -> Fault {
    Fault::new(Code::InvalidArgument, format!("The call has no body, and `{}` is expected.", kind.media_type))
}

impl Kind {
    fn reads(&self, value: &HeaderValue) -> bool {
        let Ok(text) = value.to_str() else { return false };
        let essence = text.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case(self.media_type) || self.suffix.is_some_and(|suffix| ends_with(essence, suffix))
    }

    #[cold]
    fn unsupported(&self, sent: Option<&HeaderValue>) -> Fault {
        let media_type = self.media_type;
        let detail = match sent {
            Some(_) => format!("The body is expected to be `{media_type}`, and `Content-Type` says something else."),
            None => format!("The body has no `Content-Type`; `{media_type}` is expected."),
        };
        Fault::new(Code::UnsupportedMediaType, detail).with_header(ACCEPT, HeaderValue::from_static(media_type))
    }
}

/// Whether a media type has something before `/`, and something between it and the suffix.
fn ends_with(essence: &str, suffix: &str) -> bool {
    let Some((kind, name)) = essence.split_once('/') else { return false };
    let at = name.len().saturating_sub(suffix.len());
    !kind.is_empty() && at > 0 && name.is_char_boundary(at) && name[at..].eq_ignore_ascii_case(suffix)
}

/// Whether a body has a coding: an empty list says that it has none (RFC 9110 §5.6.1).
fn encoded(headers: &HeaderMap) -> bool {
    let lists = headers.get_all(CONTENT_ENCODING).iter();
    let mut names = lists.flat_map(|list| list.as_bytes().split(|byte| *byte == b',')).map(<[u8]>::trim_ascii);
    names.any(|name| !name.is_empty() && !name.eq_ignore_ascii_case(b"identity"))
}
