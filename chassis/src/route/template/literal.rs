//! The text of a template that a path must have as it is.

use std::ops::Range;

use super::TemplateError;
use crate::route::escape::{Spelling, canonical};

/// Reads text that stands alone between two slashes.
pub(super) fn whole(text: &str, span: Range<usize>, errors: &mut Vec<TemplateError>) -> Vec<u8> {
    let literal = &text[span.clone()];
    let mistake = match literal {
        "." | ".." => {
            ("clients resolve dot segments before they send a path, so this never matches", "leave it out".to_owned())
        }
        _ => match literal.split_at_checked(1) {
            Some((":", name)) => (
                "a parameter is written in braces",
                format!(
                    "write `{{{name}}}`; for text that begins with a colon `{{:\\:{name}}}`, and if it is meant as a verb, join it to the segment before"
                ),
            ),
            Some(("*", name)) => {
                let name = if name.is_empty() { "rest" } else { name };
                ("a tail is written in braces", format!("write `{{{name}:*}}`"))
            }
            _ => return part(text, span, errors),
        },
    };
    errors.push(TemplateError::new(span, mistake.0, mistake.1));
    Vec::new()
}

/// Reads text that stands before or after a parameter, too.
pub(super) fn part(text: &str, span: Range<usize>, errors: &mut Vec<TemplateError>) -> Vec<u8> {
    let literal = &text[span.clone()];
    for (at, c) in literal.char_indices() {
        if let Some((message, help)) = forbidden(literal, at, c) {
            let at = span.start + at;
            errors.push(TemplateError::new(at..at + c.len_utf8(), message, help));
        }
    }
    let canonical: Vec<_> = canonical(literal.as_bytes()).collect();
    if str::from_utf8(&canonical).is_err() {
        let help = "write the character itself, or all of its bytes, such as `%C3%A9` for `é`";
        errors.push(TemplateError::new(span, "the escapes do not spell UTF-8", help));
    }
    canonical
}

fn forbidden(literal: &str, at: usize, c: char) -> Option<(&'static str, &'static str)> {
    match c {
        '}' => Some(("a `}` without a `{` before it", "take it out, or write `%7D` if the path has one")),
        '?' => Some((
            "a query is no part of a path template",
            "take the query's values as arguments; write `%3F` if the path has a question mark",
        )),
        '#' => Some(("a fragment is never sent to a server", "take it out; write `%23` if the path has a number sign")),
        '%' if Spelling::of(&literal.as_bytes()[at..(at + 3).min(literal.len())]) == Spelling::Malformed => {
            Some(("two hexadecimal digits other than 00 follow a `%`", "write `%25` for a percent sign"))
        }
        c if c.is_control() => {
            Some(("control characters are never sent in a path", "take it out, or write it as an escape such as `%0A`"))
        }
        _ => None,
    }
}
