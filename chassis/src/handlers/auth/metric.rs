//! What is counted of callers and keys.

use super::external::Answer;
use super::refusal::Refusal;
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

static REFUSED: Spec = Spec {
    name: "chassis.auth.refused",
    help: "Calls that `auth` refused, whether or not that counted, by the scheme of the proof and the reason.",
    unit: Unit::Count("call"),
    kind: Kind::Counter,
};

static VERIFIED: Spec = Spec {
    name: "chassis.auth.verified",
    help: "Proofs that were good and had to be checked anew, because they were not remembered, by their scheme.",
    unit: Unit::Count("proof"),
    kind: Kind::Counter,
};

static ANSWERS: Spec = Spec {
    name: "chassis.auth.external.answers",
    help: "What the service that decides about callers said: `allowed`, `unknown`, `denied`, or `failed` for nothing.",
    unit: Unit::Count("answer"),
    kind: Kind::Counter,
};

/// What another service said.
pub(super) struct Answers([Counter; 4]);

impl Answers {
    pub(super) fn of(metrics: &Metrics) -> Self {
        let counter = |outcome| metrics.counter(&ANSWERS, labels([("outcome", outcome)]));
        Self(["allowed", "unknown", "denied", "failed"].map(counter))
    }

    pub(super) fn count(&self, answer: Answer) {
        let [allowed, unknown, denied, failed] = &self.0;
        match answer {
            Answer::Allowed => allowed.increment(),
            Answer::Unknown => unknown.increment(),
            Answer::Denied => denied.increment(),
            Answer::Failed => failed.increment(),
        }
    }
}

/// Calls that were refused.
pub(super) struct Refused {
    reasons: [Counter; Refusal::ALL.len()],
    pub(super) missing: Counter,
    pub(super) insufficient: Counter,
}

impl Refused {
    pub(super) fn of(metrics: &Metrics) -> Self {
        let counter = |scheme: &str, reason: &str| {
            metrics.counter(&REFUSED, labels([("scheme", scheme.to_owned()), ("reason", reason.to_owned())]))
        };
        Self {
            reasons: Refusal::ALL.map(|refusal| counter(refusal.scheme().unwrap_or("several"), refusal.reason())),
            missing: counter("none", "missing"),
            insufficient: counter("any", "insufficient"),
        }
    }

    pub(super) fn count(&self, refusal: Refusal) {
        let (_, counter) = Refusal::ALL.iter().zip(&self.reasons).find(|(known, _)| **known == refusal).unzip();
        if let Some(counter) = counter {
            counter.increment();
        }
    }
}

/// Proofs of this scheme that were checked and good.
pub(super) fn verified(metrics: &Metrics, scheme: &'static str) -> Counter {
    metrics.counter(&VERIFIED, labels([("scheme", scheme)]))
}

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
