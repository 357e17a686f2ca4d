//! How much smaller replies became.

use super::coding::Coding;
use crate::metrics::{Counter, Kind, Metrics, Spec, Unit, labels};

static ORIGINAL: Spec = Spec {
    name: "chassis.compression.original",
    help: "The bytes of replies before `compression` encoded them, by coding.",
    unit: Unit::Bytes,
    kind: Kind::Counter,
};

static ENCODED: Spec = Spec {
    name: "chassis.compression.encoded",
    help: "What `compression` made of them, by coding.",
    unit: Unit::Bytes,
    kind: Kind::Counter,
};

/// Counts both for one coding.
#[derive(Clone)]
pub(super) struct Sizes {
    original: Counter,
    encoded: Counter,
}

impl Sizes {
    pub(super) fn new(metrics: &Metrics, coding: Coding) -> Self {
        let counter = |spec| metrics.counter(spec, labels([("coding", coding.as_str())]));
        Self { original: counter(&ORIGINAL), encoded: counter(&ENCODED) }
    }

    pub(super) fn took(&self, bytes: usize) {
        self.original.add(bytes as u64);
    }

    pub(super) fn made(&self, bytes: usize) {
        self.encoded.add(bytes as u64);
    }
}
