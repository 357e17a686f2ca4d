//! The places of the files that no message may show.

use std::collections::BTreeMap;

use super::private::private;
use super::unread::before_values;
use crate::conf::origin::{Origin, Place};
use crate::conf::tree::{Content, Node};

/// Parts of lines that are or may be secrets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hidden(BTreeMap<(usize, usize), Vec<(usize, usize)>>);

impl Hidden {
    /// Hides what is written there.
    pub(crate) fn add(&mut self, origin: &Origin) {
        if let Some(place) = origin.place() {
            self.part(place, 0, place.length as usize);
            // Where the last of several lines ends is not known; it is hidden whole.
            for line in place.line + 1..=place.line + place.more as usize {
                self.0.insert((place.text.order, line), vec![(0, usize::MAX)]);
            }
        }
    }

    /// Hides some characters of what is written there.
    fn part(&mut self, place: &Place, from: usize, to: usize) {
        let start = place.column - 1;
        let (range, ranges) = ((start + from, start + to), self.0.entry((place.text.order, place.line)).or_default());
        if let Err(at) = ranges.binary_search(&range) {
            ranges.insert(at, range);
        }
    }

    /// Hides this value or, if it is a list or a map, all those in it.
    pub(crate) fn values(&mut self, node: &Node) {
        self.those(node, |node| node.content != Content::Null);
    }

    /// Hides those of the values that are such.
    pub(crate) fn those(&mut self, node: &Node, are: fn(&Node) -> bool) {
        match &node.content {
            Content::List(items) => items.iter().for_each(|item| self.those(item, are)),
            Content::Map(entries) => entries.values().for_each(|entry| self.those(&entry.node, are)),
            _ if are(node) => self.add(&node.origin),
            _ => {}
        }
    }

    /// Hides the keys in this value.
    pub(crate) fn keys(&mut self, node: &Node) {
        match &node.content {
            Content::List(items) => items.iter().for_each(|item| self.keys(item)),
            Content::Map(entries) => entries.values().for_each(|entry| {
                self.add(&entry.key);
                self.keys(&entry.node);
            }),
            _ => {}
        }
    }

    /// Hides what addresses hold of a user, a password and a query: whatever they are for, that is nobody's business.
    pub(crate) fn addresses(&mut self, node: &Node) {
        match &node.content {
            Content::List(items) => items.iter().for_each(|item| self.addresses(item)),
            Content::Map(entries) => entries.iter().for_each(|(key, entry)| {
                self.address(&entry.key, key);
                self.addresses(&entry.node);
            }),
            Content::Text(text) => self.address(&node.origin, text),
            Content::Broken => {
                let written = node.origin.place().and_then(written).unwrap_or_default();
                self.address(&node.origin, written);
            }
            _ => {}
        }
    }

    /// Hides what is private in a text, or all of it where it is written in another way than it reads.
    fn address(&mut self, origin: &Origin, text: &str) {
        let Some(place) = origin.place() else { return };
        let mut found = private(text).peekable();
        // Few are, and finding the text in its line takes long where all of a file is one line.
        let written = if found.peek().is_some() { written(place).unwrap_or_default() } else { return };
        for private in found {
            match written.find(text) {
                Some(at) => {
                    let characters = |end: usize| written[..at + end].chars().count();
                    self.part(place, characters(private.start), characters(private.end));
                }
                None => self.add(origin),
            }
        }
    }

    /// Everything in the line of this place that may be a value.
    pub(super) fn unread(place: &Place) -> Self {
        let line = place.text.line(place.line).unwrap_or_default();
        let from = before_values(line);
        let ranges = if line.chars().skip(from).all(char::is_whitespace) { vec![] } else { vec![(from, usize::MAX)] };
        Self(BTreeMap::from([((place.text.order, place.line), ranges)]))
    }

    /// What is hidden of a line: where it starts and ends, in characters from 0, sorted.
    pub(super) fn of(&self, file: usize, line: usize) -> &[(usize, usize)] {
        self.0.get(&(file, line)).map(Vec::as_slice).unwrap_or_default()
    }
}

/// What is written there, as far as it is on one line.
fn written(place: &Place) -> Option<&str> {
    let line = place.text.line(place.line)?;
    let at = |character: usize| line.char_indices().nth(character).map_or(line.len(), |(at, _)| at);
    line.get(at(place.column - 1)..at(place.column - 1 + place.length as usize))
}
