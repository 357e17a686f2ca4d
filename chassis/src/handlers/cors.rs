//! `cors`: lets pages of other origins call, and their browsers read the answers (Fetch standard, §3.2).
//!
//! A preflight is answered here, with 204, before anything asks for credentials: browsers send none with it. So this
//! handler stands before what enforces access, which is proved at start-up, and better outside everything that can
//! refuse, because a page can read a refusal only if it carries these fields too. A preflight passes the chain of the
//! operation that it asks about, so an operation whose chain or configuration differs is asked for leave as it says.
//!
//! An origin that is not listed gets the answer without the fields; its browser keeps it from the page. What servers
//! and other programs do is not restricted by CORS at all: it is no access control.

#![expect(unsafe_code, reason = "the entry of a handler stands in a section of the linker")]

use axum::body::Body;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    HeaderMap, HeaderName, HeaderValue, ORIGIN, VARY,
};
use http::{Method, Response, StatusCode};

use crate::conf::{BuildContext, BuildError, Configure};
use crate::handler;
use crate::handler::{Handler, Outlook, Verdict};
use crate::invocation::Invocation;
use crate::reply::Reply;

mod metric;
mod policy;

pub use policy::Conf;

use metric::Counts;

/// Lets pages of other origins call, and their browsers read the answers. List it first, at least before `auth`:
/// browsers send no credentials with a preflight.
#[handler("cors", preflight)]
pub struct Cors {
    origins: Origins,
    credentials: bool,
    methods: Option<HeaderValue>,
    headers: Option<HeaderValue>,
    expose_headers: Option<HeaderValue>,
    max_age: HeaderValue,
    counts: Counts,
}

/// Whose pages may call.
enum Origins {
    Any,
    Listed(Vec<HeaderValue>),
}

impl Configure for Cors {
    type Conf = Conf;

    fn build(conf: Conf, context: &BuildContext<'_>) -> Result<Self, BuildError> {
        conf.check()?;
        let any = conf.origins.iter().any(|origin| origin == "*");
        let origins = conf.origins.iter().enumerate().map(|(at, origin)| value(&format!("origins[{at}]"), origin));
        Ok(Self {
            origins: if any { Origins::Any } else { Origins::Listed(origins.collect::<Result<_, _>>()?) },
            credentials: conf.credentials,
            methods: list("methods", &conf.methods)?,
            headers: list("headers", &conf.headers)?,
            expose_headers: list("expose-headers", &conf.expose_headers)?,
            max_age: HeaderValue::from(conf.max_age.0.as_secs()),
            counts: Counts::new(&context.process.metrics),
        })
    }
}

impl Handler for Cors {
    fn before(&self, invocation: &mut Invocation) -> Verdict {
        if is_preflight(invocation) { Verdict::answer(self.preflight(invocation.headers())) } else { Verdict::Continue }
    }

    fn after(&self, invocation: &Invocation, reply: &mut Reply) {
        if self.admit(invocation.headers(), reply.headers_mut()) {
            insert(reply.headers_mut(), ACCESS_CONTROL_EXPOSE_HEADERS, self.expose_headers.as_ref());
        } else {
            self.counts.unlisted(invocation.headers());
        }
    }

    fn outlook(&self, invocation: &mut Invocation) -> Option<Outlook> {
        let granted = || self.preflight(invocation.headers()).headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN);
        let words = match is_preflight(invocation).then(granted)? {
            true => "answers 204 and lets pages of this origin call",
            false => "answers 204 and grants nothing: list the origin in `origins` of `cors`, if its pages may call",
        };
        Some(Outlook { words: words.to_owned(), ends: true })
    }
}

impl Cors {
    /// The answer to a preflight.
    fn preflight(&self, request: &HeaderMap) -> Reply {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        let admitted = self.admit(request, headers);
        self.counts.preflight(admitted);
        if admitted {
            insert(headers, ACCESS_CONTROL_ALLOW_METHODS, self.methods.as_ref());
            insert(headers, ACCESS_CONTROL_ALLOW_HEADERS, self.headers.as_ref());
            insert(headers, ACCESS_CONTROL_MAX_AGE, Some(&self.max_age));
        }
        Reply::from(response)
    }

    /// Says who may read the answer; whether that may be the page that called.
    fn admit(&self, request: &HeaderMap, headers: &mut HeaderMap) -> bool {
        let listed = match &self.origins {
            // The same for everyone, also who has no origin: a cache need not tell callers apart.
            Origins::Any => {
                headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
                return true;
            }
            Origins::Listed(listed) => listed,
        };
        vary_by_origin(headers);
        let Some(origin) = only_origin(request).and_then(|origin| listed.iter().find(|known| *known == origin)) else {
            return false;
        };
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        if self.credentials {
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        true
    }
}

/// Whether a browser asks for leave before it sends the call itself (Fetch §3.2.2).
fn is_preflight(invocation: &Invocation) -> bool {
    invocation.method() == Method::OPTIONS
        && invocation.headers().contains_key(ORIGIN)
        && invocation.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// The origin, unless there are several: no browser sends that.
fn only_origin(request: &HeaderMap) -> Option<&HeaderValue> {
    let mut origins = request.get_all(ORIGIN).iter();
    origins.next().filter(|_| origins.next().is_none())
}

/// Tells caches that the answer depends on the origin (RFC 9110 §12.5.5), beside what it depends on already.
fn vary_by_origin(headers: &mut HeaderMap) {
    let says = |value: &HeaderValue| {
        let names = value.to_str().unwrap_or_default().split(',').map(str::trim);
        names.into_iter().any(|name| name == "*" || name.eq_ignore_ascii_case("origin"))
    };
    if !headers.get_all(VARY).iter().any(says) {
        headers.append(VARY, HeaderValue::from_static("Origin"));
    }
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: Option<&HeaderValue>) {
    if let Some(value) = value {
        headers.insert(name, value.clone());
    }
}

/// A field that lists names; `None` for no names.
fn list(key: &str, names: &[String]) -> Result<Option<HeaderValue>, BuildError> {
    if names.is_empty() { Ok(None) } else { value(key, &names.join(", ")).map(Some) }
}

fn value(key: &str, text: &str) -> Result<HeaderValue, BuildError> {
    HeaderValue::from_str(text).map_err(|_| {
        BuildError::new(key, format!("`{}` cannot stand in a header field", text.escape_debug()))
            .with_help("write it without line ends and control characters")
    })
}

#[cfg(test)]
mod tests;
