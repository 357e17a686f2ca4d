//! The generic cell rate algorithm: one 64-bit time decides how many calls a key has left.

use std::time::Duration;

use crate::clock::nanos;
use crate::conf::{BuildError, Rate};

/// The longest time a full burst may need to refill: about 146 years. Below it no sum of times overflows.
const LONGEST: u64 = 1 << 62;

/// A policy: how fast calls may come, and how many at once.
///
/// The state of a key is its theoretical arrival time (TAT): when it would have used up nothing. All times are whole
/// nanoseconds of a monotonic clock. A key whose TAT has passed is the same as one that was never seen, so 0 is the
/// state of a new key. Every function here is pure: the caller keeps the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gcra {
    /// The time one call uses up (T), never 0. Rounded up, so that no more is admitted than was said.
    interval: u64,
    /// The time a full burst uses up (τ + T); 0 admits nothing.
    capacity: u64,
    burst: u64,
}

/// What a policy says about one call of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether the call may go on.
    pub allowed: bool,
    /// How many more could follow at once.
    pub remaining: u64,
    /// How long until the same call would be allowed, zero if it is; `None` if it never would.
    pub retry_after: Option<Duration>,
    /// How long until `remaining` grows; `None` if it never does.
    pub reset: Option<Duration>,
}

/// A full burst would take too long to refill: where nobody wrote a burst, the rate says how large it is.
fn too_long(rate: Rate, burst: Option<u64>) -> BuildError {
    let (at, calls, help) = match burst {
        Some(burst) => ("burst", burst, "choose a smaller `burst` or a higher `rate`"),
        None => ("rate", rate.count, "choose a smaller count: without a `burst`, all of it may come at once"),
    };
    BuildError::new(at, format!("{calls} calls at {rate} take more than 146 years to refill")).with_help(help)
}

impl Gcra {
    /// A policy of `rate` with at most `burst` calls at once; without one, the count of `rate`, so that a higher
    /// rate never has a smaller burst. A rate of 0 admits nothing.
    ///
    /// # Errors
    /// A full burst would take more than 146 years to refill.
    pub fn new(rate: Rate, burst: Option<u64>) -> Result<Self, BuildError> {
        let per = nanos(rate.per).max(1);
        if rate.count == 0 {
            return Ok(Self { interval: per, capacity: 0, burst: 0 });
        }
        let interval = per.div_ceil(rate.count);
        let calls = burst.unwrap_or(rate.count);
        match interval.checked_mul(calls) {
            Some(capacity) if capacity <= LONGEST => Ok(Self { interval, capacity, burst: calls }),
            _ => Err(too_long(rate, burst)),
        }
    }

    /// How many calls may come at once.
    pub fn burst(&self) -> u64 {
        self.burst
    }

    /// Whether `cost` calls conform at `now`.
    pub fn conforms(&self, tat: u64, now: u64, cost: u64) -> bool {
        self.used(tat, now, cost) <= self.capacity
    }

    /// The state after `cost` calls that conform. A call that does not conform must leave the state as it is.
    pub fn commit(&self, tat: u64, now: u64, cost: u64) -> u64 {
        tat.max(now).saturating_add(self.interval.saturating_mul(cost))
    }

    /// The time that `cost` calls use up, and the time that a full burst does.
    pub fn terms(&self, cost: u64) -> (u64, u64) {
        (self.interval.saturating_mul(cost), self.capacity)
    }

    /// What becomes of `cost` calls at `now`, as the figures stand once they were admitted or refused.
    pub fn check(&self, tat: u64, now: u64, cost: u64) -> Decision {
        let asked = self.used(tat, now, cost);
        let allowed = asked <= self.capacity;
        let used = if allowed { asked } else { tat.saturating_sub(now) };
        let remaining = self.capacity.saturating_sub(used) / self.interval;
        let possible = self.interval.saturating_mul(cost) <= self.capacity;
        let next = used.saturating_add(self.interval.saturating_mul(remaining.saturating_add(1)));
        let above_capacity = |used: u64| Duration::from_nanos(used.saturating_sub(self.capacity));
        Decision {
            allowed,
            remaining,
            retry_after: possible.then(|| above_capacity(asked)),
            reset: (remaining < self.burst).then(|| above_capacity(next)),
        }
    }

    /// The time that would be used up at `now` with `cost` calls more.
    fn used(&self, tat: u64, now: u64, cost: u64) -> u64 {
        tat.saturating_sub(now).saturating_add(self.interval.saturating_mul(cost))
    }
}

#[cfg(test)]
mod tests;
