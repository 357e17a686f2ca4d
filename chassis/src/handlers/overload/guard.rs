//! What a process can run out of beside the time of its processors: memory and file descriptors.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::class::Criticality;
use super::policy::{Guard, Thresholds};
use crate::background::{Background, Ending, Task};
use crate::conf::Share;
use crate::conf::source::pressure;

/// How often it is looked: as Envoy does.
const PERIOD: Duration = Duration::from_millis(250);

/// How tight memory and file descriptors are, as it was seen last.
pub(super) struct Guards {
    memory: (Guard, Pressure),
    descriptors: (Guard, Pressure),
    thresholds: Thresholds,
}

/// A part of one, in millionths.
#[derive(Default)]
struct Pressure(AtomicU32);

/// What is used up, and how much of it is in use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Tight {
    Memory(f64),
    Descriptors(f64),
}

/// How far the part in use is on the way from where it gets tight to where nothing is left.
pub(super) fn scaled(used: f64, guard: Guard) -> f64 {
    let (from, full) = (guard.from.of_one(), guard.full.of_one());
    if full >= 1.0 { 0.0 } else { ((used - from) / (full - from)).clamp(0.0, 1.0) }
}

/// Whether calls of this criticality are refused when it is so tight.
pub(super) fn sheds(pressure: f64, threshold: Share) -> bool {
    pressure > 0.0 && pressure >= threshold.of_one()
}

impl Guards {
    pub(super) fn new(memory: Guard, descriptors: Guard, thresholds: Thresholds) -> Arc<Self> {
        let seen = Pressure::default;
        Arc::new(Self { memory: (memory, seen()), descriptors: (descriptors, seen()), thresholds })
    }

    /// Looks at both until the task is dropped.
    pub(super) fn watch(self: &Arc<Self>, background: &Background) -> Task {
        let guards = Arc::clone(self);
        background.run("overload", |ending| guards.look_again(ending))
    }

    async fn look_again(self: Arc<Self>, mut ending: Ending) {
        loop {
            // Reading them takes the kernel longer the more there is.
            let read = tokio::task::spawn_blocking(|| (pressure::memory(), pressure::descriptors()));
            if let Ok((memory, descriptors)) = read.await {
                self.saw(memory, descriptors);
            }
            tokio::select! {
                () = ending.told() => return,
                () = tokio::time::sleep(PERIOD) => {}
            }
        }
    }

    /// Takes note of the parts that are in use.
    pub(super) fn saw(&self, memory: Option<f64>, descriptors: Option<f64>) {
        self.memory.1.set(memory.unwrap_or(0.0));
        self.descriptors.1.set(descriptors.unwrap_or(0.0));
    }

    /// What is too tight for calls of this criticality.
    pub(super) fn tight(&self, class: Criticality) -> Option<Tight> {
        let threshold = self.thresholds.by_place()[class.place()];
        let over = |(guard, seen): &(Guard, Pressure)| {
            let used = seen.get();
            (used > guard.from.of_one() && sheds(scaled(used, *guard), threshold)).then_some(used)
        };
        over(&self.memory).map(Tight::Memory).or_else(|| over(&self.descriptors).map(Tight::Descriptors))
    }
}

impl Pressure {
    fn set(&self, part: f64) {
        self.0.store((part * 1e6) as u32, Ordering::Relaxed);
    }

    fn get(&self) -> f64 {
        f64::from(self.0.load(Ordering::Relaxed)) / 1e6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(from: u8, full: u8) -> Guard {
        Guard { from: Share::percent(from), full: Share::percent(full) }
    }

    fn shed(used: f64) -> Vec<&'static str> {
        let guards = Guards::new(guard(80, 100), guard(80, 90), Thresholds::default());
        guards.saw(Some(used), Some(used));
        Criticality::ALL.into_iter().filter(|class| guards.tight(*class).is_some()).map(Criticality::as_str).collect()
    }

    #[test]
    fn the_less_critical_a_call_is_the_sooner_it_is_refused() {
        assert_eq!(shed(0.80), [""; 0]);
        assert_eq!(shed(0.84), [""; 0]);
        assert_eq!(shed(0.851), ["sheddable"]);
        assert_eq!(shed(0.88), ["sheddable", "sheddable-plus"]);
        assert_eq!(shed(0.895), ["sheddable", "sheddable-plus", "critical"]);
        assert_eq!(shed(0.901), ["sheddable", "sheddable-plus", "critical", "critical-plus"]);
    }

    #[test]
    fn what_nobody_can_tell_refuses_nothing() {
        let guards = Guards::new(guard(0, 50), guard(0, 50), Thresholds::default());
        guards.saw(None, None);
        assert_eq!(guards.tight(Criticality::Sheddable), None);
    }
}
