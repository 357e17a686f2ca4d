//! Where a value of the configuration comes from.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::reference::HEAD;

/// Where a value, or a key, comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// The program itself.
    #[default]
    Default,
    /// A place in a YAML file.
    File(Place),
    /// The environment variable of this name.
    Environment(Arc<str>),
    /// The argument `--set` of this key.
    Set(Arc<str>),
    /// The program itself, because the value was taken back there.
    TakenBack(Arc<Origin>),
}

/// A place in a YAML file.
#[derive(Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub text: Arc<Text>,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// How many characters of the line are meant; at least 1.
    pub length: u32,
    /// How many further lines are meant.
    pub more: u32,
}

/// A YAML file that was read.
#[derive(PartialEq, Eq)]
pub struct Text {
    /// Its path, as it was named.
    pub name: String,
    /// What relative paths in it are relative to.
    pub directory: PathBuf,
    /// Its place among the files that were read; later ones win.
    pub order: usize,
    content: String,
    /// Where each line starts, so that showing a line costs nothing in a file with many.
    lines: Vec<usize>,
}

impl Text {
    /// A text that is not in a file.
    pub fn of(name: impl Into<String>, content: impl Into<String>) -> Self {
        let content = content.into();
        let lines = [0].into_iter().chain(content.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { name: name.into(), directory: PathBuf::new(), order: 0, content, lines }
    }

    /// The same text in a file of this directory, read as one of several.
    #[must_use]
    pub fn in_file(mut self, directory: PathBuf, order: usize) -> Self {
        self.directory = directory;
        self.order = order;
        self
    }

    /// What it says.
    pub fn content(&self) -> &str {
        &self.content
    }

    /// The line and the column behind the last character.
    pub(crate) fn end(&self) -> (usize, usize) {
        (self.lines.len(), self.lines.last().map_or(0, |start| self.content[*start..].chars().count()) + 1)
    }

    /// A line, from 1, without its end.
    pub fn line(&self, line: usize) -> Option<&str> {
        let start = *self.lines.get(line.checked_sub(1)?)?;
        let end = self.lines.get(line).map_or(self.content.len(), |next| next - 1);
        let line = self.content.get(start..end)?;
        Some(line.strip_suffix('\r').unwrap_or(line))
    }
}

impl Origin {
    /// The place, if it is in a file.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::File(place) => Some(place),
            _ => None,
        }
    }

    /// Whether it is in a reference of all keys, which says what holds anyway.
    pub(crate) fn is_of_reference(&self) -> bool {
        self.place().is_some_and(|place| place.text.content().starts_with(HEAD))
    }

    /// What a relative path is relative to, if that is not the working directory.
    pub fn directory(&self) -> Option<&Path> {
        self.place().map(|place| place.text.directory.as_path())
    }

    /// What problems are sorted by: files in the order they were read, top to bottom, then everything else.
    pub(crate) fn rank(&self) -> (usize, usize, usize) {
        match self {
            Self::File(place) => (place.text.order, place.line, place.column),
            Self::Environment(_) => (usize::MAX - 2, 0, 0),
            Self::Set(_) => (usize::MAX - 1, 0, 0),
            Self::Default | Self::TakenBack(_) => (usize::MAX, 0, 0),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(place) => place.fmt(f),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Set(key) => write!(f, "--set {key}"),
            Self::TakenBack(by) => write!(f, "default (taken back by {by})"),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.text.name, self.line, self.column)
    }
}

/// Members: `source`, and with it `file`, `line` and `column`, or `name`; `taken-back-by` where a default is in effect
/// because what was said before it was taken back.
impl Serialize for Origin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (source, name) = match self {
            Self::Default | Self::TakenBack(_) => ("default", None),
            Self::File(_) => ("file", None),
            Self::Environment(name) => ("environment", Some(name.as_ref())),
            Self::Set(key) => ("set", Some(key.as_ref())),
        };
        let mut origin = serializer.serialize_struct("Origin", 4)?;
        origin.serialize_field("source", source)?;
        if let Some(place) = self.place() {
            origin.serialize_field("file", &place.text.name)?;
            origin.serialize_field("line", &place.line)?;
            origin.serialize_field("column", &place.column)?;
        }
        if let Some(name) = name {
            origin.serialize_field("name", name)?;
        }
        if let Self::TakenBack(by) = self {
            origin.serialize_field("taken-back-by", by.as_ref())?;
        }
        origin.end()
    }
}

// A place holds its whole file, which may hold secrets: both are shown by name.
impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Text").field("name", &self.name).finish_non_exhaustive()
    }
}
