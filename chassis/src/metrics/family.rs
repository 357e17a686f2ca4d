//! The series of one metric.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex};

use super::cells::Cells;
use super::histogram::Sorted;
use super::{Buckets, Counter, Gauge, Histogram, Kind, Labels, MOST_SERIES, Spec};
use crate::lock::locked;

/// What one metric measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Family {
    /// What it is.
    pub spec: &'static Spec,
    /// Its series, by their labels.
    pub series: Vec<Series>,
}

/// What was measured under some labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The labels.
    pub labels: Labels,
    /// The value.
    pub measured: Measured,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Measured {
    /// Of a counter or gauge, in the unit.
    Number(f64),
    /// Of a histogram.
    Buckets(Buckets),
}

/// A family as it is kept.
pub(super) struct Kept {
    spec: &'static Spec,
    lanes: usize,
    series: Mutex<BTreeMap<Labels, Source>>,
}

type Read = Box<dyn Fn() -> Option<f64> + Send + Sync>;

enum Source {
    Cells(Arc<Cells>),
    Sorted(Arc<Sorted>),
    Observed(Read),
}

impl Kept {
    pub(super) fn new(spec: &'static Spec, lanes: usize) -> Self {
        Self { spec, lanes, series: Mutex::default() }
    }

    pub(super) fn counter(&self, labels: Labels) -> Counter {
        Counter(self.cells(labels))
    }

    pub(super) fn gauge(&self, labels: Labels) -> Gauge {
        Gauge(self.cells(labels))
    }

    pub(super) fn histogram(&self, labels: Labels) -> Histogram {
        let bounds = match self.spec.kind {
            Kind::Histogram(bounds) => bounds,
            Kind::Counter | Kind::Gauge => &[],
        };
        let make = || Source::Sorted(Arc::new(Sorted::new(bounds, self.spec.unit.scale(), self.lanes)));
        self.with(labels, make, |source| match source {
            Source::Sorted(sorted) => Histogram(Arc::clone(sorted)),
            // A metric that two parts measure in different ways: the second measures for nobody.
            _ => Histogram(Arc::new(Sorted::new(bounds, self.spec.unit.scale(), self.lanes))),
        })
    }

    /// What `read` says takes the place of what was observed under the same labels: after a reload it is the new part
    /// that knows.
    pub(super) fn observe(&self, labels: Labels, read: Read) {
        let mut series = locked(&self.series);
        let labels = bounded(&series, labels);
        series.insert(labels, Source::Observed(read));
    }

    /// What was measured; what is not observed any more is forgotten.
    pub(super) fn read(&self) -> Family {
        let mut series = Vec::new();
        locked(&self.series).retain(|labels, source| {
            let measured = source.read(self.spec);
            let known = measured.is_some();
            series.extend(measured.map(|measured| Series { labels: labels.clone(), measured }));
            known
        });
        Family { spec: self.spec, series }
    }

    fn cells(&self, labels: Labels) -> Arc<Cells> {
        let make = || Source::Cells(Arc::new(Cells::new(1, self.lanes)));
        self.with(labels, make, |source| match source {
            Source::Cells(cells) => Arc::clone(cells),
            _ => Arc::new(Cells::new(1, self.lanes)),
        })
    }

    fn with<H>(&self, labels: Labels, make: impl FnOnce() -> Source, handle: impl FnOnce(&Source) -> H) -> H {
        let mut series = locked(&self.series);
        let labels = bounded(&series, labels);
        match series.entry(labels) {
            Entry::Occupied(source) => handle(source.get()),
            Entry::Vacant(place) => handle(place.insert(make())),
        }
    }
}

/// These labels, or those of the series that all others share once there are enough.
fn bounded(series: &BTreeMap<Labels, Source>, labels: Labels) -> Labels {
    if series.len() < MOST_SERIES || series.contains_key(&labels) {
        return labels;
    }
    Labels::from([("otel.metric.overflow", Cow::Borrowed("true"))])
}

impl Source {
    fn read(&self, spec: &Spec) -> Option<Measured> {
        Some(match self {
            Self::Cells(cells) => Measured::Number(number(cells.sum(0), spec)),
            Self::Sorted(sorted) => Measured::Buckets(sorted.read()),
            Self::Observed(read) => Measured::Number(read()?),
        })
    }
}

fn number(sum: u64, spec: &Spec) -> f64 {
    let number = if spec.kind == Kind::Gauge { sum.cast_signed() as f64 } else { sum as f64 };
    number / spec.unit.scale()
}
