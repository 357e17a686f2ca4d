//! The marks that conditions ask for, and those that calls can have where they are asked.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::HandlerEntry;
use crate::condition::{UNMARKED, When};
use crate::conf::{BuildError, Problem, Section, suggest};
use crate::handler::fact;

/// The conditions of a handler, with their keys.
type Conditions = [(String, When)];

/// The conditions that ask for a mark, as a requirement that somebody gives one.
pub(super) fn required(conditions: &Conditions) -> impl Iterator<Item = (&'static str, &str)> {
    let asking = conditions.iter().filter(|(_, when)| when.marks().next().is_some());
    asking.map(|(key, _)| (fact::MARK, key.as_str()))
}

/// The marks that calls can have at a place of a chain.
#[derive(Default)]
pub(super) struct Marks {
    given: BTreeSet<String>,
    /// Whether somebody gives marks here.
    is_given: bool,
    /// Whether somebody may give any.
    is_open: bool,
}

impl Marks {
    /// From here on calls can have these as well; any, if they are not known.
    pub(super) fn give(&mut self, marks: Option<Vec<String>>) {
        self.is_given = true;
        self.is_open |= marks.is_none();
        self.given.extend(marks.into_iter().flatten());
    }

    /// Calls can have what they can have there as well.
    fn join(&mut self, other: &Self) {
        self.is_given |= other.is_given;
        self.is_open |= other.is_open;
        self.given.extend(other.given.iter().cloned());
    }

    /// Nobody knows which marks this handler would give.
    pub(super) fn lose(&mut self, entry: &HandlerEntry) {
        if entry.provides.contains(&fact::MARK) {
            self.give(None);
        }
    }
}

/// What conditions ask for, by the key of the list that says it. One that several chains share is for all of them, so
/// that a mark is possible if calls of one chain can have it.
#[derive(Default)]
pub(super) struct Sought(BTreeMap<String, List>);

/// The marks that one list asks for.
#[derive(Default)]
struct List {
    asked: Vec<(String, Problem)>,
    /// What is wrong where nobody gives marks.
    unmet: Vec<Problem>,
    marks: Marks,
}

impl Sought {
    /// Notes what conditions ask for at a place where calls can have these marks, and what is wrong with the conditions
    /// if nobody gives any there.
    pub(super) fn note(&mut self, section: &Section<'_>, conditions: &Conditions, marks: &Marks, unmet: &[BuildError]) {
        let lists = conditions.iter().flat_map(|(at, when)| when.marks().map(move |(entry, marks)| (at, entry, marks)));
        for (at, entry, asked) in lists {
            let problem = |error: BuildError| section.problem(&error.below("mark").below(&entry).below(at));
            let list = self.0.entry(problem(BuildError::new("", "")).key).or_default();
            let wanting = |(at, mark): (usize, &String)| (mark.clone(), problem(impossible(at, mark)));
            list.asked = asked.iter().enumerate().map(wanting).collect();
            list.unmet.extend(unmet.iter().filter(|error| error.at == *at).map(|error| section.problem(error)));
            list.marks.join(marks);
        }
    }

    /// What no call can have: wrong where a list asks for nothing else, and otherwise only idle.
    pub(super) fn settle(self) -> (Vec<Problem>, Vec<Problem>) {
        let (mut wrong, mut idle) = (Vec::new(), Vec::new());
        for list in self.0.into_values() {
            let (unknown, is_all) = list.unknown();
            if is_all { wrong.extend(unknown) } else { idle.extend(unknown) }
        }
        (wrong, idle)
    }
}

impl List {
    /// What no call can have, and whether it asks for nothing else.
    fn unknown(self) -> (Vec<Problem>, bool) {
        let Self { asked, unmet, marks: Marks { given, is_given, is_open } } = self;
        if !is_given {
            // That nobody gives one is said of the whole condition.
            return (unmet, true);
        }
        let most = asked.len();
        let can_be = |mark: &String| is_open || *mark == UNMARKED || given.contains(mark);
        let unknown = asked.into_iter().filter(|(mark, _)| !can_be(mark));
        let help = |mark: &str| suggest::among(mark, given.iter().map(String::as_str), "the marks given before it are");
        let unknown: Vec<_> = unknown.map(|(mark, problem)| problem.with_help(help(&mark))).collect();
        let is_all = unknown.len() == most;
        (unknown, is_all)
    }
}

fn impossible(at: usize, mark: &str) -> BuildError {
    BuildError::new(format!("[{at}]"), format!("nothing before it marks a call `{mark}`"))
}
