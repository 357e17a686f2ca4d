//! `security-headers`: tells browsers what they must not do with the replies of this service.
//!
//! Each field has a safe default and is left out with `null` or `none`. A field that the operation set stays as it is.
//! Refusals carry them too, so this handler stands outside those that refuse. `Strict-Transport-Security` goes out over
//! https alone (RFC 6797 §7.2): the listener speaks TLS itself, or a trusted proxy says that the call came that
//! way. What only matters for a page, such as `Content-Security-Policy`, goes out with pages.

#![expect(unsafe_code, reason = "the entry of a handler stands in a section of the linker")]

use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use crate::conf::{BuildContext, BuildError, Configure};
use crate::handler::Handler;
use crate::invocation::{Invocation, Network};
use crate::reply::Reply;
use crate::{conf, handler};

static FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// What browsers are told. Each field is left out with `null` or `none`.
#[conf]
pub struct Conf {
    /// `Strict-Transport-Security` (RFC 6797), over https alone: how long browsers use nothing else. Add
    /// `; includeSubDomains` where all of them speak https.
    #[conf(default = told("max-age=31536000"))]
    pub strict_transport_security: Option<String>,
    /// `X-Content-Type-Options`: browsers do not guess another type.
    #[conf(default = told("nosniff"))]
    pub x_content_type_options: Option<String>,
    /// `X-Frame-Options`, with pages: whether other pages may frame them. `frame-ancestors` of
    /// `content-security-policy` says the same to newer browsers.
    #[conf(default = told("DENY"))]
    pub x_frame_options: Option<String>,
    /// `Referrer-Policy`: what other services learn of where a visitor comes from.
    #[conf(default = told("strict-origin-when-cross-origin"))]
    pub referrer_policy: Option<String>,
    /// `Permissions-Policy`, with pages: which powers of the browser they may use.
    #[conf(default = told("camera=(), geolocation=(), microphone=()"))]
    pub permissions_policy: Option<String>,
    /// `Content-Security-Policy`, with pages: where what they load and run may come from.
    #[conf(default = told("default-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"))]
    pub content_security_policy: Option<String>,
    /// `Cross-Origin-Opener-Policy`, with pages: whether they share a group of windows with pages of other origins.
    #[conf(default = told("same-origin"))]
    pub cross_origin_opener_policy: Option<String>,
    /// `Cross-Origin-Resource-Policy`: whose pages may embed replies without CORS.
    #[conf(default = told("same-origin"))]
    pub cross_origin_resource_policy: Option<String>,
    /// The proxies that are believed when `X-Forwarded-Proto` says that a call came over https: `10.0.0.0/8`,
    /// `192.0.2.7`, `unix` for Unix sockets. Nobody is by default.
    #[conf(default)]
    pub trusted_proxies: Vec<Network>,
}

fn told(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// Tells browsers what they must not do with replies: guess types, frame pages, leak addresses, load from elsewhere.
/// What an operation says itself stays. List it before what refuses, so that refusals carry the fields too.
#[handler("security-headers", before("auth", "ip-allow", "csrf"))]
pub struct SecurityHeaders {
    fields: Vec<Field>,
    trusted_proxies: Vec<Network>,
}

/// A field that is ready to be sent.
struct Field {
    name: HeaderName,
    value: HeaderValue,
    with: With,
}

/// Which replies a field goes out with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum With {
    All,
    Pages,
    Https,
}

impl Configure for SecurityHeaders {
    type Conf = Conf;

    fn build(conf: Conf, _: &BuildContext<'_>) -> Result<Self, BuildError> {
        let said = [
            ("strict-transport-security", conf.strict_transport_security, With::Https),
            ("x-content-type-options", conf.x_content_type_options, With::All),
            ("x-frame-options", conf.x_frame_options, With::Pages),
            ("referrer-policy", conf.referrer_policy, With::All),
            ("permissions-policy", conf.permissions_policy, With::Pages),
            ("content-security-policy", conf.content_security_policy, With::Pages),
            ("cross-origin-opener-policy", conf.cross_origin_opener_policy, With::Pages),
            ("cross-origin-resource-policy", conf.cross_origin_resource_policy, With::All),
        ];
        let told = said.into_iter().filter_map(|(name, text, with)| Some((name, text?, with)));
        let told = told.filter(|(_, text, _)| text != "none");
        let fields = told.map(|(name, text, with)| field(name, &text, with)).collect::<Result<_, _>>()?;
        Ok(Self { fields, trusted_proxies: conf.trusted_proxies })
    }
}

impl Handler for SecurityHeaders {
    fn after(&self, invocation: &Invocation, reply: &mut Reply) {
        let (is_page, is_https) = (is_page(reply.headers()), self.is_https(invocation));
        let headers = reply.headers_mut();
        for Field { name, value, with } in &self.fields {
            let is_due = match with {
                With::All => true,
                With::Pages => is_page,
                With::Https => is_https,
            };
            if is_due && !headers.contains_key(name) {
                headers.insert(name, value.clone());
            }
        }
    }
}

impl SecurityHeaders {
    /// Whether the call came over https: to this listener, or to a proxy that is trusted and says so. Of several values
    /// the last is its own.
    fn is_https(&self, invocation: &Invocation) -> bool {
        if invocation.call.tls.is_some() {
            return true;
        }
        let Some(said) = invocation.headers().get_all(&FORWARDED_PROTO).iter().next_back() else { return false };
        let proto = said.to_str().unwrap_or_default().rsplit(',').next().unwrap_or_default();
        proto.trim().eq_ignore_ascii_case("https")
            && self.trusted_proxies.iter().any(|network| network.holds(&invocation.call.peer))
    }
}

/// Whether a browser shows the reply as a page, in which scripts may run.
fn is_page(headers: &HeaderMap) -> bool {
    const PAGES: [&str; 5] = ["text/html", "application/xhtml+xml", "image/svg+xml", "text/xml", "application/xml"];
    let Some(kind) = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()) else { return false };
    let kind = kind.split(';').next().unwrap_or_default().trim();
    PAGES.iter().any(|page| kind.eq_ignore_ascii_case(page))
}

fn field(name: &'static str, text: &str, with: With) -> Result<Field, BuildError> {
    let wrong = |message: &str| BuildError::new(name, format!("`{}` {message}", text.escape_debug()));
    let value = HeaderValue::from_str(text).map_err(|_| wrong("cannot stand in a header field"))?;
    match known(name) {
        Some((known, reading)) if !reading.fits(text, known) => {
            Err(wrong("means nothing to browsers").with_help(format!("write {} or `none`", listed(known))))
        }
        None if name == "strict-transport-security" => match strict(text) {
            Ok(()) => Ok(Field { name: HeaderName::from_static(name), value, with }),
            Err(why) => Err(wrong(why).with_help("write `max-age=31536000; includeSubDomains`, or `none`")),
        },
        None if text.trim().is_empty() => Err(wrong("says nothing").with_help("write `none` to leave the field out")),
        _ => Ok(Field { name: HeaderName::from_static(name), value, with }),
    }
}

/// How browsers read a field that is made of few words.
#[derive(Clone, Copy)]
enum Reading {
    /// One word.
    Word,
    /// One word, in capital or small letters.
    AnyCase,
    /// One word, and where browsers report to: `same-origin; report-to="name"`.
    Reporting,
    /// A list of words, the last that a browser knows counts.
    List,
}

impl Reading {
    fn fits(self, text: &str, known: &[&str]) -> bool {
        let is = |word: &str| known.contains(&word.trim());
        match self {
            Self::Word => is(text),
            Self::AnyCase => known.iter().any(|word| text.trim().eq_ignore_ascii_case(word)),
            Self::Reporting => match text.split_once(';') {
                Some((word, place)) => is(word) && quoted(place.trim().strip_prefix("report-to=")).is_some(),
                None => is(text),
            },
            Self::List => text.split(',').all(is),
        }
    }
}

fn quoted(text: Option<&str>) -> Option<&str> {
    let inner = text?.strip_prefix('"')?.strip_suffix('"')?;
    Some(inner).filter(|inner| !inner.is_empty() && !inner.contains('"'))
}

/// What is wrong with a value of `Strict-Transport-Security` (RFC 6797 §6.1).
fn strict(text: &str) -> Result<(), &'static str> {
    let mut ages = 0;
    for said in text.split(';').map(str::trim).filter(|said| !said.is_empty()) {
        let (word, age) = said.split_once('=').map_or((said, None), |(word, age)| (word.trim(), Some(age.trim())));
        match (word.to_ascii_lowercase().as_str(), age) {
            ("max-age", Some(age)) if age.trim_matches('"').parse::<u64>().is_ok() => ages += 1,
            ("max-age", _) => return Err("does not say how long in seconds"),
            ("includesubdomains" | "preload", None) => {}
            _ => return Err("has a word that means nothing to browsers"),
        }
    }
    if ages == 1 { Ok(()) } else { Err("does not say how long, or says it twice") }
}

/// The words a field is made of, where they are few: a misspelt one would be ignored without a word.
fn known(name: &str) -> Option<(&'static [&'static str], Reading)> {
    Some(match name {
        "x-content-type-options" => (&["nosniff"], Reading::AnyCase),
        "x-frame-options" => (&["DENY", "SAMEORIGIN"], Reading::AnyCase),
        "referrer-policy" => (
            &[
                "no-referrer",
                "no-referrer-when-downgrade",
                "origin",
                "origin-when-cross-origin",
                "same-origin",
                "strict-origin",
                "strict-origin-when-cross-origin",
                "unsafe-url",
            ],
            Reading::List,
        ),
        "cross-origin-opener-policy" => {
            (&["same-origin", "same-origin-allow-popups", "noopener-allow-popups", "unsafe-none"], Reading::Reporting)
        }
        "cross-origin-resource-policy" => (&["same-origin", "same-site", "cross-origin"], Reading::Word),
        _ => return None,
    })
}

fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use http::Response;
    use serde_json::{Value, json};

    use super::*;
    use crate::conf::fixture::built;
    use crate::fault::{Code, Fault};
    use crate::invocation::{Peer, fixture};

    const PLAIN: [&str; 3] = ["cross-origin-resource-policy", "referrer-policy", "x-content-type-options"];

    fn reply(fields: &[(&str, &str)]) -> Reply {
        let response =
            fields.iter().fold(Response::builder(), |response, (name, value)| response.header(*name, *value));
        Reply::from(response.body(axum::body::Body::empty()).unwrap())
    }

    fn page() -> Reply {
        reply(&[("content-type", "text/HTML; charset=utf-8")])
    }

    /// The names of the fields that a reply has afterwards, sorted; but for its type.
    fn told(conf: Value, call: &Invocation, mut reply: Reply) -> Vec<String> {
        built::<SecurityHeaders>(conf).unwrap().after(call, &mut reply);
        let names = reply.headers().keys().filter(|name| **name != CONTENT_TYPE);
        let mut names: Vec<_> = names.map(ToString::to_string).collect();
        names.sort();
        names
    }

    fn call(forwarded: &[&str]) -> Invocation {
        let mut call = fixture::call(fixture::request("GET", "/"));
        for proto in forwarded {
            call.parts.headers.append(&FORWARDED_PROTO, proto.parse().unwrap());
        }
        call.call.peer = Peer::Ip("10.0.0.1:1".parse().unwrap());
        call
    }

    #[test]
    fn every_reply_says_what_matters_for_every_reply_refusals_too() {
        assert_eq!(told(json!({}), &call(&[]), reply(&[("content-type", "application/json")])), PLAIN);
        let refusal = Reply::from(Fault::new(Code::NotFound, "Nothing is there."));
        assert_eq!(told(json!({}), &call(&[]), refusal), PLAIN);
    }

    #[test]
    fn pages_say_what_matters_for_pages() {
        let expected = [
            "content-security-policy",
            "cross-origin-opener-policy",
            "cross-origin-resource-policy",
            "permissions-policy",
            "referrer-policy",
            "x-content-type-options",
            "x-frame-options",
        ];
        assert_eq!(told(json!({}), &call(&[]), page()), expected);
        assert_eq!(told(json!({}), &call(&[]), reply(&[("content-type", "image/svg+xml")])), expected);
    }

    #[test]
    fn transport_security_goes_out_over_https_alone() {
        let trusting = json!({ "trusted-proxies": ["10.0.0.0/8"] });
        let strict = |conf: &Value, call: &Invocation| {
            told(conf.clone(), call, reply(&[])).contains(&"strict-transport-security".to_owned())
        };
        for (forwarded, expected) in [
            (&["https"][..], true),
            (&["http, HTTPS"], true),
            (&["http"], false),
            (&["https", "http"], false),
            (&["https, http"], false),
            (&[], false),
        ] {
            assert_eq!(strict(&trusting, &call(forwarded)), expected, "{forwarded:?}");
            assert!(!strict(&json!({}), &call(forwarded)), "nobody is trusted unless said");
        }
        let mut encrypted = call(&[]);
        encrypted.call.tls = Some(Default::default());
        assert!(strict(&json!({}), &encrypted));
    }

    #[test]
    fn what_an_operation_says_itself_stays() {
        let mut reply = reply(&[("content-type", "text/html"), ("x-frame-options", "SAMEORIGIN")]);
        built::<SecurityHeaders>(json!({})).unwrap().after(&call(&[]), &mut reply);
        assert_eq!(reply.headers()["x-frame-options"], "SAMEORIGIN");
        assert_eq!(reply.headers().get_all("x-frame-options").iter().count(), 1);
    }

    #[test]
    fn null_and_none_leave_a_field_out() {
        let conf = json!({ "referrer-policy": null, "cross-origin-resource-policy": "none" });
        assert_eq!(told(conf, &call(&[]), reply(&[])), ["x-content-type-options"]);
    }

    #[test]
    fn a_word_that_browsers_ignore_is_refused() {
        let error = |conf| built::<SecurityHeaders>(conf).err().map(|error| (error.to_string(), error.help.unwrap()));
        let said = error(json!({ "x-frame-options": "deny-all" })).unwrap();
        assert_eq!(said.0, "`x-frame-options`: `deny-all` means nothing to browsers");
        assert_eq!(said.1, "write `DENY`, `SAMEORIGIN` or `none`");
        for (key, text) in [
            ("referrer-policy", "origin, nothing"),
            ("referrer-policy", ""),
            ("strict-transport-security", "31536000"),
            ("strict-transport-security", "max-age="),
            ("strict-transport-security", "max-age=1y"),
            ("strict-transport-security", "max-age=1; max-age=2"),
            ("strict-transport-security", "max-age=1; includeSubDomain"),
            ("x-frame-options", "DENY, SAMEORIGIN"),
            ("x-content-type-options", "nosniff, nosniff"),
            ("cross-origin-resource-policy", "same-site, same-origin"),
            ("cross-origin-opener-policy", "same-origin; report-to=x"),
            ("cross-origin-opener-policy", "same-origin; reports-to=\"x\""),
            ("permissions-policy", ""),
            ("content-security-policy", " "),
        ] {
            assert!(error(json!({ key: text })).is_some(), "{key}: {text}");
        }
        assert!(built::<SecurityHeaders>(json!({ "content-security-policy": "default-src 'self'\r\nx: y" })).is_err());
    }

    #[test]
    fn what_browsers_understand_is_taken() {
        for (key, text) in [
            ("x-frame-options", "deny"),
            ("x-content-type-options", "NoSniff"),
            ("referrer-policy", "no-referrer, strict-origin-when-cross-origin"),
            ("cross-origin-opener-policy", "same-origin; report-to=\"x\""),
            ("strict-transport-security", "max-age=0"),
            ("strict-transport-security", "Max-Age=\"31536000\"; includeSubDomains; preload;"),
        ] {
            assert!(built::<SecurityHeaders>(json!({ key: text })).is_ok(), "{key}: {text}");
        }
    }
}
