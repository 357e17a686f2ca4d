//! What OpenTelemetry's semantic conventions for HTTP call the parts of a call: few words, whatever callers make up.

use http::{Method, Version};

use super::Invocation;
use crate::operation::Operation;

/// The methods that are told apart; the last stands for all that anybody may invent.
pub(crate) const METHODS: [&str; 11] =
    ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY", OTHER];

/// What a method is called that is not known: anyone can invent one.
pub(crate) const OTHER: &str = "_OTHER";

/// The schemes that are told apart: `https` comes over TLS, or from a proxy that speaks it for us.
pub(crate) const SCHEMES: [&str; 2] = ["http", "https"];

/// Whether a method is one of HTTP's own: of RFC 9110 §9.3, of RFC 5789, or `QUERY`.
pub(crate) fn is_known(sent: &Method) -> bool {
    METHODS[method(sent)] != OTHER
}

/// The place of a method among [`METHODS`].
pub(crate) fn method(method: &Method) -> usize {
    // The first of them, and what most calls are.
    if *method == Method::GET {
        return 0;
    }
    let other = METHODS.len() - 1;
    METHODS[..other].iter().position(|known| *known == method.as_str()).unwrap_or(other)
}

/// What a method is called: as it was sent where it is known, or leads to the operation that was declared with it.
pub(crate) fn name<'a>(sent: &Method, operation: Option<&'a Operation>) -> &'a str {
    name_at(method(sent), operation)
}

/// The same for a method by its place among [`METHODS`].
pub(crate) fn name_at(place: usize, operation: Option<&Operation>) -> &str {
    match METHODS[place] {
        OTHER => operation.and_then(own).unwrap_or(OTHER),
        known => known,
    }
}

/// The method of an operation, if that is one that its author invented. Nothing else that is not known leads to it.
fn own(operation: &Operation) -> Option<&str> {
    let own: &str = &operation.method;
    (own != ANY && !METHODS.contains(&own)).then_some(own)
}

/// What operations for whatever method are declared with.
const ANY: &str = "*";

/// The place of what the call came by among [`SCHEMES`]: what its connection is, or what the caller says.
pub(crate) fn scheme(invocation: &Invocation) -> usize {
    usize::from(invocation.call.tls.is_some() || invocation.uri().scheme_str() == Some("https"))
}

/// The versions of HTTP that are told apart, those of most calls first; any other has no name.
pub(crate) const VERSIONS: [Option<&str>; 5] = [Some("1.1"), Some("2"), Some("1.0"), Some("3"), None];

/// The place of the version of a call among [`VERSIONS`].
pub(crate) fn version(version: Version) -> usize {
    match version {
        Version::HTTP_11 => 0,
        Version::HTTP_2 => 1,
        Version::HTTP_10 => 2,
        Version::HTTP_3 => 3,
        _ => 4,
    }
}
