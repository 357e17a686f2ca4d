//! The host that is called, wherever the protocol says it, and what is the same host.

use http::header::{HOST, HeaderName, HeaderValue};
use http::uri::Authority;

use super::Invocation;

impl Invocation {
    /// The values of a header field, in order. HTTP/2 says the host in the target (`:authority`, RFC 9113 §8.3.1): where
    /// there is no `Host`, that is its value, so that nobody passes what is said of it by choosing the protocol.
    pub fn values(&self, name: &HeaderName) -> impl DoubleEndedIterator<Item = &[u8]> {
        let sent = self.headers().get_all(name).iter().map(HeaderValue::as_bytes);
        let target = if *name == HOST { self.target_host() } else { None };
        sent.chain(target)
    }

    /// The host that is called, and its port if the caller says one, as it is written; `None` where none is said, or
    /// several are.
    pub fn host(&self) -> Option<&str> {
        let mut said = self.values(&HOST);
        let host = said.next().filter(|_| said.next().is_none())?;
        std::str::from_utf8(host).ok()
    }

    /// What stands in the target for a `Host` that is not there.
    fn target_host(&self) -> Option<&[u8]> {
        let authority = self.uri().authority().map(Authority::as_str).map(str::as_bytes);
        authority.filter(|_| !self.headers().contains_key(HOST))
    }
}

/// Whether these name the same host and port, which may be left out where it is the usual one of the
/// scheme (RFC 3986 §6.2.3).
pub(crate) fn is_same_host(scheme: &str, one: &[u8], other: &[u8]) -> bool {
    let port: &[u8] = if scheme == "https" { b":443" } else { b":80" };
    without(one, port).eq_ignore_ascii_case(without(other, port))
}

fn without<'a>(host: &'a [u8], port: &[u8]) -> &'a [u8] {
    host.strip_suffix(port).or(host.strip_suffix(b":")).unwrap_or(host)
}

/// Whether this is a host as an origin has it: with a port, if any, as browsers write it.
pub(crate) fn is_host_of_origin(text: &str) -> bool {
    let Ok(authority) = text.parse::<Authority>() else { return false };
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|number| number.to_string() == port);
    let is_rest = |rest: &str| rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port);
    !authority.host().is_empty() && text.strip_prefix(authority.host()).is_some_and(is_rest)
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    fn host(uri: &str, fields: &[&'static str]) -> Option<String> {
        let mut call = fixture::call(fixture::request("GET", uri));
        for host in fields {
            call.parts.headers.append(HOST, HeaderValue::from_static(host));
        }
        call.host().map(str::to_owned)
    }

    #[test]
    fn the_host_is_the_same_in_every_protocol() {
        assert_eq!(host("/", &["a.example:8443"]).as_deref(), Some("a.example:8443"));
        assert_eq!(host("https://a.example:8443/", &[]).as_deref(), Some("a.example:8443"));
        assert_eq!(host("https://a.example/", &["a.example"]).as_deref(), Some("a.example"));
    }

    #[test]
    fn none_and_several_are_no_host() {
        assert_eq!(host("/", &[]), None);
        assert_eq!(host("/", &["a.example", "b.example"]), None);
    }

    #[test]
    fn a_target_stands_for_no_other_field() {
        let call = fixture::call(fixture::request("GET", "https://a.example/"));
        assert_eq!(call.values(&http::header::ORIGIN).count(), 0);
    }
}
