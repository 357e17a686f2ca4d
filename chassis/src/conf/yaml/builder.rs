//! Puts the events of the YAML parser together to a tree.

use std::collections::BTreeMap;
use std::sync::Arc;

use saphyr_parser::{Event, ScalarStyle, Span, Tag};

use super::{DEEPEST, MOST, MOST_PROBLEMS, Parsed, Variables, merge_key, place_of};
use crate::conf::interpolate;
use crate::conf::origin::{Origin, Place, Text};
use crate::conf::path::KeyPath;
use crate::conf::problem::Problem;
use crate::conf::scalar;
use crate::conf::tree::{Content, Entry, Node};

/// What has been read so far.
pub(super) struct Builder<'a> {
    text: &'a Arc<Text>,
    variables: Option<&'a Variables<'a>>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    root: Option<Node>,
    documents: usize,
    count: usize,
    pub(super) problems: Vec<Problem>,
    replaced: Vec<Node>,
}

/// A list or a map that is not closed yet.
struct Open {
    anchor: usize,
    origin: Origin,
    inside: Inside,
}

enum Inside {
    List(Vec<Node>),
    Map { entries: BTreeMap<String, Entry>, key: Option<Key>, merged: Vec<Node> },
}

/// The key whose value comes next. In quotes even `<<` is a key like any other.
struct Key {
    text: String,
    origin: Origin,
    style: ScalarStyle,
}

impl Key {
    fn merges(&self) -> bool {
        self.text == "<<" && self.style == ScalarStyle::Plain
    }
}

type Outcome = Result<(), Problem>;

impl<'a> Builder<'a> {
    pub(super) fn new(text: &'a Arc<Text>, variables: Option<&'a Variables<'a>>) -> Self {
        Self {
            text,
            variables,
            open: Vec::new(),
            anchors: BTreeMap::new(),
            root: None,
            documents: 0,
            count: 0,
            problems: Vec::new(),
            replaced: Vec::new(),
        }
    }

    /// Takes the next event. A problem ends the reading; those that do not are kept.
    pub(super) fn take(&mut self, event: Event<'_>, span: Span) -> Outcome {
        let origin = place_of(self.text, span);
        match event {
            Event::DocumentStart(_) => self.document(&origin),
            Event::Scalar(text, style, anchor, tag) => self.scalar(&text, style, anchor, tag.as_deref(), origin),
            Event::SequenceStart(anchor, tag) => {
                self.reject_tag(tag.as_deref(), "seq", &origin);
                self.open(anchor, origin, Inside::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                self.reject_tag(tag.as_deref(), "map", &origin);
                self.open(anchor, origin, Inside::Map { entries: BTreeMap::new(), key: None, merged: Vec::new() })
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => self.alias(anchor, &origin),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    /// Everything was taken.
    pub(super) fn finish(self) -> Parsed {
        let start = Origin::File(Place { text: Arc::clone(self.text), line: 1, column: 1, length: 1, more: 0 });
        let node = match self.root {
            Some(node) if node.content != Content::Null => node,
            _ => Node::empty(start),
        };
        Parsed { node: Some(node), problems: self.problems, replaced: self.replaced }
    }

    fn document(&mut self, origin: &Origin) -> Outcome {
        self.documents += 1;
        if self.documents == 1 {
            return Ok(());
        }
        let problem = Problem::new(origin, &KeyPath::root(), "a second YAML document starts here");
        Err(problem.with_help("write one document per file; several files can be given, and a directory of them"))
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, anchor: usize, tag: Option<&Tag>, origin: Origin) -> Outcome {
        if self.expects_key() {
            return self.key(text, style, origin);
        }
        let plain = style == ScalarStyle::Plain;
        let expanded = match self.variables {
            Some(variables) if plain => interpolate::expand_plain(text, variables),
            Some(variables) => interpolate::expand(text, variables),
            None => Ok(text.into()),
        };
        let node = match expanded {
            Ok(expanded) => {
                let content = self.content(&expanded, plain, tag, &origin);
                let is_null = content == Content::Null && !expanded.is_empty();
                let said = (plain && (expanded != text || is_null)).then(|| Arc::from(expanded.as_ref()));
                Node { said, ..Node::new(content, origin) }
            }
            Err(unresolved) => {
                let reference = self.find(&unresolved.written, origin.clone());
                let problem = Problem::new(&reference, &self.path(), unresolved.message).with_help(unresolved.help);
                self.problems.push(problem);
                Node::new(Content::Broken, origin)
            }
        };
        self.complete(anchor, node)
    }

    fn content(&mut self, text: &str, plain: bool, tag: Option<&Tag>, origin: &Origin) -> Content {
        let Some(tag) = tag else {
            return if plain { scalar::resolve(text) } else { Content::Text(text.to_owned()) };
        };
        let wanted = tag.suffix.as_str();
        match (scalar::resolve(text), wanted) {
            // The non-specific tag `!` (YAML 1.2 §6.9.1) makes a scalar text.
            _ if tag.handle.is_empty() && wanted == "!" => Content::Text(text.to_owned()),
            _ if !tag.is_yaml_core_schema() => self.unknown_tag(origin),
            (_, "str") => Content::Text(text.to_owned()),
            (content @ Content::Number(_), "int" | "float") => content,
            (content @ Content::Bool(_), "bool") => content,
            (content @ Content::Null, "null") => content,
            _ => self.unknown_tag(origin),
        }
    }

    fn unknown_tag(&mut self, origin: &Origin) -> Content {
        // It is not repeated: a secret without quotes may begin like one.
        let problem =
            Problem::new(origin, &self.path(), "what starts with `!` is a tag, and this one means nothing here");
        self.problems.push(problem.with_help("remove it; quotes make any value text"));
        Content::Broken
    }

    fn reject_tag(&mut self, tag: Option<&Tag>, fits: &str, origin: &Origin) {
        if tag.is_some_and(|tag| !(tag.is_yaml_core_schema() && tag.suffix == fits)) {
            self.unknown_tag(origin);
        }
    }

    /// Where a part of a value is written, if it can be found.
    fn find(&self, written: &str, origin: Origin) -> Origin {
        let Origin::File(place) = &origin else { return origin };
        let found =
            (place.line..).map_while(|line| self.text.line(line).map(|text| (line, text))).find_map(|(line, text)| {
                let skip = if line == place.line { place.column - 1 } else { 0 };
                let from = text.char_indices().nth(skip).map_or(text.len(), |(at, _)| at);
                let at = from + text[from..].find(written)?;
                Some((line, text[..at].chars().count() + 1))
            });
        match found {
            Some((line, column)) => super::place(self.text, line, column, written.chars().count()),
            None => origin,
        }
    }

    fn expects_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { inside: Inside::Map { key: None, .. }, .. }))
    }

    fn key(&mut self, text: &str, style: ScalarStyle, origin: Origin) -> Outcome {
        let path = self.path().key(text);
        if let Some(Open { inside: Inside::Map { entries, key, .. }, .. }) = self.open.last_mut() {
            if let Some(first) = entries.get(text) {
                let message = format!("the key `{text}` is there twice");
                let help = match first.key.place() {
                    Some(place) => format!("it is written on line {} already; remove one of them", place.line),
                    None => "remove one of them".to_owned(),
                };
                self.problems.push(Problem::new(&origin, &path, message).with_help(help));
            }
            *key = Some(Key { text: text.to_owned(), origin, style });
        }
        Ok(())
    }

    fn open(&mut self, anchor: usize, origin: Origin, inside: Inside) -> Outcome {
        if self.expects_key() {
            let problem = Problem::new(&origin, &self.path(), "a list or a map cannot be a key");
            return Err(problem.with_help("is a quote or a space after a colon missing?"));
        }
        if self.open.len() >= DEEPEST {
            return Err(too_deep(&origin));
        }
        self.open.push(Open { anchor, origin, inside });
        Ok(())
    }

    fn close(&mut self) -> Outcome {
        let Some(Open { anchor, origin, inside }) = self.open.pop() else { return Ok(()) };
        let content = match inside {
            Inside::List(items) => Content::List(items),
            Inside::Map { mut entries, merged, .. } => {
                for node in merged {
                    merge_key::merge(&mut entries, node, &mut self.replaced)
                        .map_err(|message| Problem::new(&origin, &self.path().key("<<"), message))
                        .map_err(|problem| problem.with_help("write `<<: *name`, where `&name` marks a map"))?;
                }
                Content::Map(entries)
            }
        };
        self.complete(anchor, Node::new(content, origin))
    }

    fn alias(&mut self, anchor: usize, origin: &Origin) -> Outcome {
        if self.expects_key() {
            return Err(Problem::new(origin, &self.path(), "an alias cannot be a key").with_help("write the key out"));
        }
        let Some(node) = self.anchors.get(&anchor).cloned() else {
            return Err(Problem::new(origin, &self.path(), "this alias stands inside of what it refers to")
                .with_help("move it out of there, or write the value out"));
        };
        let (count, depth) = measure(&node);
        self.count = self.count.saturating_add(count);
        if self.open.len() + depth > DEEPEST {
            return Err(too_deep(origin));
        }
        self.complete(0, node)
    }

    /// Puts a finished value where it belongs.
    fn complete(&mut self, anchor: usize, node: Node) -> Outcome {
        self.count += 1;
        if self.count > MOST {
            let message = format!("more than {MOST} values, aliases expanded");
            let problem = Problem::new(&node.origin, &KeyPath::root(), message);
            return Err(problem.with_help("an alias repeats everything that its anchor marks: use fewer of them"));
        }
        if self.problems.len() > MOST_PROBLEMS {
            return Err(Problem::new(&node.origin, &KeyPath::root(), "and so on: too many problems to list them all"));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
            self.count += measure(&node).0;
        }
        match self.open.last_mut().map(|open| &mut open.inside) {
            None => self.root = Some(node),
            Some(Inside::List(items)) => items.push(node),
            Some(Inside::Map { entries, key, merged }) => match key.take() {
                Some(key) if key.merges() => merged.push(node),
                Some(Key { text, origin, .. }) => {
                    self.replaced.extend(entries.insert(text, Entry { key: origin, node }).map(|entry| entry.node));
                }
                None => {}
            },
        }
        Ok(())
    }

    /// The path of the value that comes next.
    fn path(&self) -> KeyPath {
        self.open.iter().fold(KeyPath::root(), |path, open| match &open.inside {
            Inside::List(items) => path.index(items.len()),
            Inside::Map { key: Some(key), .. } => path.key(&key.text),
            Inside::Map { key: None, .. } => path,
        })
    }
}

pub(super) fn too_deep(origin: &Origin) -> Problem {
    Problem::new(origin, &KeyPath::root(), format!("nested deeper than {DEEPEST} levels"))
        .with_help("nothing here is that deep: look for a bracket that is not closed, or an alias too many")
}

/// How many values there are in this one, itself included, and how deep they nest.
fn measure(node: &Node) -> (usize, usize) {
    let inner: Vec<_> = match &node.content {
        Content::List(items) => items.iter().map(measure).collect(),
        Content::Map(entries) => entries.values().map(|entry| measure(&entry.node)).collect(),
        _ => return (1, 0),
    };
    inner.into_iter().fold((1, 1), |(count, depth), (more, below)| (count + more, depth.max(below + 1)))
}
