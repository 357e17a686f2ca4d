//! Says in words a caller understands which value does not fit and what is expected instead.

use std::fmt::Write;

use serde::de::{Deserialize, Deserializer};
use serde_path_to_error::{Path, Segment};

use crate::fault::{Code, Fault, Violation};

/// The longest description of one value, in bytes: what a caller sent is not sent back whole.
const LONGEST: usize = 300;

/// Where in a call a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Path,
    Query,
    Header,
    Body,
}

impl Place {
    /// The name it has in a violation.
    const fn name(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
            Self::Body => "body",
        }
    }

    /// The JSON Pointer to a flaw; anywhere but in the body it is known by its name.
    fn pointer(self, flawed: String) -> String {
        match self {
            Self::Path | Self::Query | Self::Header if !flawed.is_empty() => format!("/{}", escaped(&flawed)),
            _ => flawed,
        }
    }

    fn sentence(self, flaw: &Flaw) -> String {
        let Flaw { pointer, detail } = flaw;
        match self {
            Self::Path => format!("The path parameter `{pointer}` does not fit: {detail}."),
            Self::Query if pointer.is_empty() => format!("The query does not fit: {detail}."),
            Self::Query => format!("The query parameter `{pointer}` does not fit: {detail}."),
            Self::Header => format!("The header field `{pointer}` does not fit: {detail}."),
            Self::Body if pointer.is_empty() => format!("The body does not fit: {detail}."),
            Self::Body => format!("The body does not fit at `{pointer}`: {detail}."),
        }
    }
}

/// What is wrong with one value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Flaw {
    /// Which value: a name, or a JSON Pointer (RFC 6901) into the body.
    pub(super) pointer: String,
    /// What is expected.
    pub(super) detail: String,
}

impl Flaw {
    pub(super) fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), detail: detail.into() }
    }

    /// Refuses the call for this flaw.
    pub(super) fn refuse(self, code: Code, place: Place) -> Fault {
        let sentence = place.sentence(&self);
        let pointer = place.pointer(self.pointer);
        let violation = Violation { place: place.name(), pointer, detail: self.detail };
        Fault::new(code, sentence).with_violations([violation])
    }
}

/// Reads once more to learn where reading failed. Keeping track costs more than reading, so it is done only for
/// those few values that failed before.
pub(super) fn locate<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Option<(Path, D::Error)> {
    let error = serde_path_to_error::deserialize::<_, T>(deserializer).err()?;
    Some((error.path().clone(), error.into_inner()))
}

/// The flaw in one of several named values: `path` begins with its name.
pub(super) fn named(path: &Path, message: &str) -> Flaw {
    let outermost = path.iter().find_map(|segment| match segment {
        Segment::Map { key } => Some(key.as_str()),
        _ => None,
    });
    let (member, detail) = explain(message);
    Flaw::new(outermost.or(member).unwrap_or_default(), detail)
}

/// The flaw in a document: `path` leads to it.
pub(super) fn nested(path: &Path, message: &str) -> Flaw {
    let mut pointer = String::new();
    for segment in path {
        // Writing into a string does not fail.
        let _ = match segment {
            Segment::Seq { index } => write!(pointer, "/{index}"),
            Segment::Map { key } | Segment::Enum { variant: key } => write!(pointer, "/{}", escaped(key)),
            Segment::Unknown => break,
        };
    }
    let (member, detail) = explain(message);
    if let Some(member) = member {
        let member = format!("/{}", escaped(member));
        if !pointer.ends_with(&member) {
            pointer.push_str(&member);
        }
    }
    Flaw { pointer, detail }
}

/// A reference token of a JSON Pointer (RFC 6901 §3).
pub(super) fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// What serde and the number parsers say, without the names of our types, and the member they mean if it is not the
/// one that was being read.
fn explain(message: &str) -> (Option<&str>, String) {
    if let Some(name) = quoted(message, "missing field `") {
        return (Some(name), "it is missing".to_owned());
    }
    if let Some(name) = quoted(message, "duplicate field `") {
        return (Some(name), "it is there more than once".to_owned());
    }
    let detail = match message {
        // Of pairs, where several are read into one value.
        "unsupported value" => "it is there more than once",
        "invalid digit found in string" | "cannot parse integer from empty string" => "a whole number is expected",
        "number too large to fit in target type" => "a smaller number is expected",
        "number too small to fit in target type" => "a larger number is expected",
        "invalid float literal" | "cannot parse float from empty string" => "a number is expected",
        other => other,
    };
    (quoted(message, "unknown field `"), shortened(&nameless(detail)))
}

/// The name that stands in backticks after `lead`.
fn quoted<'m>(message: &'m str, lead: &str) -> Option<&'m str> {
    message.strip_prefix(lead)?.split('`').next()
}

/// Replaces the names of types by what they look like from outside.
fn nameless(message: &str) -> String {
    const SHAPES: [(&str, &str); 7] = [
        ("expected struct variant ", "expected an object"),
        ("expected struct ", "expected an object"),
        ("expected tuple ", "expected an array"),
        ("expected unit ", "expected null"),
        ("expected enum ", "expected the name of a variant, or an object with that name as its only member"),
        ("expected internally tagged enum ", "expected an object with a tag"),
        ("did not match any variant of untagged enum ", "has none of the expected forms"),
    ];
    let shape = SHAPES.iter().find_map(|(ours, theirs)| Some((message.find(ours)?, theirs)));
    match shape {
        Some((at, theirs)) => format!("{}{theirs}", &message[..at]),
        None => message.to_owned(),
    }
}

fn shortened(message: &str) -> String {
    if message.len() <= LONGEST {
        return message.to_owned();
    }
    let end = (0..=LONGEST).rev().find(|end| message.is_char_boundary(*end)).unwrap_or_default();
    format!("{}…", &message[..end])
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its reading fails")]
    struct Visitor {
        name: String,
        ages: Vec<u8>,
        pets: HashMap<String, Pet>,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only its reading fails")]
    enum Pet {
        Cat { lives: u8 },
        Stone,
    }

    fn flaw(json: &str) -> Flaw {
        let mut reader = serde_json::Deserializer::from_str(json);
        let (path, error) = locate::<Visitor, _>(&mut reader).unwrap();
        let message = error.to_string();
        nested(&path, message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message))
    }

    #[test]
    fn a_pointer_leads_to_the_value() {
        assert_eq!(flaw(r#"{"ages": [1, "x"]}"#).pointer, "/ages/1");
        assert_eq!(flaw(r#"{"pets": {"a/b~c": {"Cat": {"lives": []}}}}"#).pointer, "/pets/a~1b~0c/Cat/lives");
    }

    #[test]
    fn a_pointer_leads_to_what_is_missing_and_to_what_is_too_much() {
        assert_eq!(flaw(r#"{"ages": [], "pets": {}}"#), Flaw::new("/name", "it is missing"));
        assert_eq!(flaw(r#"{"pets": {"x": {"Cat": {}}}}"#), Flaw::new("/pets/x/Cat/lives", "it is missing"));
        assert_eq!(flaw(r#"{"nam": 1}"#).pointer, "/nam");
        assert_eq!(flaw(r#"{"name": "a", "name": "b"}"#), Flaw::new("/name", "it is there more than once"));
    }

    #[test]
    fn names_of_types_stay_inside() {
        assert_eq!(flaw("7").detail, "invalid type: integer `7`, expected an object");
        assert!(!flaw(r#"{"pets": {"x": 7}}"#).detail.contains("Pet"));
    }

    #[test]
    fn what_was_sent_is_not_sent_back_whole() {
        let json = format!(r#"{{"ages": "{}"}}"#, "ä".repeat(10_000));
        assert!(flaw(&json).detail.len() < LONGEST + 10);
    }
}
