//! Handles for what is counted.

use std::sync::Arc;

use super::cells::Cells;

/// Counts. Cheap to clone; all clones count together.
#[derive(Clone)]
pub struct Counter(pub(super) Arc<Cells>);

impl Counter {
    /// One more.
    #[inline]
    pub fn increment(&self) {
        self.0.add(0, 1);
    }

    /// So many more.
    #[inline]
    pub fn add(&self, more: u64) {
        self.0.add(0, more);
    }

    /// How many there were so far.
    pub fn count(&self) -> u64 {
        self.0.sum(0)
    }
}

/// Goes up and down. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Gauge(pub(super) Arc<Cells>);

impl Gauge {
    /// So many more.
    #[inline]
    pub fn add(&self, more: u64) {
        self.0.add(0, more);
    }

    /// So many fewer.
    #[inline]
    pub fn subtract(&self, fewer: u64) {
        self.0.add(0, fewer.wrapping_neg());
    }

    /// How many there are.
    pub fn value(&self) -> i64 {
        // What one thread added another may have taken away: only the sum over all of them means something.
        self.0.sum(0).cast_signed()
    }
}
