//! What is counted of handshakes and certificates.

use crate::metrics::{Counter, Kind, Metrics, Spec, Unit, labels};

static HANDSHAKES: Spec = Spec {
    name: "chassis.tls.handshakes",
    help: "TLS handshakes of listeners, by what became of them: `done`, `failed`, or `late` for those that were ended.",
    unit: Unit::Count("handshake"),
    kind: Kind::Counter,
};

static RELOADS: Spec = Spec {
    name: "chassis.tls.reloads",
    help: "How often the certificate files of listeners had changed, by what came of it: `taken`, or `refused` where \
           the former are used on.",
    unit: Unit::Count("reload"),
    kind: Kind::Counter,
};

/// What became of handshakes.
pub(super) struct Handshakes {
    pub(super) done: Counter,
    pub(super) failed: Counter,
    pub(super) late: Counter,
}

impl Handshakes {
    pub(super) fn of(metrics: &Metrics) -> Self {
        let counter = |outcome| metrics.counter(&HANDSHAKES, labels([("outcome", outcome)]));
        Self { done: counter("done"), failed: counter("failed"), late: counter("late") }
    }
}

/// What came of files that had changed.
pub(super) struct Reloads {
    pub(super) taken: Counter,
    pub(super) refused: Counter,
}

impl Reloads {
    pub(super) fn of(metrics: &Metrics) -> Self {
        let counter = |outcome| metrics.counter(&RELOADS, labels([("outcome", outcome)]));
        Self { taken: counter("taken"), refused: counter("refused") }
    }
}
