//! What is counted of questions to Redis.

use std::sync::Weak;

use super::outage::Outage;
use crate::metrics::{Counter, Kind, Labels, Metrics, Spec, Unit, labels};

static QUESTIONS: Spec = Spec {
    name: "chassis.redis.questions",
    help: "Questions to Redis, by what came of them: `answered`, `failed`, `late`, or `unasked` because it was away.",
    unit: Unit::Count("question"),
    kind: Kind::Counter,
};

static AWAY: Spec = Spec {
    name: "chassis.redis.away",
    help: "Whether Redis is away, 1 or 0: what it would decide is decided without it.",
    unit: Unit::Count("redis"),
    kind: Kind::Gauge,
};

/// What came of questions.
pub(super) struct Questions {
    pub(super) answered: Counter,
    pub(super) failed: Counter,
    pub(super) late: Counter,
    pub(super) unasked: Counter,
}

impl Questions {
    pub(super) fn new(metrics: &Metrics) -> Self {
        let of = |outcome: &'static str| metrics.counter(&QUESTIONS, labels([("outcome", outcome)]));
        Self { answered: of("answered"), failed: of("failed"), late: of("late"), unasked: of("unasked") }
    }
}

/// Shows whether Redis is away, for as long as there is somebody who asks it.
pub(super) fn observe(metrics: &Metrics, outage: &Weak<Outage>) {
    let outage = Weak::clone(outage);
    metrics.observe(&AWAY, Labels::new(), move || Some(f64::from(u8::from(outage.upgrade()?.is_on()))));
}
