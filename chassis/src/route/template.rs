//! A path template, read. Its syntax is described in [`route`](super).

use std::fmt;
use std::ops::Range;

mod literal;
mod segment;

/// How many segments a template may have, which bounds how deep a search goes.
pub const MOST_SEGMENTS: usize = 128;

/// A path template, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// What the path consists of, from left to right.
    pub segments: Vec<Segment>,
    // How many slashes stand before each segment and after the last.
    slashes: Vec<usize>,
}

/// What stands between two slashes of a template.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Segment {
    /// Text that must be there, in the canonical form of RFC 3986 §6.2.2.
    Static(Vec<u8>),
    /// One segment, or the middle of one, that is captured.
    Parameter(Parameter),
    /// One or more whole segments that are captured together; the name is `None` for `{:*}`.
    Tail(Option<String>),
}

/// A parameter and the text around it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Parameter {
    /// Its name; `None` if the value is matched but not kept, as in `{:[0-9]+}`.
    pub name: Option<String>,
    /// The regular expression that the whole value must match.
    pub expression: Option<String>,
    /// The text before the value, in canonical form.
    pub prefix: Vec<u8>,
    /// The text after the value, in canonical form.
    pub suffix: Vec<u8>,
}

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// Where, in bytes of the template.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

impl TemplateError {
    fn new(span: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { span, message: message.into(), help: help.into() }
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.message, self.help)
    }
}

impl std::error::Error for TemplateError {}

/// Reads a template. Never panics, whatever the text.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(text: &str) -> Result<Template, Vec<TemplateError>> {
    if !text.starts_with('/') {
        let help = format!("write `/{text}`");
        return Err(vec![TemplateError::new(0..text.len(), "a template begins with `/`", help)]);
    }
    let mut errors = Vec::new();
    let mut template = Template { segments: Vec::new(), slashes: Vec::new() };
    let mut at = 0;
    while at < text.len() {
        let start = text.len() - text[at..].trim_start_matches('/').len();
        template.slashes.push(start - at);
        at = segment::end(text, start);
        if start < at {
            template.segments.extend(segment::parse(text, start..at, &mut errors));
        }
    }
    if !text.ends_with('/') {
        template.slashes.push(0);
    }
    check_whole(text, &template, &mut errors);
    if errors.is_empty() { Ok(template) } else { Err(errors) }
}

impl Template {
    /// The names of the parameters, in the order they are captured.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(Segment::name)
    }

    /// Whether it ends in a slash that is not the whole of it.
    pub fn has_trailing_slash(&self) -> bool {
        !self.segments.is_empty() && self.slashes.last().is_some_and(|run| *run > 0)
    }

    /// Whether the other has the same slashes at the same places.
    pub(super) fn is_slashed_like(&self, other: &Self) -> bool {
        self.slashes == other.slashes
    }
}

impl Segment {
    /// The name its value is captured under.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Static(_) => None,
            Self::Parameter(parameter) => parameter.name.as_deref(),
            Self::Tail(name) => name.as_deref(),
        }
    }

    /// The same segment under no particular name: routes that differ in names only share their way.
    pub(super) fn anonymous(&self) -> Self {
        let nameless = |name: &Option<String>| name.as_ref().map(|_| String::new());
        match self {
            Self::Static(text) => Self::Static(text.clone()),
            Self::Parameter(parameter) => {
                Self::Parameter(Parameter { name: nameless(&parameter.name), ..parameter.clone() })
            }
            Self::Tail(name) => Self::Tail(nameless(name)),
        }
    }

    /// The same segment with nothing captured: what two templates are compared by.
    pub(super) fn unnamed(&self) -> Self {
        match self {
            Self::Static(text) => Self::Static(text.clone()),
            Self::Parameter(parameter) => Self::Parameter(Parameter { name: None, ..parameter.clone() }),
            Self::Tail(_) => Self::Tail(None),
        }
    }
}

/// What a segment alone cannot say.
fn check_whole(text: &str, template: &Template, errors: &mut Vec<TemplateError>) {
    let count = template.segments.len();
    if count > MOST_SEGMENTS {
        let message = format!("{count} segments are more than the {MOST_SEGMENTS} that are allowed");
        errors.push(TemplateError::new(0..text.len(), message, "end it in a tail such as `{rest:*}`"));
        return;
    }
    if template.segments.iter().filter(|segment| matches!(segment, Segment::Tail(_))).count() > 1 {
        let help = "keep one, and make the others parameters of one segment each";
        errors.push(TemplateError::new(0..text.len(), "two tails could share a path in many ways", help));
    }
    let names: Vec<_> = template.parameters().collect();
    for (at, name) in names.iter().enumerate() {
        if names[..at].contains(name) {
            let message = format!("two parameters are called `{name}`");
            errors.push(TemplateError::new(last_named(text, name), message, "give each its own name"));
        }
    }
}

/// The place of the last parameter of this name.
fn last_named(text: &str, name: &str) -> Range<usize> {
    let open = format!("{{{name}");
    let ends = |end: usize| text[end..].starts_with([':', '}']);
    let start = text.rmatch_indices(&open).map(|(start, _)| start).find(|start| ends(start + open.len()));
    start.map_or(0..text.len(), |start| start + 1..start + open.len())
}
