//! What must hold of a reply to be encoded, and which of its fields change then.

use http::StatusCode;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, HeaderName,
    HeaderValue, VARY,
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

/// Sets the fields right for a body that is encoded.
pub(super) fn encoded(headers: &mut HeaderMap, coding: Coding) {
    for name in &UNTRUE {
        headers.remove(name);
    }
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.as_str()));
    // The same bytes would not come again with another version of the encoder (RFC 9110 §8.8.3.3).
    let weakened = headers
        .get(ETAG)
        .filter(|tag| tag.as_bytes().starts_with(b"\""))
        .map(|tag| HeaderValue::from_bytes(&[b"W/", tag.as_bytes()].concat()));
    if let Some(Ok(tag)) = weakened {
        headers.insert(ETAG, tag);
    }
}

/// Whether a list of words has this one.
fn lists(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|listed| listed.trim().eq_ignore_ascii_case(word))
}
