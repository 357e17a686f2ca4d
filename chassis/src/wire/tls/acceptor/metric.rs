//! What is counted of handshakes and certificates.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock::Clock;
use crate::conf::FileRef;
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

static REMAINING: Spec = Spec {
    name: "chassis.tls.certificate.remaining",
    help: "How long the certificate that a listener shows is still good, by its file; less than nothing since it expired.",
    unit: Unit::Seconds,
    kind: Kind::Gauge,
};

/// Lets whoever asks see how long the certificate in use is still good, for as long as that is held. `until` is in seconds
/// since the Unix epoch, and 0 where the certificate does not say.
pub(super) fn remaining(metrics: &Metrics, file: &FileRef, until: &Arc<AtomicU64>, clock: Clock) {
    let until = Arc::downgrade(until);
    metrics.observe(&REMAINING, labels([("certificate", file.to_string())]), move || {
        let until = until.upgrade()?.load(Ordering::Relaxed);
        (until > 0).then(|| until as f64 - clock.unix_seconds() as f64)
    });
}

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
