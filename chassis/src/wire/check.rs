//! What HTTP itself asks of a request before it is a call.

use http::header::{HOST, HeaderMap, HeaderValue, TRANSFER_ENCODING};
use http::uri::Authority;
use http::{Method, Request, Uri, Version};
use http_body::Body;

use super::flaw::Flaw;
use crate::fault::Code;
use crate::field::sole;
use crate::invocation::is_same_host;

/// What the head of a request may have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    /// The most header fields.
    pub(crate) headers: usize,
    /// The most bytes of all of it.
    pub(crate) bytes: usize,
    /// The longest target, in bytes.
    pub(crate) target_bytes: usize,
}

/// Checks the head of a request, and puts the host of its target where RFC 9112 §3.2.2 wants it.
///
/// # Errors
/// Why it is no call.
pub(crate) fn request(request: &mut Request<impl Body>, most: Head) -> Result<(), Flaw> {
    if request.headers().len() > most.headers {
        return Err(Flaw::headers(most));
    }
    if request.version() < Version::HTTP_2 {
        host(request)?;
    } else {
        authority(request)?;
    }
    // A body of known length has no transfer coding.
    if request.body().size_hint().exact().is_none() {
        transfer_coding(request.headers())?;
    }
    if is_long(request.uri(), most) {
        return Err(Flaw::target(most));
    }
    flaw(request.method(), request.uri()).map_or(Ok(()), Err)
}

/// What is more of a request than a listener takes.
pub(crate) fn oversized<B>(request: &Request<B>, most: Head) -> Option<Flaw> {
    match request.headers().len() > most.headers {
        true => Some(Flaw::headers(most)),
        false => is_long(request.uri(), most).then(|| Flaw::target(most)),
    }
}

fn is_long(target: &Uri, most: Head) -> bool {
    target.path_and_query().is_some_and(|target| target.as_str().len() > most.target_bytes)
}

const NO_HOST: Flaw = Flaw::malformed("The request has no `Host` field.");
const BAD_HOST: Flaw = Flaw::malformed("The `Host` field of the request is malformed.");

/// RFC 9112 §3.2: exactly one `Host` in HTTP/1.1, with a valid value.
fn host<B>(request: &mut Request<B>) -> Result<(), Flaw> {
    match sole(request.headers(), &HOST) {
        Ok(Some(host)) if is_host(host) => {}
        Ok(None) if request.version() < Version::HTTP_11 => {}
        Ok(None) => return Err(NO_HOST),
        _ => return Err(BAD_HOST),
    }
    // A target in absolute form says the host itself, and its word counts.
    if let Some(authority) = named(request.uri())?
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        request.headers_mut().insert(HOST, host);
    }
    Ok(())
}

/// RFC 9113 §8.3.1: `:authority` says the host, and a `host` beside it must say the same.
fn authority<B>(request: &Request<B>) -> Result<(), Flaw> {
    match (named(request.uri())?, sole(request.headers(), &HOST)) {
        (Some(_), Ok(None)) => Ok(()),
        (Some(authority), Ok(Some(host))) if is_same(request.uri(), authority, host) => Ok(()),
        (Some(_), _) => Err(Flaw::malformed("`:authority` and `host` of the request do not name the same host.")),
        (None, Ok(Some(host))) if !host.is_empty() && is_host(host) => Ok(()),
        (None, Ok(None)) => Err(Flaw::malformed("The request has neither `:authority` nor `host`.")),
        (None, _) => Err(BAD_HOST),
    }
}

/// The host that a target names, if it does.
fn named(target: &Uri) -> Result<Option<&Authority>, Flaw> {
    let Some(authority) = target.authority() else { return Ok(None) };
    // RFC 9110 §4.2.4: it is there to deceive.
    if authority.as_str().contains('@') {
        return Err(Flaw::malformed("The target of the request names a user, which no target may."));
    }
    match target.scheme_str() {
        None | Some("http" | "https") => Ok(Some(authority)),
        Some(_) => Err(Flaw::malformed("The target of the request is neither `http` nor `https`.")),
    }
}

/// Whether a field says what an authority says.
fn is_same(target: &Uri, authority: &Authority, host: &HeaderValue) -> bool {
    is_same_host(target.scheme_str().unwrap_or("http"), authority.as_str().as_bytes(), host.as_bytes())
}

/// `uri-host [":" port]` (RFC 9110 §7.2), by its characters (RFC 3986 §3.2.2).
fn is_host(value: &HeaderValue) -> bool {
    value.as_bytes().iter().all(|byte| IN_HOST[usize::from(*byte)])
}

/// Which bytes a host and port are made of: a table, because this runs on every call.
static IN_HOST: [bool; 256] = {
    let (mut table, others) = ([false; 256], b"-._~%!$&'()*+,;=:[]");
    let mut byte = 0;
    while byte < table.len() {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    while at < others.len() {
        table[others[at] as usize] = true;
        at += 1;
    }
    table
};

/// RFC 9112 §6.1: a coding that is not understood is 501. hyper sees to it that the last one is `chunked`; whoever
/// wraps another in it would be read as something else than meant, here or by a proxy in front.
fn transfer_coding(headers: &HeaderMap) -> Result<(), Flaw> {
    match sole(headers, &TRANSFER_ENCODING) {
        Ok(None) => Ok(()),
        Ok(Some(coding)) if coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked") => Ok(()),
        _ => Err(Flaw::new(Code::Unimplemented, "No transfer coding but `chunked`, once, is understood.")),
    }
}

/// What is wrong with a target, if it is neither a path nor the `*` of `OPTIONS`.
pub(crate) fn flaw(method: &Method, target: &Uri) -> Option<Flaw> {
    match (method, target.path()) {
        (_, path) if path.starts_with('/') => None,
        (&Method::OPTIONS, "*") => None,
        (&Method::CONNECT, _) => Some(Flaw::new(Code::Unimplemented, "This is not a proxy.")),
        _ => Some(Flaw::malformed("The target of the request must be a path.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_the_same_whatever_its_case_and_with_the_port_of_its_scheme() {
        for (target, host, same) in [
            ("http://a.example/", "A.example:80", true),
            ("http://a.example:80/", "a.example", true),
            ("http://a.example:/", "a.example", true),
            ("https://[::1]/", "[::1]:443", true),
            ("https://a.example/", "a.example:80", false),
            ("http://a.example:81/", "a.example", false),
            ("http://a.example/", "b.example", false),
            ("http://[::80]/", "[::80]", true),
        ] {
            let target = Uri::from_static(target);
            let host = HeaderValue::from_static(host);
            assert_eq!(is_same(&target, target.authority().unwrap(), &host), same, "{target} {host:?}");
        }
    }
}
