//! One segment of a template: text, a parameter with text around it, or a tail.

use std::ops::Range;

use super::{Parameter, Segment, TemplateError, literal};
use crate::route::expression;

/// Where the segment that begins at `start` ends: at the next slash that is not within braces.
pub(super) fn end(text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = start;
    while let Some(byte) = bytes.get(at) {
        at = match byte {
            b'/' => return at,
            b'{' => closing(bytes, at).unwrap_or(at) + 1,
            _ => at + 1,
        };
    }
    text.len()
}

pub(super) fn parse(text: &str, span: Range<usize>, errors: &mut Vec<TemplateError>) -> Option<Segment> {
    let Some(open) = text[span.clone()].find('{').map(|at| span.start + at) else {
        return Some(Segment::Static(literal::whole(text, span, errors)));
    };
    let Some(close) = closing(text.as_bytes(), open).filter(|close| *close < span.end) else {
        errors.push(TemplateError::new(open..open + 1, "this `{` is never closed", "write the `}` that closes it"));
        return None;
    };
    let after = &text[close + 1..span.end];
    if let Some(second) = after.find('{').map(|at| close + 1 + at) {
        let help = "put a slash between them, or capture the segment as one and take it apart in the operation";
        errors.push(TemplateError::new(second..second + 1, "a segment has one parameter at most", help));
        return None;
    }
    let prefix = literal::part(text, span.start..open, errors);
    let suffix = literal::part(text, close + 1..span.end, errors);
    let name = name(text, open + 1..close, errors);
    match expression(text, open + 1..close, errors)? {
        Some("*") if prefix.is_empty() && suffix.is_empty() => Some(Segment::Tail(name)),
        Some("*") => {
            let help = "put a slash around it, or leave out the `:*` for a parameter of one segment";
            errors.push(TemplateError::new(span, "a tail takes whole segments", help));
            None
        }
        expression => {
            Some(Segment::Parameter(Parameter { name, expression: expression.map(str::to_owned), prefix, suffix }))
        }
    }
}

/// The brace that closes the one at `open`. Braces nest; those in a character class or behind a backslash are
/// text. When that finds none, the first is taken, so that the mistake is found in the expression.
fn closing(text: &[u8], open: usize) -> Option<usize> {
    let (mut depth, mut class, mut at) = (0_usize, 0_usize, open);
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' => at += 1,
            b'[' => {
                class += 1;
                at += usize::from(text.get(at + 1) == Some(&b'^'));
                // A bracket that comes first in a class is text.
                at += usize::from(text.get(at + 1) == Some(&b']'));
            }
            b']' => class = class.saturating_sub(1),
            b'{' if class == 0 => depth += 1,
            b'}' if class == 0 && depth == 1 => return Some(at),
            b'}' if class == 0 => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    text[open..].iter().position(|byte| *byte == b'}').map(|at| open + at)
}

/// The name before the colon; `None` if nothing stands there and an expression follows.
fn name(text: &str, span: Range<usize>, errors: &mut Vec<TemplateError>) -> Option<String> {
    let name = text[span.clone()].split(':').next().unwrap_or_default();
    let at = span.start..span.start + name.len();
    let is_allowed = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.is_empty() {
        if at.end == span.end {
            let help = "write `{name}`, or `{:expression}` for what is matched and not kept";
            errors.push(TemplateError::new(span.start - 1..span.end + 1, "a parameter has a name", help));
        }
        return None;
    }
    if let Some(stranger) = name.chars().find(|c| !is_allowed(*c)) {
        let help = match stranger {
            '*' | '+' => format!("for the rest of the path write `{{{}:*}}`", name.trim_matches(['*', '+'])),
            '?' => "nothing is optional in a path: declare one operation with it and one without".to_owned(),
            '{' => "close the brace before it".to_owned(),
            _ => "use letters, digits, `_`, `-` and `.`".to_owned(),
        };
        errors.push(TemplateError::new(at, format!("`{stranger}` may not be in a name"), help));
    }
    Some(name.to_owned())
}

/// The expression after the colon. The outer `None` means that it is wrong.
fn expression<'t>(text: &'t str, span: Range<usize>, errors: &mut Vec<TemplateError>) -> Option<Option<&'t str>> {
    let Some((name, expression)) = text[span.clone()].split_once(':') else {
        return Some(None);
    };
    let start = span.start + name.len() + 1;
    let (at, message, help) = match expression {
        "*" => return Some(Some(expression)),
        "" => (
            start - 1..start,
            "an expression follows the colon".to_owned(),
            "write one, or leave out the colon".to_owned(),
        ),
        _ if !name.is_empty() && is_a_type(expression) => (
            start..span.end,
            format!("this is a regular expression, which the text `{expression}` alone matches"),
            format!(
                "say what the text looks like, such as `{{{name}:[0-9]+}}`, or leave the type to the operation's argument: `{{{name}}}`"
            ),
        ),
        _ => match expression::parse(expression) {
            Ok(_) => return Some(Some(expression)),
            Err(wrong) => (
                start + wrong.span.start..start + wrong.span.end,
                format!("the regular expression cannot be used: {}", wrong.why),
                "see https://docs.rs/regex/latest/regex/#syntax for what is known".to_owned(),
            ),
        },
    };
    errors.push(TemplateError::new(at, message, help));
    None
}

/// Words that other routers take for a converter.
fn is_a_type(expression: &str) -> bool {
    matches!(
        expression,
        "int"
            | "integer"
            | "long"
            | "float"
            | "double"
            | "decimal"
            | "bool"
            | "str"
            | "string"
            | "uuid"
            | "guid"
            | "path"
            | "alpha"
            | "slug"
    )
}
