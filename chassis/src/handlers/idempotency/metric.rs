//! What is counted of calls with keys.

use std::sync::Weak;

use super::local::Local;
use crate::metrics::{Counter, Kind, Metrics, Spec, Unit, labels};

static CALLS: Spec = Spec {
    name: "chassis.idempotency.calls",
    help: "Calls that `idempotency` looked at, by what became of them.",
    unit: Unit::Count("request"),
    kind: Kind::Counter,
};

static EVICTED: Spec = Spec {
    name: "chassis.idempotency.evicted",
    help: "Answers that `idempotency` let go before their time, because there was no room.",
    unit: Unit::Count("answer"),
    kind: Kind::Counter,
};

static LOST: Spec = Spec {
    name: "chassis.idempotency.lost",
    help: "Calls that ended, which Redis was not told in time: one that comes again is 409 or, where Redis has lost what it kept, done again.",
    unit: Unit::Count("request"),
    kind: Kind::Counter,
};

static KNOWN: Spec = Spec {
    name: "chassis.idempotency.known",
    help: "Calls that `idempotency` remembers, and those under way.",
    unit: Unit::Count("request"),
    kind: Kind::Gauge,
};

static MEMORY: Spec =
    Spec { name: "chassis.idempotency.memory", help: "What that takes.", unit: Unit::Bytes, kind: Kind::Gauge };

/// What became of a call.
#[derive(Clone, Copy)]
pub(super) enum Became {
    First,
    Replayed,
    Running,
    Differing,
    Unkept,
    Unknown,
    Full,
    Away,
    Unchecked,
    Missing,
    Malformed,
}

/// Counts what became of calls.
pub(super) struct Calls([Counter; 11]);

impl Calls {
    pub(super) fn new(metrics: &Metrics) -> Self {
        let names = [
            "first",
            "replayed",
            "running",
            "differing",
            "unkept",
            "unknown",
            "full",
            "away",
            "unchecked",
            "missing",
            "malformed",
        ];
        Self(names.map(|name| metrics.counter(&CALLS, labels([("result", name)]))))
    }

    pub(super) fn count(&self, became: Became) {
        self.0[became as usize].increment();
    }
}

pub(super) fn evicted(metrics: &Metrics) -> Counter {
    metrics.counter(&EVICTED, labels::<&str>([]))
}

pub(super) fn lost(metrics: &Metrics) -> Counter {
    metrics.counter(&LOST, labels::<&str>([]))
}

/// Shows how much is remembered, for as long as there is somebody who does.
pub(super) fn observe(metrics: &Metrics, scope: Option<&str>, store: &Weak<Local>) {
    let observed: [(&'static Spec, fn((usize, usize)) -> usize); 2] =
        [(&KNOWN, |size| size.0), (&MEMORY, |size| size.1)];
    for (spec, part) in observed {
        let (store, scope) = (Weak::clone(store), scope.unwrap_or("*").to_owned());
        metrics.observe(spec, labels([("operations", scope)]), move || Some(part(store.upgrade()?.size()) as f64));
    }
}
