//! Prints what was measured, as the Markdown that benches/README.md records.

use std::fmt::Write as _;
use std::fs;

use crate::chain;
use crate::contest::Rounds;
use crate::cores::Cores;
use crate::drive::Round;
use crate::entrant::{
    AXUM_GET, AXUM_POST, AXUM_TOKEN_GET, CHASSIS_POST, GREETER_FULL_GET, GREETER_GET, HYPER_GET, HYPER_POST,
};
use crate::flags::Flags;
use crate::server::Spans;

/// Whom to compare with whom, and the bars: throughput at least, processor time at most.
const ROWS: &[(&str, &str, Option<f64>, Option<f64>)] = &[
    (GREETER_GET, AXUM_GET, Some(1.05), Some(0.95)),
    (GREETER_FULL_GET, AXUM_GET, Some(1.00), None),
    (GREETER_FULL_GET, AXUM_TOKEN_GET, Some(1.00), None),
    (CHASSIS_POST, AXUM_POST, Some(1.25), None),
    (HYPER_GET, AXUM_GET, None, None),
    (HYPER_POST, AXUM_POST, None, None),
    (chain::GET, AXUM_GET, Some(1.00), Some(1.00)),
    (chain::GET, chain::AXUM_SAME_GET, Some(1.00), Some(1.00)),
    (chain::TOKENS_GET, AXUM_GET, Some(1.00), None),
    (chain::TOKENS_GET, chain::AXUM_TOKENS_GET, Some(1.00), None),
    (chain::RECORDED_GET, AXUM_GET, Some(0.95), None),
    (chain::RECORDED_GET, chain::AXUM_SAME_GET, Some(0.95), None),
    (chain::ES256_GET, chain::AXUM_SAME_GET, None, None),
    (chain::POST, AXUM_POST, Some(1.25), None),
    (chain::POST, chain::AXUM_SAME_POST, Some(1.25), None),
    (chain::TOKENS_POST, AXUM_POST, Some(1.25), None),
    (chain::TOKENS_POST, chain::AXUM_TOKENS_POST, Some(1.25), None),
    (chain::GET, chain::USUAL_GET, Some(2.40), None),
    (chain::ES256_GET, chain::USUAL_ES256_GET, Some(10.0), None),
    (chain::USUAL_GET, AXUM_GET, None, None),
    (chain::USUAL_ES256_GET, AXUM_GET, None, None),
];

/// What was measured on, and how.
pub(crate) fn machine(flags: &Flags, cores: &Cores) -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let cpus = read("/proc/cpuinfo");
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("an unknown processor");
    let model = model.trim_start_matches([' ', '\t', ':']);
    let kernel = read("/proc/sys/kernel/osrelease");
    format!(
        "{} rounds of {} ms after {} ms, {} connections; servers on core {}, load on core {}; {}; {} cores; Linux {}; {} builds\n\n",
        flags.rounds(),
        flags.measured().as_millis(),
        flags.warm_up().as_millis(),
        flags.connections,
        cores.server,
        cores.load,
        model.trim(),
        cpus.lines().filter(|line| line.starts_with("processor")).count(),
        kernel.trim(),
        flags.profile(),
    )
}

/// Ratios first: they are what to rely on.
pub(crate) fn contest(results: &[Rounds]) -> String {
    let mut text = String::from("| | throughput | bar | CPU a request | bar |\n|---|---|---|---|---|\n");
    for (subject, against, least, most) in ROWS {
        let (Some(subject), Some(against)) = (find(results, subject), find(results, against)) else { continue };
        let throughput = ratio(subject, against, Round::throughput);
        let cost = ratio(subject, against, Round::cost);
        let _ = writeln!(
            text,
            "| {} ÷ {} | {throughput} | {} | {cost} | {} |",
            subject.name,
            against.name,
            bar(*least, |bar| throughput.median >= bar, "≥"),
            bar(*most, |bar| cost.median <= bar, "≤"),
        );
    }
    text.push_str("\nMedians over the rounds; absolute figures drift with the machine.\n\n");
    text.push_str("| | requests/s | CPU a request | server busy | p50 | p99 |\n|---|---|---|---|---|---|\n");
    for entrant in results {
        let of = |figure: &dyn Fn(&Round) -> f64| median(entrant.rounds.iter().map(figure).collect());
        let _ = writeln!(
            text,
            "| {} | {:.0} | {:.2} µs | {:.0} % | {:.0} µs | {:.0} µs |",
            entrant.name,
            of(&Round::throughput),
            of(&Round::cost),
            of(&Round::busy) * 100.0,
            of(&|round| round.percentile(0.5)),
            of(&|round| round.percentile(0.99)),
        );
    }
    for rounds in results {
        let Some(Spans { exported, dropped }) = &rounds.spans else { continue };
        let _ = writeln!(text, "\n{}: {exported} spans exported, {dropped} dropped for want of room.", rounds.name);
    }
    text
}

fn find<'a>(results: &'a [Rounds], name: &str) -> Option<&'a Rounds> {
    results.iter().find(|rounds| rounds.name == name)
}

/// A ratio over the rounds: each of one entrant against the same of the other.
struct Ratio {
    median: f64,
    least: f64,
    most: f64,
}

impl std::fmt::Display for Ratio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2} ({:.2}–{:.2})", self.median, self.least, self.most)
    }
}

fn ratio(subject: &Rounds, against: &Rounds, figure: impl Fn(&Round) -> f64) -> Ratio {
    let pairs = subject.rounds.iter().zip(&against.rounds);
    let ratios: Vec<_> = pairs.map(|(subject, against)| figure(subject) / figure(against)).collect();
    Ratio {
        least: ratios.iter().copied().fold(f64::INFINITY, f64::min),
        most: ratios.iter().copied().fold(0.0, f64::max),
        median: median(ratios),
    }
}

/// The bar and whether it holds.
pub(crate) fn bar(bar: Option<f64>, holds: impl FnOnce(f64) -> bool, sign: &str) -> String {
    let word = |holds| if holds { "holds" } else { "**missed**" };
    bar.map_or_else(|| "–".to_owned(), |bar| format!("{sign} {bar:.2} {}", word(holds(bar))))
}

/// The middle of the values; between the two middle ones of an even number.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

#[test]
fn the_median_is_the_middle_and_not_the_mean() {
    assert_eq!(median(vec![9.0, 1.0, 2.0]), 2.0);
    assert_eq!(median(vec![1.0, 2.0, 3.0, 100.0]), 2.5);
}
