//! What is counted of callers and keys.

use crate::metrics::{Counter, Kind, Metrics, Spec, Unit, labels};

static FETCHES: Spec = Spec {
    name: "chassis.auth.keys.fetches",
    help: "How often the keys of the issuer were asked for, by what came of it: `fetched` or `failed`.",
    unit: Unit::Count("fetch"),
    kind: Kind::Counter,
};

static AGE: Spec = Spec {
    name: "chassis.auth.keys.age",
    help: "How long ago the keys that tokens are checked with were fetched.",
    unit: Unit::Seconds,
    kind: Kind::Gauge,
};

/// What came of fetching keys.
pub(super) struct Fetches {
    pub(super) fetched: Counter,
    pub(super) failed: Counter,
}

impl Fetches {
    pub(super) fn of(metrics: &Metrics) -> Self {
        let counter = |outcome| metrics.counter(&FETCHES, labels([("outcome", outcome)]));
        Self { fetched: counter("fetched"), failed: counter("failed") }
    }
}

/// Lets whoever asks see how old keys are; `None` once they are gone.
pub(super) fn age(metrics: &Metrics, issuer: &str, read: impl Fn() -> Option<f64> + Send + Sync + 'static) {
    metrics.observe(&AGE, labels([("issuer", issuer.to_owned())]), read);
}
