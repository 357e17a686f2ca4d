//! The bars that counts must stay below, whatever was recorded.

use crate::recorded::Counts;
use crate::scenario::{DEFAULT, EMPTY, OVERLOAD, PROVEN, RECORDED, SERVED_FULL, SERVED_GET, SIX, Scenario};

/// A count and what it may be at most.
pub(crate) struct Bar {
    pub(crate) name: &'static str,
    pub(crate) most: f64,
    pub(crate) found: f64,
}

/// The bars, from the counts of all scenarios in their order; without those whose counts are not there.
pub(crate) fn of(counts: &[Counts]) -> Vec<Bar> {
    let count =
        |name: &str| Scenario::all().iter().position(|scenario| scenario.name == name).and_then(|at| counts.get(at));
    let allocations = |name: &str| count(name).map(|counts| counts.allocations);
    let instructions = |name: &str| count(name).and_then(|counts| counts.instructions);
    let allocates = |name, without| difference(allocations(name), allocations(without));
    let runs = |name, without| difference(instructions(name), instructions(without));
    let bars = [
        ("allocations six empty handlers add", 0.0, allocates(SIX, EMPTY)),
        ("instructions an empty handler adds", 80.0, runs(SIX, EMPTY).map(|six| six / 6.0)),
        ("allocations overload adds", 0.0, allocates(OVERLOAD, EMPTY)),
        ("allocations the default chain adds", 0.0, allocates(DEFAULT, PROVEN)),
        ("instructions the default chain adds", 2500.0, runs(DEFAULT, PROVEN)),
        // The span of the log, in case somebody looks; and once a batch of 512 what it is written to.
        ("allocations a recorded call adds", 1.1, allocates(RECORDED, DEFAULT)),
        ("instructions a recorded call adds", 4000.0, runs(RECORDED, DEFAULT)),
        ("allocations of a served GET, empty chain", 10.0, allocations(SERVED_GET)),
        ("allocations of a served GET, full chain", 10.0, allocations(SERVED_FULL)),
    ];
    bars.into_iter().filter_map(|(name, most, found)| Some(Bar { name, most, found: found? })).collect()
}

fn difference(with: Option<f64>, without: Option<f64>) -> Option<f64> {
    with.zip(without).map(|(with, without)| with - without)
}
