//! On which calls a step runs, and how many of its refusals count.

use crate::condition::Condition;
use crate::fault::Fault;
use crate::invocation::Invocation;
use crate::metrics::Counter;
use crate::random::Random;

/// On which calls a step runs, and how many of its refusals count: what YAML says with `when`, `shadow` and `enforce`.
pub struct Terms {
    /// The calls it runs on; `None` for all.
    pub when: Option<Condition>,
    /// The share of its refusals that count, from 0 (a shadow: it decides, and nothing comes of it) to 1.
    pub enforced: f64,
    /// Draws the refusals that count.
    pub random: Random,
    /// What is counted of its decisions.
    pub counts: Counts,
}

/// What is counted of the decisions of a step, as Envoy does: how many were asked for, and what became of them.
pub struct Counts {
    /// The step ran.
    pub consulted: Counter,
    /// The step refused, whether or not that counted.
    pub refused: Counter,
    /// The refusal counted.
    pub enforced: Counter,
}

impl Terms {
    /// Whether the step runs on this call.
    pub(super) fn cover(&self, invocation: &Invocation) -> bool {
        let covered = self.when.as_ref().is_none_or(|when| when.holds(invocation));
        if covered {
            self.counts.consulted.increment();
        }
        covered
    }

    /// Whether a refusal of this call is only counted.
    pub(super) fn spare(&self, fault: &Fault, invocation: &Invocation, handler: &str) -> bool {
        self.counts.refused.increment();
        let counts = self.enforced >= 1.0 || self.random.next_f64() < self.enforced;
        if counts {
            self.counts.enforced.increment();
        } else {
            invocation.call.note_spared(fault, handler, invocation);
        }
        !counts
    }
}
