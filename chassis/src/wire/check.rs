//! What HTTP itself asks of a request before it is a call.

use axum::body::Body;
use http::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode, Uri, Version};

use super::server::Server;
use crate::fault::{Code, Fault};

/// Checks the head of a request, and puts the host of its target where RFC 9112 §3.2.2 wants it.
///
/// # Errors
/// The answer to a request that is no call.
pub(super) fn request(parts: &mut Parts, server: &Server) -> Result<(), Box<Response<Body>>> {
    if parts.version < Version::HTTP_2 {
        host(parts).map_err(|detail| refuse(Code::InvalidArgument, detail))?;
    } else if parts.headers.len() > server.headers {
        return Err(refuse(Code::HeaderFieldsTooLarge, "The request has too many header fields."));
    }
    let target = parts.uri.path();
    if target.len() + parts.uri.query().map_or(0, str::len) > server.target_bytes {
        return Err(refuse(Code::UriTooLong, "The target of the request is too long."));
    }
    if target.starts_with('/') {
        return Ok(());
    }
    Err(without_path(parts))
}

/// RFC 9112 §3.2: exactly one `Host` in HTTP/1.1, with a valid value.
fn host(parts: &mut Parts) -> Result<(), &'static str> {
    match only(&parts.headers) {
        Ok(Some(host)) if is_host(host) => {}
        Ok(None) if parts.version < Version::HTTP_11 => {}
        Ok(None) => return Err("The request has no `Host` field."),
        _ => return Err("The `Host` field of the request is malformed."),
    }
    // A target in absolute form says the host itself, and its word counts.
    if let Some(authority) = parts.uri.authority() {
        let host = authority.as_str().rsplit('@').next().unwrap_or_default();
        if let Ok(host) = HeaderValue::from_str(host) {
            parts.headers.insert(HOST, host);
        }
    }
    Ok(())
}

fn only(headers: &HeaderMap) -> Result<Option<&HeaderValue>, ()> {
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (host, None) => Ok(host),
        _ => Err(()),
    }
}

/// `uri-host [":" port]` (RFC 9110 §7.2), by its characters (RFC 3986 §3.2.2).
fn is_host(value: &HeaderValue) -> bool {
    value.as_bytes().iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:[]".contains(byte))
}

/// Answers what has no path: `OPTIONS *`, `CONNECT host:port`, and nonsense.
fn without_path(parts: &Parts) -> Box<Response<Body>> {
    if let Some((code, detail)) = flaw(&parts.method, &parts.uri) {
        return refuse(code, detail);
    }
    let mut pong = Response::new(Body::empty());
    *pong.status_mut() = StatusCode::NO_CONTENT;
    Box::new(pong)
}

/// What is wrong with a target, if it is neither a path nor the `*` of `OPTIONS`.
pub(crate) fn flaw(method: &Method, target: &Uri) -> Option<(Code, &'static str)> {
    match (method, target.path()) {
        (&Method::OPTIONS, "*") => None,
        (_, path) if path.starts_with('/') => None,
        (&Method::CONNECT, _) => Some((Code::Unimplemented, "This is not a proxy.")),
        _ => Some((Code::InvalidArgument, "The target of the request must be a path.")),
    }
}

/// The problem document of a Fault that no chain has seen.
fn refuse(code: Code, detail: &'static str) -> Box<Response<Body>> {
    let fault = Fault::new(code, detail);
    // Serialising strings and numbers into memory cannot fail; an empty body is still the right status.
    let document = serde_json::to_vec(&fault.problem(None, None)).unwrap_or_default();
    let mut response = Response::new(Body::from(document));
    *response.status_mut() = fault.status();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    Box::new(response)
}
