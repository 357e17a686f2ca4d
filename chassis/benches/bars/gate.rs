//! Compares what is counted with what was recorded.

use std::process::ExitCode;

use crate::bars;
use crate::counting::allocations;
use crate::instructions;
use crate::keys::floods;
use crate::recorded::{Counts, Origin, Recorded};
use crate::scenario::Scenario;

/// How far a count may be from the recorded one.
const TOLERANCE: f64 = 0.05;

const RECORD: &str = "cargo bench -p chassis --bench bars -- --record";

/// Counts everything and compares it.
pub(crate) fn check() -> ExitCode {
    let recorded = Recorded::load();
    let obstacle = obstacle(&recorded.origin);
    if let Some(obstacle) = &obstacle {
        println!("note: only allocations are compared, instructions are not: {obstacle}");
    }
    let (mut failures, mut counts) = (Vec::new(), Vec::new());
    // Before the last scenario, after which there is a log for what they warn of.
    for flood in floods() {
        let found = format!("{flood}: {}, and the worst case is {}", flood.held, flood.bound);
        println!("{found}");
        failures.extend((!flood.is_bounded()).then_some(found));
    }
    for scenario in Scenario::all() {
        let found = count(scenario, obstacle.is_none());
        counts.push(found);
        println!("{:<36} {}", scenario.name, shown(found));
        match recorded.scenarios.get(scenario.name) {
            Some(expected) => failures.extend(differences(scenario.name, *expected, found)),
            None => failures.push(format!("{}: not recorded", scenario.name)),
        }
    }
    failures.extend(unknown(&recorded));
    let missed = bars::of(&counts).into_iter().filter(|bar| bar.found > bar.most);
    failures.extend(missed.map(|bar| format!("{}: {:.2}, and the bar is {}", bar.name, bar.found, bar.most)));
    if failures.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!(
        "\n{}\n\nIf that is meant, say why in the commit and record it, with valgrind installed:\n  {RECORD}",
        failures.join("\n")
    );
    ExitCode::FAILURE
}

/// Why instructions cannot be compared here.
fn obstacle(recorded: &Origin) -> Option<String> {
    let here = Origin::here();
    if *recorded != here {
        return Some(format!("they were recorded with {recorded}, and here is {here}"));
    }
    (!instructions::countable()).then(|| "they are counted by valgrind, which is not installed".to_owned())
}

/// Counts everything and writes it down.
pub(crate) fn record() {
    assert!(instructions::countable(), "recording needs valgrind, to count instructions");
    let counts = Scenario::all().iter().map(|scenario| {
        let counts = count(scenario, true);
        println!("{:<36} {}", scenario.name, shown(counts));
        (scenario.name.to_owned(), counts)
    });
    Recorded { scenarios: counts.collect(), origin: Origin::here() }.save();
}

/// What one repetition takes.
pub(crate) fn count(scenario: &Scenario, with_instructions: bool) -> Counts {
    let mut subject = (scenario.prepare)();
    let mut repeat = |times| (0..times).for_each(|_| subject());
    // As often as it is counted: one call in a hundred or so is looked at more closely, and the first of these makes the
    // series that it is counted in.
    repeat(scenario.repetitions);
    let before = allocations();
    repeat(scenario.repetitions);
    let allocated = allocations() - before;
    let hundredths = (allocated as f64 * 100.0 / scenario.repetitions as f64).round();
    let instructions = with_instructions.then(|| instructions::of(scenario).round());
    Counts { allocations: hundredths / 100.0, instructions }
}

fn shown(counts: Counts) -> String {
    let instructions = counts.instructions.map_or_else(|| "not counted".to_owned(), |count| format!("{count:.0}"));
    format!("{:>6} allocations {instructions:>12} instructions", counts.allocations)
}

fn differences(name: &str, expected: Counts, found: Counts) -> Vec<String> {
    let allocations = difference(name, "allocations", expected.allocations, found.allocations, 0.05);
    let instructions = expected.instructions.zip(found.instructions);
    let instructions =
        instructions.and_then(|(expected, found)| difference(name, "instructions", expected, found, 5.0));
    allocations.into_iter().chain(instructions).collect()
}

/// `least` is what a count this small may differ by whatever its share.
fn difference(name: &str, what: &str, expected: f64, found: f64, least: f64) -> Option<String> {
    let off = (found - expected).abs() > (expected * TOLERANCE).max(least);
    let word = if found > expected { "more" } else { "fewer: keep the gain by recording it" };
    off.then(|| {
        format!("{name}: {found} {what}, recorded {expected}: {:.1} % {word}", (found / expected - 1.0).abs() * 100.0)
    })
}

fn unknown(recorded: &Recorded) -> Vec<String> {
    let known = |name: &str| Scenario::all().iter().any(|scenario| scenario.name == name);
    let gone = recorded.scenarios.keys().filter(|name| !known(name));
    gone.map(|name| format!("{name}: recorded, and no longer counted")).collect()
}
