//! The places of the files that no message may show.

use std::collections::BTreeMap;

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
            let ranges = self.0.entry((place.text.order, place.line)).or_default();
            ranges.push((place.column - 1, place.column - 1 + place.length as usize));
            ranges.sort_unstable();
            // Where the last of several lines ends is not known; it is hidden whole.
            for line in place.line + 1..=place.line + place.more as usize {
                self.0.insert((place.text.order, line), vec![(0, usize::MAX)]);
            }
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

    /// Hides the addresses that hold a user or a password: whatever they are for, those are nobody's business.
    pub(crate) fn users(&mut self, node: &Node) {
        self.those(node, |node| match &node.content {
            Content::Text(text) => without_user(text).is_some(),
            Content::Broken => node.origin.place().and_then(written).is_some_and(|text| without_user(&text).is_some()),
            _ => false,
        });
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
fn written(place: &Place) -> Option<String> {
    let line = place.text.line(place.line)?;
    Some(line.chars().skip(place.column - 1).take(place.length as usize).collect())
}

/// An address without the user and the password that it holds; `None` if it holds none.
pub(crate) fn without_user(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let (_, host) = rest.rsplit_once('@')?;
    Some(format!("{scheme}://***@{host}"))
}
