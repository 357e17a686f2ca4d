//! On which calls a step runs, and on how many of them it acts.

use std::panic::resume_unwind;

use super::caught;
use crate::condition::Condition;
use crate::conf::{BuildError, Process, root};
use crate::fault::Fault;
use crate::invocation::Invocation;
use crate::metrics::{Counter, Kind, Spec, Unit, labels};
use crate::random::Random;

/// On which calls a step runs, and on how many of them it acts: what YAML says with `when`, `shadow` and `enforce`.
pub struct Terms {
    /// The calls it runs on; `None` for all.
    pub when: Option<Condition>,
    /// The share of these on which it acts, from 0 (a shadow: it decides, and nothing comes of it) to 1.
    pub enforced: f64,
    /// Draws these.
    pub random: Random,
    /// What is counted of its decisions.
    pub counts: Counts,
}

/// What is counted of the decisions of a step, as Envoy does: how many were asked for, and what became of them.
pub struct Counts {
    /// The step ran.
    pub consulted: Counter,
    /// The step refused, or answered itself, whether or not that counted.
    pub refused: Counter,
    /// That counted.
    pub enforced: Counter,
}

static CONSULTED: Spec = Spec {
    name: "chassis.handler.consulted",
    help: "Calls that a handler with `when`, `shadow` or `enforce` ran on.",
    unit: Unit::Count("request"),
    kind: Kind::Counter,
};

static REFUSED: Spec = Spec {
    name: "chassis.handler.refused",
    help: "Calls that a handler with `when`, `shadow` or `enforce` refused, or answered itself, whether or not that counted.",
    unit: Unit::Count("request"),
    kind: Kind::Counter,
};

static ENFORCED: Spec = Spec {
    name: "chassis.handler.enforced",
    help: "Calls that a handler with `when`, `shadow` or `enforce` refused, or answered itself, and that ended there.",
    unit: Unit::Count("request"),
    kind: Kind::Counter,
};

impl Counts {
    /// The counts of a handler.
    pub fn new(handler: &str, process: &Process) -> Self {
        let counter = |spec| process.metrics.counter(spec, labels([("handler", handler.to_owned())]));
        Self { consulted: counter(&CONSULTED), refused: counter(&REFUSED), enforced: counter(&ENFORCED) }
    }
}

impl Terms {
    /// What configuration says; `None` if that is what holds anyway.
    ///
    /// # Errors
    /// A condition cannot be made, or two keys contradict each other.
    pub fn build(
        said: &root::Terms,
        handler: &str,
        process: &Process,
        random: &Random,
    ) -> Result<Option<Self>, BuildError> {
        let enforced = said.enforced()?.of_one();
        let when = said.when.as_ref().map(|when| when.build().map_err(|error| error.below("when"))).transpose()?;
        let usual = when.is_none() && enforced >= 1.0;
        Ok((!usual).then(|| Self { when, enforced, random: random.clone(), counts: Counts::new(handler, process) }))
    }

    /// Those of a shadow.
    #[cfg(test)]
    pub(crate) fn shadow(handler: &str) -> Self {
        let counts = Counts::new(handler, &Process::default());
        Self { when: None, enforced: 0.0, random: Random::system(), counts }
    }

    /// Whether the step would run on this call.
    pub fn covers(&self, invocation: &Invocation) -> bool {
        self.when.as_ref().is_none_or(|when| when.holds(invocation))
    }

    /// Whether the step runs on this call. What a condition asks an operator of the service may panic: where the step may not
    /// act, that is counted and ends no call.
    pub(super) fn cover(&self, invocation: &Invocation) -> bool {
        let covered = caught(|| self.covers(invocation)).unwrap_or_else(|panic| {
            if self.draw() {
                resume_unwind(panic);
            }
            invocation.call.count_panic();
            false
        });
        if covered {
            self.counts.consulted.increment();
        }
        covered
    }

    /// Whether the step acts on a call.
    pub(super) fn draw(&self) -> bool {
        self.enforced >= 1.0 || self.random.next_f64() < self.enforced
    }

    /// Counts that the step would end a call, with a Fault if it refuses it, and whether that counts.
    pub(super) fn settle(&self, counts: bool, fault: Option<&Fault>, invocation: &Invocation, handler: &str) {
        self.counts.refused.increment();
        if counts {
            self.counts.enforced.increment();
        } else if let Some(fault) = fault {
            invocation.call.note_spared(fault, handler, invocation);
        }
    }
}
