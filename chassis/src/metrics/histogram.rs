//! Handles for what is sorted into buckets, and the calls that stand for a bucket.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, TryLockError};
use std::time::Duration;

use super::cells::Cells;
use crate::clock::nanos;
use crate::lock::locked;
use crate::trace::TraceContext;

/// Sorts values into buckets. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Histogram(pub(super) Arc<Sorted>);

pub(super) struct Sorted {
    // The upper bounds of all buckets but the last, in what handles are given.
    bounds: Box<[u64]>,
    // The sum of all values, and then one number for each bucket.
    cells: Cells,
    exemplars: Mutex<Vec<Option<Exemplar>>>,
    // When that of each bucket came, so that most calls need not look.
    renewed: Box<[AtomicU64]>,
}

/// How long a call stands for its bucket before the next one takes its place, in nanoseconds: where many are recorded, to
/// have each of them stand for a moment costs more than to sort them in.
const STANDS_FOR: u64 = 100_000_000;

/// A call that stands for all that fell into its bucket: somebody who sees the bucket finds its trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Exemplar {
    /// The trace.
    pub trace_id: [u8; 16],
    /// The span.
    pub span_id: [u8; 8],
    /// What was measured, in what handles are given.
    pub value: u64,
    /// When, in nanoseconds since the Unix epoch.
    pub at: u64,
}

/// What fell into the buckets so far.
#[derive(Clone, Debug, PartialEq)]
pub struct Buckets {
    /// The upper bounds of all buckets but the last, in what handles are given.
    pub bounds: Vec<u64>,
    /// How many fell into each, not added up.
    pub counts: Vec<u64>,
    /// The sum of all values, in what handles are given.
    pub sum: u64,
    /// A recent recorded call of each.
    pub exemplars: Vec<Option<Exemplar>>,
}

impl Histogram {
    /// Sorts a value in, as the unit of the metric says: nanoseconds for seconds.
    #[inline]
    pub fn record(&self, value: u64) {
        self.0.record(value);
    }

    /// Sorts a length of time in.
    #[inline]
    pub fn record_time(&self, time: Duration) {
        self.0.record(nanos(time));
    }

    /// Lets a call stand for the bucket that its value falls into, if it is recorded: an exemplar that leads to no trace
    /// helps nobody. `at` is when that was, in nanoseconds since the Unix epoch. A call stands for about a tenth of
    /// a second at least.
    #[inline]
    pub fn exemplify(&self, value: u64, call: &TraceContext, at: u64) {
        if call.is_sampled() && call.is_set() {
            self.0.exemplify(value, call, at);
        }
    }

    /// What fell into the buckets so far.
    pub fn read(&self) -> Buckets {
        self.0.read()
    }
}

impl Sorted {
    /// `bounds` in the unit, `scale` of what handles are given making one.
    pub(super) fn new(bounds: &[f64], scale: f64, lanes: usize) -> Self {
        let bounds: Box<[u64]> = bounds.iter().map(|bound| (bound * scale).round() as u64).collect();
        let cells = Cells::new(bounds.len() + 2, lanes);
        let exemplars = Mutex::new(vec![None; bounds.len() + 1]);
        // Long after any other time: the first call of a bucket always stands for it.
        let renewed = (0..=bounds.len()).map(|_| AtomicU64::new(u64::MAX)).collect();
        Self { bounds, cells, exemplars, renewed }
    }

    #[inline]
    fn record(&self, value: u64) {
        let lane = self.cells.lane();
        lane.add(0, value);
        lane.add(1 + self.bucket(value), 1);
    }

    // Most values of a service fall into the same few buckets, and those among the first.
    #[inline]
    fn bucket(&self, value: u64) -> usize {
        self.bounds.iter().position(|bound| value <= *bound).unwrap_or(self.bounds.len())
    }

    #[inline]
    fn exemplify(&self, value: u64, call: &TraceContext, at: u64) {
        let bucket = self.bucket(value);
        if is_due(&self.renewed[bucket], at) {
            self.renew(bucket, Exemplar { trace_id: call.trace_id, span_id: call.span_id, value, at });
        }
    }

    #[cold]
    fn renew(&self, bucket: usize, exemplar: Exemplar) {
        let mut exemplars = match self.exemplars.try_lock() {
            Ok(exemplars) => exemplars,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // Another call stands for one just now, and one is as good as the other: nobody waits.
            Err(TryLockError::WouldBlock) => return,
        };
        // Another thread may have been here meanwhile.
        let renewed = &self.renewed[bucket];
        if is_due(renewed, exemplar.at) {
            renewed.store(exemplar.at, Ordering::Relaxed);
            exemplars[bucket] = Some(exemplar);
        }
    }

    pub(super) fn read(&self) -> Buckets {
        Buckets {
            bounds: self.bounds.to_vec(),
            counts: (0..=self.bounds.len()).map(|bucket| self.cells.sum(1 + bucket)).collect(),
            sum: self.cells.sum(0),
            exemplars: locked(&self.exemplars).clone(),
        }
    }
}

/// Whether another call may stand for a bucket whose call came then. The wall may be set back meanwhile.
#[inline]
fn is_due(renewed: &AtomicU64, at: u64) -> bool {
    renewed.load(Ordering::Relaxed).abs_diff(at) >= STANDS_FOR
}

impl Buckets {
    /// How many values there were.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}
