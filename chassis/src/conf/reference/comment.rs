//! What is said above a key.

use serde_json::Value;

use super::template;
use crate::conf::compose::Composed;

/// The comment above a key, as paragraphs and points.
#[derive(Debug)]
pub(super) struct Comment {
    paragraphs: Vec<String>,
    points: Vec<String>,
}

impl Comment {
    /// What the schemas of a value say about it.
    pub(super) fn of(composed: &Composed, layers: &[&Value], required: bool) -> Self {
        let description = layers.iter().find_map(|layer| layer.get("description")?.as_str()).unwrap_or_default();
        let mut paragraphs: Vec<_> =
            description.split("\n\n").map(|text| text.replace('\n', " ")).filter(|text| !text.is_empty()).collect();
        let nothing = layers.iter().any(|layer| layer.get("type").is_some_and(|kind| kind == "null"));
        let nothing = nothing.then(|| "It takes no configuration.".to_owned());
        let required = required.then(|| "Required.".to_owned());
        let facts: Vec<_> = required.into_iter().chain(nothing).chain(bounds(layers)).collect();
        match paragraphs.last_mut() {
            Some(last) if !facts.is_empty() => *last = format!("{last} {}", facts.join(" ")),
            None if !facts.is_empty() => paragraphs.push(facts.join(" ")),
            _ => {}
        }
        Self { paragraphs, points: choices(composed, layers) }
    }

    /// The lines, wrapped.
    pub(super) fn lines(&self, width: usize) -> Vec<String> {
        let paragraphs = self.paragraphs.iter().enumerate().flat_map(|(at, paragraph)| {
            let gap = (at > 0).then(String::new);
            gap.into_iter().chain(wrapped(paragraph, width))
        });
        let points = self.points.iter().flat_map(|point| {
            let lines = wrapped(point, width.saturating_sub(2)).into_iter().enumerate();
            lines.map(|(at, line)| if at == 0 { format!("- {line}") } else { format!("  {line}") })
        });
        paragraphs.chain(points).collect()
    }
}

/// The bounds of a value.
fn bounds(layers: &[&Value]) -> Option<String> {
    let find = |keyword: &str| layers.iter().find_map(|layer| layer.get(keyword));
    if find("format").is_some_and(|format| format == "size") {
        return None;
    }
    // The bounds of a type of Rust are no news to anyone.
    let machine = |bound: &&Value| bound.as_u64().is_none_or(|bound| ![0, 255, 65_535].contains(&bound));
    let least = find("minimum").filter(machine);
    let most = find("maximum").filter(machine);
    match (least, most.or(find("exclusiveMaximum"))) {
        (Some(least), Some(most)) if find("exclusiveMaximum").is_none() => Some(format!("{least} to {most}.")),
        (Some(least), None) => Some(format!("At least {least}.")),
        (None, Some(most)) if find("exclusiveMaximum").is_none() => Some(format!("At most {most}.")),
        (Some(least), Some(most)) => Some(format!("At least {least}, less than {most}.")),
        (None, Some(most)) => Some(format!("Less than {most}.")),
        (None, None) => None,
    }
}

/// The alternatives, each with what it means.
fn choices(composed: &Composed, layers: &[&Value]) -> Vec<String> {
    let mut points = Vec::new();
    for layer in layers {
        let words = layer.get("enum").and_then(Value::as_array).into_iter().flatten().filter(|word| !word.is_null());
        let words: Vec<_> = words.map(|word| format!("`{}`", template::plain(word))).collect();
        if !words.is_empty() && layer.get("x-one-of").is_none() {
            points.push(format!("one of {}", words.join(", ")));
        }
        let alternatives = ["oneOf", "anyOf"].iter().filter_map(|keyword| layer.get(keyword)?.as_array()).flatten();
        let alternatives: Vec<_> = alternatives.filter(|schema| schema["type"] != "null").collect();
        if alternatives.len() < 2 {
            continue;
        }
        points.extend(alternatives.into_iter().map(|schema| {
            let shape = template::value(composed, schema);
            let description = schema.get("description").or_else(|| composed.follow(schema).get("description"));
            match description.and_then(Value::as_str) {
                Some(description) => format!("`{shape}`: {}", description.replace('\n', " ")),
                None => format!("`{shape}`"),
            }
        }));
    }
    points
}

/// The words of a text; what stands in backticks is one.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut open = false;
    for word in text.split_whitespace() {
        match words.last_mut().filter(|_| open) {
            Some(last) => *last = format!("{last} {word}"),
            None => words.push(word.to_owned()),
        }
        open ^= word.matches('`').count() % 2 == 1;
    }
    words
}

/// A text in lines of at most this many characters; longer words stay whole.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words(text) {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}
