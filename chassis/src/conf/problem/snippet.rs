//! The line a problem is written on, with the problem underlined.

use super::Place;

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

const HIDDEN: &str = "***";

impl Snippet {
    /// The line of this place, with those of `secrets` that are on it hidden.
    pub(crate) fn of(place: &Place, secrets: &[Place]) -> Option<Self> {
        let line: Vec<char> =
            place.text.line(place.line)?.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let start = place.column.saturating_sub(1).min(line.len());
        let end = start.saturating_add(place.length).min(line.len()).max(start);
        let mut hidden: Vec<_> = secrets
            .iter()
            .filter(|secret| secret.text == place.text && secret.line == place.line)
            .map(|secret| (secret.column - 1, secret.column - 1 + secret.length))
            .collect();
        hidden.sort_unstable();
        let (shown_start, shown_end) = (shown(&line[..start], &hidden), shown(&line[..end], &hidden));
        let (start, end) = (shown_start.chars().count(), shown_end.chars().count());
        let text: String = shown(&line, &hidden).chars().take(WIDTH).collect();
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
