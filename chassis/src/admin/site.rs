//! All pages together: which of them a request asks for.

use std::fmt::Write;

use axum::body::Body;
use http::header::{ALLOW, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};

use super::page::{Asked, Page, plain};

/// All pages.
pub(super) struct Site(Vec<Page>);

impl Site {
    pub(super) fn new(pages: Vec<Page>) -> Self {
        Self(pages)
    }

    pub(super) fn answer(&self, parts: &Parts) -> Response<Body> {
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            let mut refusal = plain(StatusCode::METHOD_NOT_ALLOWED, "Pages can only be looked at.\n".to_owned());
            refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return refusal;
        }
        let path = parts.uri.path();
        let found = self.0.iter().find_map(|page| Some((page, below(path, page.path)?)));
        match found {
            Some((page, below)) => (page.show)(&Asked::new(parts, below)),
            None if path == "/" => plain(StatusCode::OK, self.index()),
            None => plain(StatusCode::NOT_FOUND, format!("There is no page `{path}`. There are:\n\n{}", self.index())),
        }
    }

    fn index(&self) -> String {
        let width = self.0.iter().map(|page| page.path.len()).max().unwrap_or_default();
        self.0.iter().fold(String::new(), |mut text, page| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{:width$}  {}", page.path, page.about);
            text
        })
    }
}

/// What follows the path of a page; `None` if this is not below it.
fn below<'a>(path: &'a str, page: &str) -> Option<&'a str> {
    match path.strip_prefix(page)? {
        "" => Some(""),
        rest => rest.strip_prefix('/'),
    }
}
