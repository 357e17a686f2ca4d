//! What is counted of rate limits.

use crate::metrics::{Counter, Kind, Metrics, Spec, Unit, labels};

static REFUSED: Spec = Spec {
    name: "chassis.rate_limit.refused",
    help: "Calls that a policy of `rate-limit` refused, whether or not that counted, by the policy.",
    unit: Unit::Count("call"),
    kind: Kind::Counter,
};

static OVERFLOWED: Spec = Spec {
    name: "chassis.rate_limit.overflowed",
    help: "Calls that were judged by a bucket they share with other keys, because there were more than `max-keys`, by \
           the policy.",
    unit: Unit::Count("call"),
    kind: Kind::Counter,
};

/// Calls that this policy refused.
pub(super) fn refused(metrics: &Metrics, policy: &str) -> Counter {
    of(metrics, &REFUSED, policy)
}

/// Calls of keys that found no bucket of their own.
pub(super) fn overflowed(metrics: &Metrics, policy: &str) -> Counter {
    of(metrics, &OVERFLOWED, policy)
}

fn of(metrics: &Metrics, spec: &'static Spec, policy: &str) -> Counter {
    metrics.counter(spec, labels([("policy", policy.to_owned())]))
}
