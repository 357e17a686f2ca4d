//! Numbers that many threads add to without waiting for each other: each has cells of its own.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::lane::lane;

/// How many cells lie on one pair of cache lines, which processors fetch together.
const CELLS: usize = 16;

#[derive(Default)]
#[repr(align(128))]
struct Line([AtomicU64; CELLS]);

/// So many numbers, once for each lane. The first threads have a lane each, which nobody else writes to; all others share
/// the last one.
pub(super) struct Cells {
    lines: Box<[Line]>,
    lines_a_lane: usize,
    last: usize,
}

impl Cells {
    /// With one lane, all threads share it.
    pub(super) fn new(numbers: usize, lanes: usize) -> Self {
        let lines_a_lane = numbers.div_ceil(CELLS).max(1);
        let lines = (0..lines_a_lane * lanes.max(1)).map(|_| Line::default()).collect();
        Self { lines, lines_a_lane, last: lanes.saturating_sub(1) }
    }

    /// The lane of this thread.
    #[inline]
    pub(super) fn lane(&self) -> Lane<'_> {
        let own = lane();
        let first = own.min(self.last) * self.lines_a_lane;
        Lane { lines: self.lines.get(first..).unwrap_or_default(), is_own: own < self.last }
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

/// Where a thread writes.
pub(super) struct Lane<'a> {
    lines: &'a [Line],
    is_own: bool,
}

impl Lane<'_> {
    /// Adds to a number. It wraps around, as a difference of two readings does.
    #[inline]
    pub(super) fn add(&self, number: usize, more: u64) {
        let Some(cell) = self.lines.get(number / CELLS).map(|line| &line.0[number % CELLS]) else { return };
        match self.is_own {
            // Nobody writes in between, and to exclude that would cost as much as the rest of the adding many times over.
            true => cell.store(cell.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed),
            false => _ = cell.fetch_add(more, Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn nothing_is_lost_whether_threads_have_a_lane_or_share_one() {
        for lanes in [1, 2, 64] {
            let cells = Cells::new(CELLS + 1, lanes);
            thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| (0..10_000).for_each(|_| cells.add(CELLS, 3)));
                }
            });
            assert_eq!((cells.sum(0), cells.sum(CELLS)), (0, 240_000), "{lanes}");
        }
    }
}
