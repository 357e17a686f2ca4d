//! What the process counts and measures: handles that cost a few nanoseconds, merged when somebody asks.
//!
//! Whoever measures says once what ([`Spec`]) and with which labels, and gets a handle bound to that series. A handle
//! writes to cells of the thread that uses it, so two threads never wait for each other; [`Metrics::families`] adds
//! them up. Names, units and boundaries are those of OpenTelemetry; [`text`] spells them as Prometheus reads them.
//!
//! Memory is bounded: a family has at most [`MOST_SERIES`] series, and what would be one more is counted in a series of
//! its own with the label `otel.metric.overflow`, as OpenTelemetry's SDKs do.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::lock::locked;

mod cells;
mod counter;
mod family;
mod histogram;
pub mod text;

#[cfg(test)]
mod tests;

pub use counter::{Counter, Gauge};
pub use family::{Family, Measured, Series};
pub use histogram::{Buckets, Exemplar, Histogram};

use family::Kept;

/// How many series a family has at most; further ones share one.
pub const MOST_SERIES: usize = 2000;

/// What is measured: one metric, the same wherever it is used.
#[derive(Debug, PartialEq)]
pub struct Spec {
    /// Its name by OpenTelemetry's conventions, such as `http.server.request.duration`.
    pub name: &'static str,
    /// What it measures, in one sentence.
    pub help: &'static str,
    /// What one is.
    pub unit: Unit,
    /// How it is measured.
    pub kind: Kind,
}

/// How something is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Each value falls into the first bucket whose boundary, in the unit, it does not exceed.
    Histogram(&'static [f64]),
}

/// What one is. Handles are given whole numbers: nanoseconds for what is told in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Things of this name, such as `request`: `{request}` in UCUM.
    Count(&'static str),
    /// Seconds, given in nanoseconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// A share of one, given in millionths.
    Ratio,
}

impl Unit {
    /// How many of what handles are given make one.
    pub const fn scale(self) -> f64 {
        match self {
            Self::Count(_) | Self::Bytes => 1.0,
            Self::Seconds => 1e9,
            Self::Ratio => 1e6,
        }
    }
}

/// The labels of a series, by name.
pub type Labels = BTreeMap<&'static str, Cow<'static, str>>;

/// Makes labels from pairs.
pub fn labels<V: Into<Cow<'static, str>>>(pairs: impl IntoIterator<Item = (&'static str, V)>) -> Labels {
    pairs.into_iter().map(|(name, value)| (name, value.into())).collect()
}

/// Everything a process measures. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Metrics(Arc<Registered>);

struct Registered {
    // One for each thread that writes; all others share the last.
    lanes: usize,
    families: Mutex<BTreeMap<&'static str, Arc<Kept>>>,
}

impl Metrics {
    /// Nothing measured yet. `threads` that write at the same time do not slow each other down.
    pub fn new(threads: usize) -> Self {
        // Beside those that answer calls there is the one that started them; one lane is shared by all others.
        let lanes = threads.clamp(1, 64) + 2;
        Self(Arc::new(Registered { lanes, families: Mutex::default() }))
    }

    /// A handle that counts. The same labels give the same series.
    pub fn counter(&self, spec: &'static Spec, labels: Labels) -> Counter {
        self.family(spec).counter(labels)
    }

    /// A handle to something that goes up and down.
    pub fn gauge(&self, spec: &'static Spec, labels: Labels) -> Gauge {
        self.family(spec).gauge(labels)
    }

    /// A handle that sorts values into buckets.
    pub fn histogram(&self, spec: &'static Spec, labels: Labels) -> Histogram {
        self.family(spec).histogram(labels)
    }

    /// Something that is only looked at when somebody asks, in the unit of the spec. It is forgotten when `read` says
    /// `None`: whoever it belongs to is gone.
    pub fn observe(&self, spec: &'static Spec, labels: Labels, read: impl Fn() -> Option<f64> + Send + Sync + 'static) {
        self.family(spec).observe(labels, Box::new(read));
    }

    /// What was measured so far, in the order of the names.
    pub fn families(&self) -> Vec<Family> {
        let families: Vec<_> = locked(&self.0.families).values().map(Arc::clone).collect();
        families.iter().map(|family| family.read()).filter(|family| !family.series.is_empty()).collect()
    }

    fn family(&self, spec: &'static Spec) -> Arc<Kept> {
        let lanes = self.0.lanes;
        Arc::clone(locked(&self.0.families).entry(spec.name).or_insert_with(|| Arc::new(Kept::new(spec, lanes))))
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new(1)
    }
}
