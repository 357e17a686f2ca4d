//! The places of the files that no message may show.

use std::collections::BTreeMap;

use super::unread::before_values;
use crate::conf::origin::{Origin, Place};

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

    /// Everything in the line of this place that may be a value.
    pub(super) fn values(place: &Place) -> Self {
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
