//! What is counted of the cache.

use std::sync::Weak;

use super::kept::Shelf;
use crate::metrics::{Counter, Kind, Metrics, Spec, Unit, labels};

static CALLS: Spec = Spec {
    name: "chassis.cache.calls",
    help: "Calls that `cache` could have answered, by what became of them.",
    unit: Unit::Count("request"),
    kind: Kind::Counter,
};

static UNCHANGED: Spec = Spec {
    name: "chassis.cache.unchanged",
    help: "Calls that `cache` answered with 304, or would have as a shadow.",
    unit: Unit::Count("request"),
    kind: Kind::Counter,
};

static KEPT: Spec = Spec {
    name: "chassis.cache.kept",
    help: "Replies that `cache` keeps.",
    unit: Unit::Count("reply"),
    kind: Kind::Gauge,
};

static MEMORY: Spec =
    Spec { name: "chassis.cache.memory", help: "What they take.", unit: Unit::Bytes, kind: Kind::Gauge };

/// What became of calls, or would have without the shadow.
pub(super) struct Calls {
    /// Answered from the cache.
    pub(super) hit: Counter,
    /// Answered by the operation.
    pub(super) miss: Counter,
    /// Answered from the cache after waiting for another call.
    pub(super) shared: Counter,
    /// Not to be answered from the cache.
    pub(super) bypass: Counter,
    pub(super) unchanged: Counter,
}

impl Calls {
    pub(super) fn new(metrics: &Metrics) -> Self {
        let counter = |result| metrics.counter(&CALLS, labels([("result", result)]));
        Self {
            hit: counter("hit"),
            miss: counter("miss"),
            shared: counter("shared"),
            bypass: counter("bypass"),
            unchanged: metrics.counter(&UNCHANGED, labels::<&str>([])),
        }
    }
}

/// Shows how much is kept, for as long as there is somebody who does.
pub(super) fn observe(metrics: &Metrics, scope: Option<&str>, shelf: &Weak<Shelf>) {
    let observed: [(&'static Spec, fn((usize, usize)) -> usize); 2] =
        [(&KEPT, |size| size.0), (&MEMORY, |size| size.1)];
    for (spec, part) in observed {
        let (shelf, scope) = (Weak::clone(shelf), scope.unwrap_or("*").to_owned());
        metrics.observe(spec, labels([("operations", scope)]), move || Some(part(shelf.upgrade()?.size()) as f64));
    }
}
