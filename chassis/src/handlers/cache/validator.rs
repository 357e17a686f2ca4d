//! Whether the caller has what it asks for already (RFC 9110 §13).

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{ETAG, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use http::{HeaderMap, StatusCode};

use crate::reply::Reply;

/// A strong tag for these bytes: half of a digest is more than enough to tell them from others.
pub(super) fn tag(body: &[u8]) -> Option<HeaderValue> {
    let digest = digest(&SHA256, body);
    let text = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&digest.as_ref()[..16]));
    HeaderValue::from_str(&text).ok()
}

/// Whether a reply with these fields is what the caller has already (RFC 9110 §13.2.2).
pub(super) fn is_known(request: &HeaderMap, reply: &HeaderMap) -> bool {
    if request.contains_key(IF_NONE_MATCH) {
        let tags = request.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        let current = reply.get(ETAG).and_then(|value| value.to_str().ok()).map(opaque);
        return tags.flat_map(tags_of).any(|tag| tag == "*" || current.is_some_and(|current| opaque(tag) == current));
    }
    // The field that was given, given back: nothing else is sure to be no older.
    let since = request.get(IF_MODIFIED_SINCE);
    since.is_some() && since == reply.get(LAST_MODIFIED)
}

/// 304, with what 200 would have said of the reply (RFC 9110 §15.4.5).
pub(super) fn unchanged(reply: &Reply) -> Reply {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    let told = reply.headers().iter().filter(|(name, _)| !speaks_of_the_body(name));
    response.headers_mut().extend(told.map(|(name, value)| (name.clone(), value.clone())));
    Reply::from(response)
}

/// What speaks of a body that is not sent.
fn speaks_of_the_body(name: &HeaderName) -> bool {
    name.as_str().starts_with("content-") && name != http::header::CONTENT_LOCATION
}

/// Two tags are compared as weak ones (RFC 9110 §8.8.3.2): what is between the quotes counts.
fn opaque(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

/// The tags of a list; a comma may be part of one.
fn tags_of(list: &str) -> impl Iterator<Item = &str> {
    let mut rest = list;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let quote = rest.find('"').filter(|at| matches!(&rest[..*at], "" | "W/"));
        let end = match quote {
            Some(open) => rest[open + 1..].find('"').map_or(rest.len(), |close| open + close + 2),
            None => rest.find(',').unwrap_or(rest.len()),
        };
        let (tag, after) = rest.split_at(end);
        rest = after;
        Some(tag.trim_end()).filter(|tag| !tag.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(request: &[(HeaderName, &str)], reply: &[(HeaderName, &str)]) -> bool {
        let map = |pairs: &[(HeaderName, &str)]| -> HeaderMap {
            pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
        };
        is_known(&map(request), &map(reply))
    }

    #[test]
    fn a_tag_of_the_list_is_enough_weak_or_strong() {
        let matches = |list: &str, tag: &str| known(&[(IF_NONE_MATCH, list)], &[(ETAG, tag)]);
        assert!(matches("\"a\"", "\"a\"") && matches("W/\"a\"", "\"a\"") && matches("\"a\"", "W/\"a\""));
        assert!(
            matches("\"x\", W/\"a\" ,\"y\"", "\"a\"") && matches("\"x,y\",\"a\"", "\"a\"") && matches("*", "\"a\"")
        );
        assert!(matches("\"x,y\"", "\"x,y\"") && matches("*", "W/\"\""));
        for list in ["\"b\"", "a", "\"ab\"", "", "\"", "W/", "\"x,\"a\"", "w/\"a\""] {
            assert!(!matches(list, "\"a\""), "{list}");
        }
    }

    #[test]
    fn a_date_counts_only_where_no_tag_is_asked_about() {
        const DATE: &str = "Sat, 28 Nov 2026 17:00:00 GMT";
        let modified = (LAST_MODIFIED, DATE);
        assert!(known(&[(IF_MODIFIED_SINCE, DATE)], std::slice::from_ref(&modified)));
        assert!(!known(&[(IF_MODIFIED_SINCE, "Sat, 28 Nov 2026 16:00:00 GMT")], std::slice::from_ref(&modified)));
        assert!(!known(&[(IF_MODIFIED_SINCE, DATE), (IF_NONE_MATCH, "\"b\"")], &[modified, (ETAG, "\"a\"")]));
        assert!(!known(&[(IF_MODIFIED_SINCE, DATE)], &[]));
    }

    #[test]
    fn the_same_bytes_have_the_same_tag() {
        assert_eq!(tag(b"a"), tag(b"a"));
        assert_ne!(tag(b"a"), tag(b"b"));
        assert_eq!(tag(b"").unwrap().len(), 24);
    }
}
