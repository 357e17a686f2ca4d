//! Measures time, in batches that take turns, and prints it beside the bars.

use std::time::Instant;

use crate::bars;
use crate::crowding::Slowdown;
use crate::gate;
use crate::inside::proven_by;
use crate::instructions;
use crate::keys::floods;
use crate::scenario::{EMPTY, SIX, Scenario};

/// How many batches a median is taken of.
const BATCHES: usize = 401;

/// Batches are this much shorter than what is counted: a short one is seldom interrupted.
const SHORTER: u64 = 20;

/// Prints what every scenario takes, then what the bars say about it.
pub(crate) fn report() {
    let nanos = medians(Scenario::all());
    let counts: Vec<_> =
        Scenario::all().iter().map(|scenario| gate::count(scenario, instructions::countable())).collect();
    println!("| | allocations | instructions | time |\n|---|---|---|---|");
    for ((scenario, counts), nanos) in Scenario::all().iter().zip(&counts).zip(&nanos) {
        let instructions = counts.instructions.map_or_else(|| "–".to_owned(), |count| format!("{count:.0}"));
        println!("| {} | {} | {instructions} | {nanos:.0} ns |", scenario.name, counts.allocations);
    }
    let nanos_of =
        |name: &str| Scenario::all().iter().zip(&nanos).find(|(scenario, _)| scenario.name == name).unwrap().1;
    let six = nanos_of(SIX) - nanos_of(EMPTY);
    let slowdown = Slowdown::measure();
    println!("\n| bar | at most | measured |\n|---|---|---|");
    println!("| six empty handlers add | 30 ns | {six:.0} ns |");
    for bar in bars::of(&counts) {
        println!("| {} | {} | {:.1} |", bar.name, bar.most, bar.found);
    }
    println!(
        "| slowdown by a second thread | 1.25 × | {:.2} × (arithmetic on this machine: {:.2} ×) |",
        slowdown.calls, slowdown.machine
    );
    println!("| 10,000 callers in turn, each call beside one of the same caller | – | {:.0} ns |", in_turn());
    for flood in floods() {
        println!("| {flood} | {} | {} |", flood.bound, flood.held);
    }
}

/// How much longer a call takes if its caller was not here for a while.
fn in_turn() -> f64 {
    let [one, many]: [fn() -> Box<dyn FnMut()>; 2] = [|| proven_by(1), || proven_by(10_000)];
    let scenario = |prepare| Scenario { name: "", repetitions: 4_000, prepare };
    let nanos = medians(&[scenario(one), scenario(many)]);
    nanos[1] - nanos[0]
}

/// The nanoseconds a repetition of each takes, over batches that take turns.
pub(crate) fn medians(scenarios: &[Scenario]) -> Vec<f64> {
    let mut subjects: Vec<_> = scenarios.iter().map(|scenario| (scenario.prepare)()).collect();
    let mut samples = vec![Vec::new(); scenarios.len()];
    for _ in 0..BATCHES {
        for ((scenario, subject), samples) in scenarios.iter().zip(&mut subjects).zip(&mut samples) {
            let repetitions = scenario.repetitions / SHORTER;
            let start = Instant::now();
            (0..repetitions).for_each(|_| subject());
            samples.push(start.elapsed().as_nanos() as f64 / repetitions as f64);
        }
    }
    samples.into_iter().map(median).collect()
}

/// The middle of the values.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
