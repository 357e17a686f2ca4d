//! What is wrong with a set of routes, and what is only odd.

use std::fmt;
use std::ops::Range;

use super::Route;
use super::template::TemplateError;

/// Why a route cannot be part of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteError {
    /// The method as declared.
    pub method: String,
    /// The template as declared.
    pub template: String,
    /// Where the route is declared.
    pub place: String,
    /// Where the other route is declared, if two do not go together.
    pub other: Option<String>,
    /// The part of the template that is wrong, in bytes; `None` if the method is, or all of it.
    pub span: Option<Range<usize>>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

impl RouteError {
    pub(super) fn of(route: &Route, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            method: route.method.to_string(),
            template: route.template.clone(),
            place: route.place.clone(),
            other: None,
            span: None,
            message: message.into(),
            help: help.into(),
        }
    }

    pub(super) fn syntax(route: &Route, error: TemplateError) -> Self {
        Self { span: Some(error.span), ..Self::of(route, error.message, error.help) }
    }

    /// Two routes that answer the same calls.
    pub(super) fn duplicate(route: &Route, first: &Route) -> Self {
        let message = if route.template == first.template {
            "another operation has the same method and template".to_owned()
        } else {
            format!(
                "this is `{} {}` again: names and escapes do not tell two templates apart",
                first.method, first.template
            )
        };
        let help = "remove one, or give it another method or path";
        Self { other: Some(first.place.clone()), ..Self::of(route, message, help) }
    }
}

impl fmt::Display for RouteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.place, self.message)?;
        writeln!(f, "  | {} {}", self.method, self.template)?;
        if let Some(span) = &self.span {
            let chars = |range: Range<usize>| self.template.get(range).map_or(0, |text| text.chars().count());
            let before = self.method.chars().count() + 1 + chars(0..span.start);
            writeln!(f, "  | {:before$}{}", "", "^".repeat(chars(span.clone()).max(1)))?;
        }
        if let Some(other) = &self.other {
            writeln!(f, "  = first declared: {other}")?;
        }
        write!(f, "  = help: {}", self.help)
    }
}

impl std::error::Error for RouteError {}

/// A route that is never reached, though that is no error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shadowed {
    /// The method as declared.
    pub method: String,
    /// The template as declared.
    pub template: String,
    /// Where the route is declared.
    pub place: String,
    /// The template of the route that answers in its place.
    pub by: String,
    /// Where that one is declared.
    pub by_place: String,
}

impl Shadowed {
    pub(super) fn new(route: &Route, by: &Route) -> Self {
        Self {
            method: route.method.to_string(),
            template: route.template.clone(),
            place: route.place.clone(),
            by: by.template.clone(),
            by_place: by.place.clone(),
        }
    }
}

impl fmt::Display for Shadowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, template, place, by, by_place } = self;
        write!(
            f,
            "{place}: `{method} {template}` is never called: it differs from `{by}` ({by_place}), which is declared \
             first, in nothing but slashes that do not count"
        )
    }
}

/// Two routes that both match a path, though neither is more specific: the one that is declared first answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ambiguous {
    /// The method of the second as declared.
    pub method: String,
    /// The template of the second as declared.
    pub template: String,
    /// Where the second is declared.
    pub place: String,
    /// The template of the one that answers.
    pub first: String,
    /// Where that one is declared.
    pub first_place: String,
    /// A path that both match.
    pub path: String,
}

impl Ambiguous {
    pub(super) fn new(route: &Route, first: &Route, path: String) -> Self {
        Self {
            method: route.method.to_string(),
            template: route.template.clone(),
            place: route.place.clone(),
            first: first.template.clone(),
            first_place: first.place.clone(),
            path,
        }
    }
}

impl fmt::Display for Ambiguous {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, template, place, first, first_place, path } = self;
        write!(
            f,
            "{place}: `{method} {template}` is not called for `{path}`: `{first}` ({first_place}) matches that too, \
             neither is more specific, and that one comes first; write an expression that matches less for one of them"
        )
    }
}
