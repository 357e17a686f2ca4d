//! What must hold of a reply to be encoded, and which of its fields change then.

use http::StatusCode;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, HeaderName,
    HeaderValue, IF_NONE_MATCH, VARY,
};

use super::coding::Coding;
use crate::reply::Reply;

/// What was said of the bytes that were to be sent, and does not hold of those that are sent.
static UNTRUE: [HeaderName; 6] = [
    CONTENT_LENGTH,
    ACCEPT_RANGES,
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("repr-digest"),
];

/// Whether encoding this would change nothing but its size.
pub(super) fn may_be_encoded(reply: &Reply) -> bool {
    let headers = reply.headers();
    let has_body = !reply.status().is_informational()
        && ![StatusCode::NO_CONTENT, StatusCode::RESET_CONTENT, StatusCode::NOT_MODIFIED].contains(&reply.status());
    let is_whole = reply.status() != StatusCode::PARTIAL_CONTENT && !headers.contains_key(CONTENT_RANGE);
    let is_plain = headers.get_all(CONTENT_ENCODING).iter().all(|value| value == "identity");
    reply.fault().is_none()
        && has_body
        && is_whole
        && is_plain
        && reply.length() != Some(0)
        && !lists(headers, &CACHE_CONTROL, "no-transform")
}

/// Says that the reply depends on what the caller accepts (RFC 9110 §12.5.5).
pub(super) fn vary(headers: &mut HeaderMap) {
    if !lists(headers, &VARY, "*") && !lists(headers, &VARY, "accept-encoding") {
        headers.append(VARY, HeaderValue::from_static("accept-encoding"));
    }
}

/// Sets the fields right of a reply that says that the caller has it already. It varies as what the caller has does
/// (RFC 9110 §15.4.5): nothing here says what that is, so all of them may. If what it has was encoded here, that is what
/// is spoken of (RFC 9111 §4.3.4).
pub(super) fn unchanged(headers: &mut HeaderMap, call: &HeaderMap) {
    if !lists(headers, &CACHE_CONTROL, "no-transform") {
        vary(headers);
    }
    let Some(weak) = headers.get(ETAG).and_then(weakened) else { return };
    let mut lists = call.get_all(IF_NONE_MATCH).iter().map(HeaderValue::as_bytes);
    if lists.any(|list| has_tag(list, weak.as_bytes())) {
        headers.insert(ETAG, weak);
    }
}

/// Whether a list of tags has this weak one. A comma may be part of a tag, a quote is not (RFC 9110 §8.8.3).
fn has_tag(list: &[u8], weak: &[u8]) -> bool {
    let pieces: Vec<_> = list.split(|byte| *byte == b'"').collect();
    let mut tags = pieces.chunks_exact(2);
    tags.any(|tag| {
        tag[0].ends_with(b"W/") && weak.strip_prefix(b"W/\"").and_then(|rest| rest.strip_suffix(b"\"")) == Some(tag[1])
    })
}

/// The weak form of a strong tag.
fn weakened(tag: &HeaderValue) -> Option<HeaderValue> {
    if tag.as_bytes().starts_with(b"\"") {
        HeaderValue::from_bytes(&[b"W/", tag.as_bytes()].concat()).ok()
    } else {
        None
    }
}

/// Sets the fields right for a body that is encoded.
pub(super) fn encoded(headers: &mut HeaderMap, coding: Coding) {
    for name in &UNTRUE {
        headers.remove(name);
    }
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.as_str()));
    // The same bytes would not come again with another version of the encoder (RFC 9110 §8.8.3.3).
    if let Some(tag) = headers.get(ETAG).and_then(weakened) {
        headers.insert(ETAG, tag);
    }
}

/// Whether a list of words has this one.
fn lists(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|listed| listed.trim().eq_ignore_ascii_case(word))
}
