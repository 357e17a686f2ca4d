//! Counts instructions by running this program under callgrind with few and with many repetitions.

use std::env;
use std::process::{Command, Stdio};

use crate::scenario::{DEFAULT, PROVEN, RECORDED, Scenario};

/// The argument that makes this program run one scenario a number of times.
pub(crate) const ONLY: &str = "--only";

/// Enough for every pool and table to have its size.
const FEW: u64 = 50;

/// Whether they can be counted here.
pub(crate) fn countable() -> bool {
    let status = Command::new("valgrind").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// How often those are counted whose difference has a bar. What a library does to gather randomness at the start takes a
/// million instructions more or less from run to run; the least of several is the most alike.
const TRIES: usize = 3;

/// The instructions of one repetition. What comes before and after is in both runs and falls out of the difference.
pub(crate) fn of(scenario: &Scenario) -> f64 {
    let many = FEW + scenario.repetitions;
    let tries = if [PROVEN, DEFAULT, RECORDED].contains(&scenario.name) { TRIES } else { 1 };
    let least = |times| (0..tries).map(|_| collected(scenario.name, times)).min().unwrap_or_default();
    let (few, all) = (least(FEW), least(many));
    all.saturating_sub(few) as f64 / (many - FEW) as f64
}

fn collected(name: &str, times: u64) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe().unwrap())
        .args([ONLY, name, &times.to_string()])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} under valgrind: {text}");
    let collected = text.lines().find_map(|line| line.split_once("Collected :")).map(|(_, count)| count.trim().parse());
    collected.unwrap_or_else(|| panic!("callgrind says nothing: {text}")).unwrap()
}
