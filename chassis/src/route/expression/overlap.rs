//! What two expressions both match: their automata are walked at once, byte by byte.

use std::collections::{HashMap, VecDeque};

use regex_automata::dfa::Automaton as _;
use regex_automata::util::primitives::StateID;

use super::{Automaton, Expression};

/// How many pairs of states are looked at, which bounds what two expressions cost to compare.
const PAIRS: usize = 1 << 10;

const LAST_OF_ASCII: u8 = 0x7f;

/// A state of each automaton; `None` where it can match no more.
type Pair = (Option<StateID>, Option<StateID>);

/// What is looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sought {
    Both,
    FirstAlone,
}

/// What was found.
enum Walk {
    Found(Vec<u8>),
    Nothing,
    /// The automata gave up before all of it was seen.
    Unknown,
}

impl Expression {
    /// The shortest value that both match, as far as that is known.
    pub(in crate::route) fn common(&self, other: &Self) -> Option<Vec<u8>> {
        match self.walk(other, Sought::Both, u8::MAX) {
            Walk::Found(value) => Some(value),
            Walk::Nothing | Walk::Unknown => None,
        }
    }

    /// Whether this is known to match less than the other, and nothing else. Where they share ASCII, ASCII must show it:
    /// nobody writes `[0-9]` beside `\d` to tell digits of other scripts apart.
    pub(in crate::route) fn is_narrower(&self, other: &Self) -> bool {
        let shared = self.common(other).unwrap_or_default();
        let last = if shared.is_ascii() { LAST_OF_ASCII } else { u8::MAX };
        matches!(self.walk(other, Sought::FirstAlone, u8::MAX), Walk::Nothing)
            && matches!(other.walk(self, Sought::FirstAlone, last), Walk::Found(_))
    }

    /// Walks all bytes up to `last`.
    fn walk(&self, other: &Self, sought: Sought, last: u8) -> Walk {
        match (&self.automaton, &other.automaton) {
            (Some(first), Some(second)) => walk(first, second, sought, last),
            _ => Walk::Unknown,
        }
    }
}

/// Walks both, the nearest states first, so that what is found is short.
fn walk(first: &Automaton, second: &Automaton, sought: Sought, last: u8) -> Walk {
    let start = (Some(first.start), Some(second.start));
    let (mut reached, mut next) = (HashMap::from([(start, None)]), VecDeque::from([start]));
    let mut gave_up = false;
    while let Some(pair) = next.pop_front() {
        if is_sought(first.accepts(pair.0), second.accepts(pair.1), sought) {
            return Walk::Found(value(&reached, pair));
        }
        for byte in bytes().filter(|byte| *byte <= last) {
            // Where the first can match no more, what the second does is of no interest.
            let Some(one) = first.step(pair.0, byte, &mut gave_up) else { continue };
            let to = (Some(one), second.step(pair.1, byte, &mut gave_up));
            let is_hopeless = to.1.is_none() && sought == Sought::Both;
            if !is_hopeless && reached.len() < PAIRS && !reached.contains_key(&to) {
                reached.insert(to, Some((pair, byte)));
                next.push_back(to);
            }
        }
    }
    if gave_up || reached.len() == PAIRS { Walk::Unknown } else { Walk::Nothing }
}

fn is_sought(first: bool, second: bool, sought: Sought) -> bool {
    first && second == (sought == Sought::Both)
}

/// The bytes that led to a pair.
fn value(reached: &HashMap<Pair, Option<(Pair, u8)>>, mut pair: Pair) -> Vec<u8> {
    let mut value = Vec::new();
    while let Some(Some((before, byte))) = reached.get(&pair) {
        value.push(*byte);
        pair = *before;
    }
    value.reverse();
    value
}

/// All bytes a value may have, those first that read best.
fn bytes() -> impl Iterator<Item = u8> {
    let reads_well = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (b'a'..=b'z').chain(b'0'..=b'9').chain((1..=u8::MAX).filter(move |byte| !reads_well(byte)))
}

impl Automaton {
    fn accepts(&self, state: Option<StateID>) -> bool {
        state.is_some_and(|state| self.dfa.is_match_state(self.dfa.next_eoi_state(state)))
    }

    fn step(&self, state: Option<StateID>, byte: u8, gave_up: &mut bool) -> Option<StateID> {
        let state = self.dfa.next_state(state?, byte);
        let quits = self.dfa.is_quit_state(state);
        *gave_up |= quits;
        (!quits && !self.dfa.is_dead_state(state)).then_some(state)
    }
}

#[cfg(test)]
mod tests {
    use crate::route::expression::{Expression, parse};

    fn expression(text: &str) -> Expression {
        Expression::build(parse(text).unwrap()).unwrap()
    }

    fn common(one: &str, other: &str) -> Option<String> {
        let value = expression(one).common(&expression(other));
        value.map(|value| String::from_utf8(value).unwrap())
    }

    #[test]
    fn the_shortest_value_that_both_match_is_found() {
        assert_eq!(common("[0-9]+", r"\d+").as_deref(), Some("0"));
        assert_eq!(common("[a-z]+", "[a-f]+").as_deref(), Some("a"));
        assert_eq!(common("a.*", ".*bc").as_deref(), Some("abc"));
        assert_eq!(common("[0-9]{3,}", "1[0-9]*2").as_deref(), Some("102"));
        assert_eq!(common(r"\w+", "[A-Z]+").as_deref(), Some("A"));
        assert_eq!(common("[0-9]+", "[a-z]+"), None);
        assert_eq!(common("(?:ab)+", "(?:ba)+"), None);
    }

    #[test]
    fn one_is_narrower_that_matches_less() {
        let narrower = |one: &str, other: &str| expression(one).is_narrower(&expression(other));
        assert!(narrower("[0-9]+", "[a-z0-9-]+") && !narrower("[a-z0-9-]+", "[0-9]+"));
        assert!(narrower("[0-9]+", r"\w+") && narrower("[а-е]+", "[а-я]+"));
        assert!(!narrower("[0-9]+", r"\d+") && !narrower(r"\d+", "[0-9]+"));
        assert!(!narrower("[0-9]+", "[0-9][0-9]*") && !narrower("[a-f]+", "[d-z]+"));
    }
}
