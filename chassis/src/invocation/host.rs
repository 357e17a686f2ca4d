//! The host that is called, wherever the protocol says it.

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
