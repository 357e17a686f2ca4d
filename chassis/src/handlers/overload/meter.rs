//! How long successful calls take, measured without a lock, and what becomes of the limit.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::class::Criticality;
use super::gradient::{CLASSES, Gradient, Sample, Window};
use crate::clock::Instant;

/// How many calls a window has at least.
const FEWEST: u64 = 10;
/// The bits of a packed sample that hold the time, in microseconds; those above it count.
const TIME_BITS: u32 = 44;

/// What is measured in the window of the moment.
pub(super) struct Meter {
    epoch: Instant,
    window: Duration,
    packed: [AtomicU64; CLASSES],
    /// The quickest calls of this window and of the one before, in microseconds.
    quickest: [[AtomicU64; 2]; CLASSES],
    peak: AtomicUsize,
    /// When it may end, in microseconds since the epoch.
    ends: AtomicU64,
    /// `None` where the limit is fixed.
    gradient: Mutex<Option<Gradient>>,
}

impl Meter {
    pub(super) fn new(epoch: Instant, window: Duration, gradient: Option<Gradient>) -> Self {
        Self {
            epoch,
            window,
            packed: Default::default(),
            quickest: std::array::from_fn(|_| [AtomicU64::new(u64::MAX), AtomicU64::new(u64::MAX)]),
            peak: AtomicUsize::new(0),
            ends: AtomicU64::new(micros(window)),
            gradient: Mutex::new(gradient),
        }
    }

    /// How many calls were inside when one left.
    pub(super) fn saw(&self, inside: usize) {
        if inside > self.peak.load(Ordering::Relaxed) {
            self.peak.fetch_max(inside, Ordering::Relaxed);
        }
    }

    /// A call succeeded. The limit from now on, if it may have changed.
    pub(super) fn succeeded(&self, class: Criticality, took: Duration, now: Instant) -> Option<usize> {
        let took = micros(took);
        let most = (1 << TIME_BITS) >> 14;
        self.packed[class.place()].fetch_add((1 << TIME_BITS) + took.min(most), Ordering::Relaxed);
        let quickest = &self.quickest[class.place()][0];
        if took < quickest.load(Ordering::Relaxed) {
            quickest.fetch_min(took, Ordering::Relaxed);
        }
        let now = micros(now.saturating_duration_since(self.epoch));
        if now >= self.ends.load(Ordering::Relaxed) { self.roll(now) } else { None }
    }

    /// How long the quickest of the latest calls of this kind took.
    pub(super) fn quickest(&self, class: Criticality) -> Duration {
        let known = self.quickest[class.place()].iter().map(|quickest| quickest.load(Ordering::Relaxed));
        known.filter(|quickest| *quickest < u64::MAX).min().map_or(Duration::ZERO, Duration::from_micros)
    }

    /// Ends the window, if that is not being done and it has calls enough.
    #[cold]
    fn roll(&self, now: u64) -> Option<usize> {
        let mut gradient = match self.gradient.try_lock() {
            Ok(gradient) => gradient,
            Err(std::sync::TryLockError::Poisoned(poisoned)) => PoisonError::into_inner(poisoned),
            Err(std::sync::TryLockError::WouldBlock) => return None,
        };
        let count = |packed: &AtomicU64| packed.load(Ordering::Relaxed) >> TIME_BITS;
        if now < self.ends.load(Ordering::Relaxed) || self.packed.iter().map(count).sum::<u64>() < FEWEST {
            return None;
        }
        self.ends.store(now.saturating_add(micros(self.window)), Ordering::Relaxed);
        for [current, former] in &self.quickest {
            former.store(current.swap(u64::MAX, Ordering::Relaxed), Ordering::Relaxed);
        }
        let samples = self.packed.each_ref().map(|packed| unpacked(packed.swap(0, Ordering::Relaxed)));
        let window = Window { samples, peak: self.peak.swap(0, Ordering::Relaxed) };
        gradient.as_mut().map(|gradient| gradient.update(&window))
    }
}

fn unpacked(packed: u64) -> Sample {
    Sample { count: packed >> TIME_BITS, took: packed & ((1 << TIME_BITS) - 1) }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
