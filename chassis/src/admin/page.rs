//! A page for operators: a path and what is shown there.

use axum::body::Body;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{Response, StatusCode};
use serde_json::Value;

/// A page for operators. It answers at its path and everything below it.
pub struct Page {
    pub(super) path: &'static str,
    pub(super) about: &'static str,
    pub(super) show: Show,
}

type Show = Box<dyn Fn(&Asked<'_>) -> Response<Body> + Send + Sync>;

impl Page {
    /// A page at `path`, such as `/metrics`. It is shown while callers wait, so it must not do I/O.
    pub fn new(
        path: &'static str,
        about: &'static str,
        show: impl Fn(&Asked<'_>) -> Response<Body> + Send + Sync + 'static,
    ) -> Self {
        Self { path, about, show: Box::new(show) }
    }

    /// A page for people as `text`, for programs as `json`: the list of routes, the effective configuration.
    pub fn of(
        path: &'static str,
        about: &'static str,
        text: impl Fn() -> String + Send + Sync + 'static,
        json: impl Fn() -> Value + Send + Sync + 'static,
    ) -> Self {
        Self::new(path, about, move |asked| match asked.below {
            "" if asked.wants_json() => document(StatusCode::OK, &json()),
            "" => plain(StatusCode::OK, text()),
            _ => plain(StatusCode::NOT_FOUND, "There is nothing below this page.\n".to_owned()),
        })
    }
}

/// What a page is asked for.
pub struct Asked<'a> {
    /// The rest of the path, without the slash between: `database` for `/readyz/database`.
    pub below: &'a str,
    parts: &'a Parts,
}

impl<'a> Asked<'a> {
    pub(super) fn new(parts: &'a Parts, below: &'a str) -> Self {
        Self { below, parts }
    }

    /// The values that the query gives a name, decoded; a name without a value has an empty one.
    pub fn query(&self, name: &str) -> impl Iterator<Item = String> {
        let pairs = form_urlencoded::parse(self.parts.uri.query().unwrap_or_default().as_bytes());
        pairs.filter(move |(known, _)| known == name).map(|(_, value)| value.into_owned())
    }

    /// What the `Accept` field says; nothing if it is not there.
    pub fn accept(&self) -> &str {
        self.parts.headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default()
    }

    /// Whether a document is wanted rather than text.
    pub fn wants_json(&self) -> bool {
        match self.query("format").next() {
            Some(format) => format == "json",
            None => self.parts.headers.get(ACCEPT).is_some_and(names_json),
        }
    }
}

fn names_json(accept: &HeaderValue) -> bool {
    accept.to_str().is_ok_and(|accept| accept.contains("json"))
}

/// A JSON document as the answer.
pub fn document(status: StatusCode, value: &Value) -> Response<Body> {
    answer(status, "application/json", format!("{value:#}\n"))
}

/// Text as the answer.
pub(super) fn plain(status: StatusCode, text: String) -> Response<Body> {
    answer(status, "text/plain; charset=utf-8", text)
}

/// A text of this media type as the answer.
pub fn text(status: StatusCode, kind: &'static str, text: String) -> Response<Body> {
    answer(status, kind, text)
}

/// Nothing here may be kept: it is about this moment.
pub(super) fn answer(status: StatusCode, kind: &'static str, text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
