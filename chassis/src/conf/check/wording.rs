//! The words for what is there and what should be.

use crate::conf::problem::veiled;
use crate::conf::tree::{Content, Node};
use crate::conf::value::beginning;

/// What is there, by its kind as JSON Schema names it.
pub(super) fn kind(node: &Node) -> &'static str {
    match &node.content {
        Content::Null | Content::Broken => "null",
        Content::Bool(_) => "boolean",
        Content::Number(number) if number.is_f64() => "number",
        Content::Number(_) => "integer",
        Content::Text(_) => "string",
        Content::List(_) => "array",
        Content::Map(_) => "object",
    }
}

/// What is there, in words that say nothing of what it is.
pub(super) fn something(node: &Node) -> String {
    match kind(node) {
        "boolean" => "a truth value".to_owned(),
        kind => wanted(kind).to_owned(),
    }
}

/// What is there, in words.
pub(super) fn found(node: &Node) -> String {
    match &node.content {
        Content::Null | Content::Broken => "nothing".to_owned(),
        Content::Bool(bool) => format!("`{bool}`"),
        Content::Number(number) => format!("the number {number}"),
        Content::Text(_) => format!("the text {}", shown(node)),
        Content::List(_) => "a list".to_owned(),
        Content::Map(_) => "a map of keys".to_owned(),
    }
}

/// A value as a message shows it.
pub(super) fn shown(node: &Node) -> String {
    let written = match &node.content {
        Content::Text(text) => text.clone(),
        _ => node.to_json().to_string(),
    };
    format!("`{}`", beginning(&veiled(&written)))
}

/// What is wanted, in words.
pub(super) fn expected(kinds: &[&str]) -> String {
    let mut words: Vec<_> = kinds.iter().map(|kind| wanted(kind)).filter(|word| *word != "nothing").collect();
    words.dedup();
    match words.as_slice() {
        [] => "nothing".to_owned(),
        [word] => (*word).to_owned(),
        [words @ .., last] => format!("{} or {last}", words.join(", ")),
    }
}

fn wanted(kind: &str) -> &str {
    match kind {
        "boolean" => "`true` or `false`",
        "integer" => "a whole number",
        "number" => "a number",
        "string" => "text",
        "array" => "a list",
        "object" => "a map of keys",
        "null" => "nothing",
        other => other,
    }
}

/// How many items there are and should be.
pub(super) fn items(there: u64, bound: &str, wanted: u64) -> String {
    let item = if wanted == 1 { "item" } else { "items" };
    format!("{bound} {wanted} {item}, found {there}")
}

/// The simplest kind first.
pub(super) fn rank(kind: &str) -> usize {
    ["boolean", "integer", "number", "string", "array", "object"].iter().position(|known| *known == kind).unwrap_or(9)
}

/// What a description says before it goes into detail.
pub(super) fn first_paragraph(description: &str) -> String {
    description.split("\n\n").next().unwrap_or_default().replace('\n', " ")
}
