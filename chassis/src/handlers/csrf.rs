//! `csrf`: refuses what a page of another origin makes a visitor's browser send.
//!
//! Browsers say where a call comes from: in `Sec-Fetch-Site` (Fetch Metadata), older ones in `Origin` alone. A call that
//! may change something and comes from another origin is refused, unless that origin is listed. What says neither is no
//! browser and passes: it holds no visitor's cookies. No token is needed, and no cookie. `GET`, `HEAD` and `OPTIONS`
//! pass, so an operation that changes something must not answer to those.

#![expect(unsafe_code, reason = "the entry of a handler stands in a section of the linker")]

use http::header::{HOST, HeaderName, HeaderValue, ORIGIN};
use http::{HeaderMap, Method};

use crate::conf::{BuildContext, BuildError, Configure};
use crate::fault::{Code, Fault};
use crate::handler::{Handler, Verdict};
use crate::invocation::{Invocation, is_host_of_origin, is_same_host};
use crate::{conf, handler};

static SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whose pages may send what changes something.
#[conf]
pub struct Conf {
    /// The other origins whose pages may, as browsers write them: `https://app.example`, with the port if it is not
    /// the usual one. The service's own pages always may. Each is compared as it is; there are no wildcards.
    #[conf(default)]
    pub trusted_origins: Vec<String>,
}

/// Refuses calls that change something and that a page of another origin makes a visitor's browser send, with 403.
/// Calls that no browser sends pass. List it where visitors are known by a cookie.
#[handler("csrf")]
pub struct Csrf {
    trusted: Vec<HeaderValue>,
}

impl Configure for Csrf {
    type Conf = Conf;

    fn build(conf: Conf, _: &BuildContext<'_>) -> Result<Self, BuildError> {
        let numbered = conf.trusted_origins.iter().enumerate();
        let trusted = numbered.map(|(at, text)| origin(text).map_err(|error| error.below(&key(at))));
        Ok(Self { trusted: trusted.collect::<Result<_, _>>()? })
    }
}

impl Handler for Csrf {
    fn before(&self, invocation: &mut Invocation) -> Verdict {
        if self.admits(invocation) { Verdict::Continue } else { Verdict::Refuse(refusal(invocation)) }
    }
}

impl Csrf {
    fn admits(&self, invocation: &Invocation) -> bool {
        if [Method::GET, Method::HEAD, Method::OPTIONS].contains(invocation.method()) {
            return true;
        }
        let headers = invocation.headers();
        let mut sites = headers.get_all(&SEC_FETCH_SITE).iter().peekable();
        let own = match sites.peek() {
            // `none` is the visitor's own doing: the address bar, a bookmark.
            Some(_) => sites.all(|site| site == "same-origin" || site == "none"),
            None => !headers.contains_key(ORIGIN) || is_own(invocation),
        };
        own || only(headers, &ORIGIN).is_some_and(|origin| self.trusted.contains(origin))
    }
}

/// Whether the origin is the host that is called. Which scheme it has cannot be told: a proxy may have taken TLS off.
fn is_own(invocation: &Invocation) -> bool {
    let origin = text(invocation.headers(), &ORIGIN).and_then(|origin| origin.split_once("://"));
    let same = |((scheme, origin), host): ((&str, &str), &str)| {
        // Browsers leave the usual port out of an origin, and others may name it in the host.
        is_same_host(scheme, origin.as_bytes(), host.as_bytes())
    };
    origin.zip(invocation.host()).is_some_and(same)
}

/// The value, unless there are several: no browser sends that.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    only(headers, name)?.to_str().ok()
}

fn refusal(invocation: &Invocation) -> Fault {
    let mut fault = Fault::new(Code::PermissionDenied, "Pages of other origins may not make this call.");
    for name in [&SEC_FETCH_SITE, &ORIGIN, &HOST] {
        if let Some(value) = invocation.values(name).next() {
            fault = fault.with_evidence(name.to_string(), String::from_utf8_lossy(value).into_owned());
        }
    }
    match text(invocation.headers(), &ORIGIN) {
        Some(origin) => fault.with_remedy(format!("List `{origin}` in `trusted-origins` of `csrf`, if it is yours.")),
        None => fault,
    }
}

fn key(at: usize) -> String {
    format!("trusted-origins[{at}]")
}

/// Checks that an origin is written as browsers write it, because it is compared as text.
fn origin(text: &str) -> Result<HeaderValue, BuildError> {
    let wrong = |message: &str| {
        BuildError::new("", format!("`{text}` {message}"))
            .with_help("write `https://app.example`, with its port if unusual")
    };
    let (scheme, host) = text.split_once("://").ok_or_else(|| wrong("has no scheme"))?;
    if host.contains('*') {
        return Err(wrong("has a wildcard; origins are compared as they are"));
    }
    if host.contains(['/', '?', '#', '@']) {
        return Err(wrong("has more than scheme, host and port"));
    }
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(wrong("has capital letters, which browsers do not send"));
    }
    let usual = [("https", ":443"), ("http", ":80")];
    if usual.iter().any(|(known, port)| scheme == *known && host.ends_with(port)) {
        return Err(wrong("names the usual port, which browsers leave out"));
    }
    let sound = !scheme.is_empty() && is_host_of_origin(host);
    HeaderValue::from_str(text).ok().filter(|_| sound).ok_or_else(|| wrong("is not an origin"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::conf::fixture::built;
    use crate::invocation::fixture;

    fn fault(method: &str, fields: &[(&'static str, &str)]) -> Option<Fault> {
        let mut call = fixture::call(fixture::request(method, "/"));
        for (name, value) in fields {
            call.parts.headers.append(*name, value.parse().unwrap());
        }
        let csrf = built::<Csrf>(json!({ "trusted-origins": ["https://app.example"] })).unwrap();
        match csrf.before(&mut call) {
            Verdict::Refuse(fault) => Some(fault),
            _ => None,
        }
    }

    fn passes(method: &str, fields: &[(&'static str, &str)]) -> bool {
        fault(method, fields).is_none()
    }

    const HOST: (&str, &str) = ("host", "own.example");

    #[test]
    fn what_changes_nothing_passes() {
        for method in ["GET", "HEAD", "OPTIONS"] {
            assert!(passes(method, &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")]));
        }
    }

    #[test]
    fn a_browser_says_itself_whether_the_page_is_another_origins() {
        for (site, expected) in
            [("same-origin", true), ("none", true), ("cross-site", false), ("same-site", false), ("other", false)]
        {
            for method in ["POST", "PUT", "PATCH", "DELETE", "PURGE"] {
                assert_eq!(passes(method, &[HOST, ("sec-fetch-site", site)]), expected, "{method} {site}");
            }
        }
        assert!(!passes("POST", &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")]));
    }

    #[test]
    fn an_older_browser_is_told_by_its_origin() {
        for (origin, expected) in [
            ("https://own.example", true),
            ("http://own.example", true),
            ("https://OWN.example", true),
            ("https://own.example:8443", false),
            ("https://own.example.evil", false),
            ("https://evil.example", false),
            ("null", false),
            ("", false),
        ] {
            assert_eq!(passes("POST", &[HOST, ("origin", origin)]), expected, "{origin}");
        }
        assert!(!passes("POST", &[HOST, ("origin", "https://own.example"), ("origin", "https://evil.example")]));
    }

    #[test]
    fn a_host_with_its_usual_port_is_the_same() {
        for (host, origin, expected) in [
            ("own.example:443", "https://own.example", true),
            ("own.example:80", "http://own.example", true),
            ("own.example:80", "https://own.example", false),
            ("own.example:443", "http://own.example", false),
            ("own.example:8443", "https://own.example:8443", true),
            ("own.example:8443", "https://own.example", false),
        ] {
            assert_eq!(passes("POST", &[("host", host), ("origin", origin)]), expected, "{host} {origin}");
        }
    }

    #[test]
    fn what_is_no_browser_passes() {
        assert!(passes("POST", &[]));
        assert!(passes("POST", &[HOST]));
    }

    #[test]
    fn a_trusted_origin_passes_as_it_is_written() {
        for (origin, expected) in [
            ("https://app.example", true),
            ("http://app.example", false),
            ("https://app.example:8443", false),
            ("https://sub.app.example", false),
        ] {
            assert_eq!(
                passes("POST", &[HOST, ("origin", origin), ("sec-fetch-site", "cross-site")]),
                expected,
                "{origin}"
            );
            assert_eq!(passes("POST", &[HOST, ("origin", origin)]), expected, "{origin}");
        }
    }

    #[test]
    fn a_refusal_shows_operators_what_the_browser_said() {
        let fault =
            fault("POST", &[HOST, ("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")]).unwrap();
        assert_eq!(fault.code(), Code::PermissionDenied);
        let evidence: Vec<_> = fault.evidence().map(|(name, value)| format!("{name}={value}")).collect();
        let expected = ["sec-fetch-site=\"cross-site\"", "origin=\"https://evil.example\"", "host=\"own.example\""];
        assert_eq!(evidence, expected);
        assert!(fault.remedy().unwrap().contains("`https://evil.example`"));
    }

    #[test]
    fn origins_are_written_as_browsers_send_them() {
        for odd in [
            "app.example",
            "https://*.example",
            "https://app.example/",
            "https://App.example",
            "https://app.example:443",
            "http://app.example:80",
            "https://user@app.example",
            "null",
            "https://",
            "https://a b",
            "https://app.example:99999",
            "https://app.example:",
            "https://app.example:08443",
        ] {
            let error = built::<Csrf>(json!({ "trusted-origins": [odd] })).err().unwrap();
            assert_eq!(error.at, "trusted-origins[0]", "{odd}");
        }
        assert!(built::<Csrf>(json!({ "trusted-origins": ["http://localhost:3000", "http://[::1]:8080"] })).is_ok());
    }
}
