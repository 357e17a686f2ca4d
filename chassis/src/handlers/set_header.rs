//! `set-header`: sets, adds and removes header fields, on requests and on replies, and mirrors some of a request.
//!
//! Fields are removed first, then set, then appended to. What frames a message or belongs to one connection (RFC 9110
//! §7.6.1) is refused at the start: a field of that kind would let the next call be read as a part of this one.

#![expect(unsafe_code, reason = "the entry of a handler stands in a section of the linker")]

use std::collections::BTreeMap;

use http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::conf::{BuildContext, BuildError, Configure};
use crate::handler::{Handler, Verdict};
use crate::invocation::Invocation;
use crate::reply::Reply;
use crate::{conf, handler};

/// Names that frame a message, belong to one connection, or said already where the call goes.
const REFUSED: [&str; 10] = [
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
];

/// What a reply says to browsers, caches and proxies begins with one of these: whoever sends it would choose that.
const FAMILIES: [&str; 18] = [
    "access-control-",
    "attribution-reporting-",
    "content-",
    "cross-origin-",
    "document-policy",
    "permissions-policy",
    "public-key-pins",
    "ratelimit",
    "sec-",
    "server-timing",
    "surrogate-",
    "x-accel-",
    "x-content-type-",
    "x-envoy-",
    "x-litespeed-",
    "x-ratelimit-",
    "x-reproxy-",
    "x-sendfile",
];

/// What a reply says to them besides, and what a request proves its caller with, which pages would read. What ends in
/// `cache-control` is among it.
const UNMIRRORED: [&str; 61] = [
    "accept-ch",
    "accept-ranges",
    "activate-storage-access",
    "age",
    "allow",
    "alt-svc",
    "authorization",
    "cache-tag",
    "clear-site-data",
    "cookie",
    "critical-ch",
    "date",
    "digest",
    "edge-cache-tag",
    "etag",
    "expect-ct",
    "expires",
    "feature-policy",
    "last-modified",
    "link",
    "location",
    "nel",
    "no-vary-search",
    "observe-browsing-topics",
    "origin-agent-cluster",
    "origin-trial",
    "pragma",
    "proxy-authenticate",
    "proxy-authorization",
    "referrer-policy",
    "refresh",
    "report-to",
    "reporting-endpoints",
    "repr-digest",
    "retry-after",
    "server",
    "service-worker-allowed",
    "set-cookie",
    "set-cookie2",
    "set-login",
    "sourcemap",
    "speculation-rules",
    "status",
    "strict-transport-security",
    "supports-loading-mode",
    "timing-allow-origin",
    "use-as-dictionary",
    "vary",
    "warning",
    "www-authenticate",
    "x-api-key",
    "x-dns-prefetch-control",
    "x-download-options",
    "x-frame-options",
    "x-lighttpd-send-file",
    "x-permitted-cross-domain-policies",
    "x-robots-tag",
    "x-sourcemap",
    "x-ua-compatible",
    "x-xss-protection",
    "xkey",
];

/// What becomes of header fields.
#[conf]
pub struct Conf {
    /// On requests, before the handlers behind this one and the operation see them.
    #[conf(default)]
    pub request: Edits,
    /// On replies, after the operation and the handlers behind this one.
    #[conf(default)]
    pub reply: Edits,
    /// The request's fields that the reply repeats, as the operation saw them: `[X-Correlation-Id]`. A field that the
    /// reply has already stays. What browsers, caches or proxies act on cannot be repeated, nor what a caller proves
    /// itself with.
    #[conf(default)]
    pub mirror: Vec<String>,
}

/// What becomes of the header fields of one message.
#[conf]
pub struct Edits {
    /// The fields that are removed.
    #[conf(default)]
    pub remove: Vec<String>,
    /// The fields that get this value, in place of what they have: `{ X-Served-By: edge }`.
    #[conf(default)]
    pub set: BTreeMap<String, String>,
    /// The fields that get this value beside what they have.
    #[conf(default)]
    pub append: BTreeMap<String, String>,
}

/// Sets, adds and removes header fields, on requests and on replies, and repeats fields of the request in the reply.
#[handler("set-header")]
pub struct SetHeader {
    request: Ready,
    reply: Ready,
    mirror: Vec<HeaderName>,
}

/// Edits that are ready to be made.
struct Ready {
    remove: Vec<HeaderName>,
    set: Vec<(HeaderName, HeaderValue)>,
    append: Vec<(HeaderName, HeaderValue)>,
}

impl Configure for SetHeader {
    type Conf = Conf;

    fn build(conf: Conf, _: &BuildContext<'_>) -> Result<Self, BuildError> {
        Ok(Self {
            request: conf.request.build().map_err(|error| error.below("request"))?,
            reply: conf.reply.build().map_err(|error| error.below("reply"))?,
            mirror: names("mirror", &conf.mirror)?.into_iter().enumerate().map(mirrored).collect::<Result<_, _>>()?,
        })
    }
}

impl Handler for SetHeader {
    fn before(&self, invocation: &mut Invocation) -> Verdict {
        self.request.edit(&mut invocation.parts.headers);
        Verdict::Continue
    }

    fn after(&self, invocation: &Invocation, reply: &mut Reply) {
        for name in self.mirror.iter().filter(|name| invocation.headers().contains_key(*name)) {
            if !reply.headers().contains_key(name) {
                let values = invocation.headers().get_all(name).iter().cloned();
                reply.headers_mut().extend(values.map(|value| (name.clone(), value)));
            }
        }
        self.reply.edit(reply.headers_mut());
    }
}

impl Edits {
    fn build(&self) -> Result<Ready, BuildError> {
        Ok(Ready {
            remove: names("remove", &self.remove)?,
            set: fields("set", &self.set)?,
            append: fields("append", &self.append)?,
        })
    }
}

impl Ready {
    fn edit(&self, headers: &mut HeaderMap) {
        for name in &self.remove {
            headers.remove(name);
        }
        for (name, value) in &self.set {
            headers.insert(name, value.clone());
        }
        for (name, value) in &self.append {
            headers.append(name, value.clone());
        }
    }
}

fn names(key: &str, names: &[String]) -> Result<Vec<HeaderName>, BuildError> {
    names.iter().enumerate().map(|(at, text)| name(&format!("{key}[{at}]"), text)).collect()
}

fn fields(key: &str, fields: &BTreeMap<String, String>) -> Result<Vec<(HeaderName, HeaderValue)>, BuildError> {
    let read = |(text, value): (&String, &String)| {
        let at = format!("{key}.{text}");
        let wrong =
            |_| BuildError::new(at.clone(), format!("`{}` cannot stand in a header field", value.escape_debug()));
        Ok((name(&at, text)?, HeaderValue::from_str(value).map_err(wrong)?))
    };
    let read: Vec<(HeaderName, HeaderValue)> = fields.iter().map(read).collect::<Result<_, _>>()?;
    let twice = read.iter().enumerate().find(|(at, (name, _))| read[..*at].iter().any(|(other, _)| other == name));
    match twice.and_then(|(at, (name, _))| Some((name, fields.keys().nth(at)?))) {
        Some((name, text)) => Err(BuildError::new(format!("{key}.{text}"), format!("`{name}` is there twice"))
            .with_help("keep one of the two: capital and small letters are the same in names")),
        None => Ok(read),
    }
}

fn name(key: &str, text: &str) -> Result<HeaderName, BuildError> {
    let name = text.parse::<HeaderName>().map_err(|_| {
        BuildError::new(key, format!("`{text}` is not a header name"))
            .with_help("a header name has letters, digits and hyphens, such as `X-Served-By`")
    })?;
    if REFUSED.contains(&name.as_str()) {
        let message =
            format!("`{text}` frames messages or belongs to one connection: nobody but the protocol writes it");
        return Err(BuildError::new(key, message).with_help("remove it from the list"));
    }
    Ok(name)
}

/// What says how a reply is treated is not the caller's to choose: a reply of plain text would become a page.
fn mirrored((at, name): (usize, HeaderName)) -> Result<HeaderName, BuildError> {
    let text = name.as_str();
    let is_told = FAMILIES.iter().any(|family| text.starts_with(family)) || text.ends_with("cache-control");
    if is_told || UNMIRRORED.contains(&text) {
        let message = format!(
            "`{name}` cannot be mirrored: callers would choose what browsers, caches and proxies make of the reply, or \
             pages read what callers prove themselves with"
        );
        let help = "mirror what only names a call, such as an id";
        return Err(BuildError::new(format!("mirror[{at}]"), message).with_help(help));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::conf::fixture::built;
    use crate::invocation::fixture;

    fn call(fields: &[(&'static str, &str)]) -> Invocation {
        let mut call = fixture::call(fixture::request("GET", "/"));
        for (name, value) in fields {
            call.parts.headers.append(*name, value.parse().unwrap());
        }
        call
    }

    fn listed(headers: &HeaderMap) -> Vec<String> {
        headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect()
    }

    /// The fields of the request as the operation sees them, and those of the reply as it leaves.
    fn passed(conf: Value, mut call: Invocation, replied: &[(&'static str, &str)]) -> (Vec<String>, Vec<String>) {
        let handler = built::<SetHeader>(conf).unwrap();
        assert!(matches!(handler.before(&mut call), Verdict::Continue));
        let mut reply = Reply::new(());
        for (name, value) in replied {
            reply.headers_mut().append(*name, value.parse().unwrap());
        }
        handler.after(&call, &mut reply);
        (listed(call.headers()), listed(reply.headers()))
    }

    #[test]
    fn fields_are_removed_then_set_then_appended_to() {
        let edits = json!({ "remove": ["a"], "set": { "b": "2" }, "append": { "c": "2", "b": "3" } });
        let fields = [("a", "1"), ("a", "1"), ("b", "1"), ("c", "1")];
        let expected = ["b: 2", "b: 3", "c: 1", "c: 2"];
        let sorted = |mut fields: Vec<String>| {
            fields.sort();
            fields
        };
        let (request, reply) = passed(json!({ "request": edits }), call(&fields), &fields);
        assert_eq!(sorted(request), expected);
        assert_eq!(reply.len(), 4, "a reply is edited for itself");
        let (request, reply) = passed(json!({ "reply": edits }), call(&fields), &fields);
        assert_eq!((request.len(), sorted(reply)), (4, expected.map(str::to_owned).to_vec()));
    }

    #[test]
    fn a_mirrored_field_comes_back_unless_the_reply_has_its_own() {
        let conf = json!({ "mirror": ["X-Correlation-Id"] });
        let sent = [("x-correlation-id", "1"), ("x-correlation-id", "2"), ("x-other", "3")];
        assert_eq!(passed(conf.clone(), call(&sent), &[]).1, ["x-correlation-id: 1", "x-correlation-id: 2"]);
        assert_eq!(passed(conf.clone(), call(&sent), &[("x-correlation-id", "own")]).1, ["x-correlation-id: own"]);
        assert_eq!(passed(conf, call(&[]), &[]).1, [""; 0]);
    }

    #[test]
    fn nothing_is_changed_unless_said() {
        let (request, reply) = passed(json!({}), call(&[("a", "1")]), &[("b", "1")]);
        assert_eq!((request, reply), (vec!["a: 1".to_owned()], vec!["b: 1".to_owned()]));
    }

    fn error(conf: Value) -> String {
        built::<SetHeader>(conf).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn what_frames_a_message_or_belongs_to_a_connection_is_refused() {
        for name in REFUSED {
            let title = name.to_uppercase();
            for conf in [
                json!({ "request": { "set": { title.clone(): "x" } } }),
                json!({ "reply": { "append": { title.clone(): "x" } } }),
                json!({ "reply": { "remove": [title.clone()] } }),
                json!({ "mirror": [title.clone()] }),
            ] {
                assert!(error(conf).contains("nobody but the protocol writes it"), "{name}");
            }
        }
    }

    #[test]
    fn what_cannot_be_a_field_is_refused_at_its_key() {
        assert_eq!(
            error(json!({ "reply": { "set": { "x-a": "1\r\nx-b: 2" } } })),
            r"`reply.set.x-a`: `1\r\nx-b: 2` cannot stand in a header field"
        );
        assert_eq!(
            error(json!({ "request": { "remove": ["a b"] } })),
            "`request.remove[0]`: `a b` is not a header name"
        );
    }

    #[test]
    fn a_caller_does_not_choose_how_browsers_read_the_reply() {
        let told = "content-type content-encoding access-control-allow-origin Cross-Origin-Opener-Policy cache-control \
                    cdn-cache-control surrogate-control surrogate-key cache-tag date server allow status pragma warning \
                    feature-policy permissions-policy-report-only server-timing no-vary-search critical-ch sec-gpc \
                    x-xss-protection x-dns-prefetch-control x-permitted-cross-domain-policies x-accel-redirect \
                    x-reproxy-url x-sendfile x-envoy-immediate-health-check-fail public-key-pins-report-only expect-ct \
                    set-login activate-storage-access supports-loading-mode use-as-dictionary ratelimit ratelimit-policy \
                    accept-ranges";
        for name in told.split_whitespace().chain(UNMIRRORED) {
            let error = error(json!({ "mirror": ["x-id", name] }));
            assert!(error.starts_with("`mirror[1]`: ") && error.contains("cannot be mirrored"), "{name}: {error}");
        }
        for name in ["X-Correlation-Id", "traceparent", "Accept-Language"] {
            assert_eq!(error(json!({ "mirror": [name] })), "", "{name}");
        }
    }

    #[test]
    fn a_field_is_set_once_however_its_name_is_written() {
        let twice = json!({ "X-A": "1", "x-a": "2" });
        for key in ["set", "append"] {
            let error = error(json!({ "reply": { key: twice } }));
            assert_eq!(error, format!("`reply.{key}.x-a`: `x-a` is there twice"));
        }
    }
}
