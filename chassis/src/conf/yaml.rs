//! Reads one YAML file into a tree that knows where everything is written.

use std::sync::Arc;

use saphyr_parser::{Event, Parser, Span};

use super::origin::{Origin, Place, Text};
use super::path::KeyPath;
use super::problem::Problem;
use super::tree::Node;

mod builder;
mod malformed;
mod merge_key;

use builder::Builder;
use malformed::malformed;

/// The largest file: what a Kubernetes ConfigMap can hold, which is far beyond what a person reads.
pub(crate) const LARGEST: usize = 1 << 20;
/// How deep maps and lists may nest.
const DEEPEST: usize = 64;
/// How many values a file may have after aliases are expanded.
const MOST: usize = 100_000;
/// How many problems of one file are collected before it is given up.
const MOST_PROBLEMS: usize = 1_000;

/// What a variable stands for, if it is set.
pub type Variables<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// A file that was read, as far as it could be made out.
#[derive(Debug)]
pub struct Parsed {
    /// What it says; `None` if it is no YAML at all.
    pub node: Option<Node>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
    /// The values of keys that are there again, further down or beside a merge key.
    pub replaced: Vec<Node>,
}

/// Reads a YAML text. Never panics, whatever the text is; never takes more time or memory than a few times its length.
///
/// An empty text is an empty map. `variables` says what `${NAME}` stands for; without it that is just text.
pub fn parse(text: &Arc<Text>, variables: Option<&Variables<'_>>) -> Parsed {
    if let Some(problem) = unreadable(text) {
        return Parsed { node: None, problems: vec![problem], replaced: Vec::new() };
    }
    let mut parser = Parser::new_from_str(text.content());
    let mut builder = Builder::new(text, variables);
    while let Some(event) = parser.next_event() {
        let outcome = match event {
            Ok((Event::StreamEnd, _)) => break,
            Ok((event, span)) => builder.take(event, span),
            Err(error) => Err(malformed(text, &error)),
        };
        if let Err(problem) = outcome {
            builder.problems.push(problem);
            return Parsed { node: None, problems: builder.problems, replaced: Vec::new() };
        }
    }
    builder.finish()
}

/// What the parser itself would not notice or would take too long over.
fn unreadable(text: &Arc<Text>) -> Option<Problem> {
    let content = text.content();
    if content.len() > LARGEST {
        let problem = Problem::new(&place(text, 1, 1, 1), &KeyPath::root(), "the file is larger than 1 MiB");
        return Some(problem.with_help("is it the right file?"));
    }
    // YAML 1.2 §5.1 forbids control characters; a NUL would be taken for the end of the file.
    let (at, found) =
        content.char_indices().find(|(_, c)| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}'))?;
    let (line, column) = Text::of("", &content[..at]).end();
    let message = format!("the control character U+{:04X} is not allowed in YAML", u32::from(found));
    let problem = Problem::new(&place(text, line, column, 1), &KeyPath::root(), message);
    Some(problem.with_help("is it a text file? in quotes, `\\u0007` stands for such a character"))
}

fn place(text: &Arc<Text>, line: usize, column: usize, length: usize) -> Origin {
    Origin::File(Place { text: Arc::clone(text), line, column, length: short(length), more: 0 })
}

/// A length within a file, none of which has anywhere near this many characters.
fn short(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// The place of a span; of one with several lines, what is on the first.
fn place_of(text: &Arc<Text>, span: Span) -> Origin {
    let (line, column) = (span.start.line(), span.start.col());
    let length = if span.end.line() == line {
        span.len()
    } else {
        text.line(line).map_or(1, |line| line.chars().count().saturating_sub(column))
    };
    let (length, more) = (short(length.max(1)), short(span.end.line().saturating_sub(line)));
    Origin::File(Place { text: Arc::clone(text), line, column: column + 1, length, more })
}

#[cfg(test)]
mod tests;
