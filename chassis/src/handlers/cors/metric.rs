//! What is counted of pages of other origins.

use http::HeaderMap;
use http::header::{HeaderName, ORIGIN};

use crate::metrics::{Counter, Kind, Metrics, Spec, Unit, labels};

static PREFLIGHTS: Spec = Spec {
    name: "chassis.cors.preflights",
    help: "Preflights that `cors` answered, by whether the origin is listed.",
    unit: Unit::Count("request"),
    kind: Kind::Counter,
};

static UNLISTED: Spec = Spec {
    name: "chassis.cors.unlisted",
    help: "Calls whose replies browsers keep from the page, because `cors` does not list its origin.",
    unit: Unit::Count("request"),
    kind: Kind::Counter,
};

static SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Counts pages of other origins.
pub(super) struct Counts {
    /// Of origins that are not listed, and of those that are.
    pub(super) preflights: [Counter; 2],
    pub(super) unlisted: Counter,
}

impl Counts {
    pub(super) fn new(metrics: &Metrics) -> Self {
        let preflights = ["unlisted", "listed"];
        Self {
            preflights: preflights.map(|origin| metrics.counter(&PREFLIGHTS, labels([("origin", origin)]))),
            unlisted: metrics.counter(&UNLISTED, labels::<&str>([])),
        }
    }

    /// A preflight was answered.
    pub(super) fn preflight(&self, listed: bool) {
        self.preflights[usize::from(listed)].increment();
    }

    /// A call was answered that comes from no page that is listed. Those of the service's own pages are not kept from them.
    pub(super) fn unlisted(&self, call: &HeaderMap) {
        let is_own = call.get(&SITE).is_some_and(|site| site == "same-origin");
        if call.contains_key(ORIGIN) && !is_own {
            self.unlisted.increment();
        }
    }
}
