//! Numbers that many threads add to without waiting for each other: each has cells of its own.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::lane::lane;

/// How many cells lie on one pair of cache lines, which processors fetch together.
const CELLS: usize = 16;

#[derive(Default)]
#[repr(align(128))]
struct Line([AtomicU64; CELLS]);

/// So many numbers, once for each lane.
pub(super) struct Cells {
    lines: Box<[Line]>,
    lines_a_lane: usize,
    lanes: usize,
}

impl Cells {
    /// `lanes` is a power of two.
    pub(super) fn new(numbers: usize, lanes: usize) -> Self {
        let lines_a_lane = numbers.div_ceil(CELLS).max(1);
        Self { lines: (0..lines_a_lane * lanes).map(|_| Line::default()).collect(), lines_a_lane, lanes }
    }

    /// The lane of this thread.
    #[inline]
    pub(super) fn lane(&self) -> Lane<'_> {
        let first = (lane() & (self.lanes - 1)) * self.lines_a_lane;
        Lane(self.lines.get(first..).unwrap_or_default())
    }

    /// Adds to a number, in the lane of this thread.
    #[inline]
    pub(super) fn add(&self, number: usize, more: u64) {
        self.lane().add(number, more);
    }

    /// A number, over all lanes.
    pub(super) fn sum(&self, number: usize) -> u64 {
        let lines = self.lines.iter().skip(number / CELLS).step_by(self.lines_a_lane);
        lines.map(|line| line.0[number % CELLS].load(Ordering::Relaxed)).fold(0, u64::wrapping_add)
    }
}

/// Where one thread writes.
pub(super) struct Lane<'a>(&'a [Line]);

impl Lane<'_> {
    /// Adds to a number. It wraps around, as a difference of two readings does.
    #[inline]
    pub(super) fn add(&self, number: usize, more: u64) {
        if let Some(line) = self.0.get(number / CELLS) {
            line.0[number % CELLS].fetch_add(more, Ordering::Relaxed);
        }
    }
}
