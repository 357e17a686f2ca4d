//! The line a problem is written on, with the problem underlined.

use super::Hidden;
use super::private::HIDDEN;
use crate::conf::origin::Place;

/// The line a problem is written on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snippet {
    /// Its number, from 1.
    pub line: usize,
    /// What it says, secrets replaced by `***`.
    pub text: String,
    /// How many characters stand before the problem.
    pub start: usize,
    /// How many characters the problem has; at least 1.
    pub length: usize,
}

/// Longer lines are cut: they are data, not configuration that a person reads.
const WIDTH: usize = 160;

impl Snippet {
    /// The line of this place, without what is hidden of it.
    pub(crate) fn of(place: &Place, hidden: &Hidden) -> Option<Self> {
        let line = place.text.line(place.line)?;
        let line: Vec<char> = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let hidden = hidden.of(place.text.order, place.line);
        let start = place.column.saturating_sub(1).min(line.len());
        let end = start.saturating_add(place.length as usize).min(line.len()).max(start);
        // What is within something hidden is shown as that.
        let within = hidden.iter().find(|(from, to)| *from < start && start < *to);
        let start = within.map_or(start, |(from, _)| *from);
        let width = |end: usize| shown(&line[..end], hidden).chars().count();
        let (start, end) = (width(start), width(end));
        let text: String = shown(&line, hidden).chars().take(WIDTH).collect();
        (start < WIDTH).then(|| Self {
            line: place.line,
            text: text.trim_end().to_owned(),
            start,
            length: end.saturating_sub(start).clamp(1, WIDTH - start),
        })
    }
}

/// The beginning of a line with the hidden ranges replaced.
fn shown(line: &[char], hidden: &[(usize, usize)]) -> String {
    let mut text = String::new();
    let mut at = 0;
    for &(from, to) in hidden {
        if from >= line.len() {
            break;
        }
        if from >= at {
            text.extend(&line[at..from]);
            text.push_str(HIDDEN);
        }
        at = at.max(to.min(line.len()));
    }
    text.extend(&line[at..]);
    text
}
