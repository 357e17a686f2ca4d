//! The coarse time of a listener: one count that its watching task advances and its connections only read.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::Limits;

const SHORTEST: Duration = Duration::from_millis(5);
const LONGEST: Duration = Duration::from_secs(1);

/// How long a closed connection is read from, so that its peer sees the reply rather than a reset (RFC 9112 §9.6).
const LINGER: Duration = Duration::from_secs(2);

/// Ticks since the listener started. Reading it costs a load where reading the clock costs 40 ns.
#[derive(Debug, Default)]
pub(super) struct Ticks(AtomicU32);

impl Ticks {
    pub(super) fn now(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn advance(&self) -> u32 {
        self.0.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }
}

/// The timeouts of a listener, in ticks.
#[derive(Clone, Debug)]
pub(super) struct Ages {
    /// How long a new connection may send nothing.
    pub(super) fresh: u32,
    pub(super) header_read: u32,
    pub(super) idle: u32,
    pub(super) body_read: u32,
    pub(super) write: u32,
    pub(super) linger: u32,
    pub(super) age: Option<u32>,
}

impl Ages {
    pub(super) fn new(limits: &Limits) -> Self {
        let period = period(limits);
        // A moment lies anywhere within its tick, so that only a difference greater than this is surely long enough.
        let ticks = |duration: Duration| {
            u32::try_from(duration.as_nanos().div_ceil(period.as_nanos())).unwrap_or(u32::MAX).min(u32::MAX >> 3)
        };
        Self {
            fresh: ticks(limits.header_read),
            header_read: ticks(limits.header_read),
            idle: ticks(limits.idle),
            body_read: ticks(limits.body_read),
            write: ticks(limits.write),
            linger: ticks(LINGER),
            age: limits.age.map(ticks),
        }
    }

    /// What holds while connections are short: a new one is kept only as long as its first call may be on its way.
    pub(super) fn while_short(&self) -> Self {
        Self { fresh: self.fresh.min(self.linger), ..self.clone() }
    }
}

/// How long a tick is: an eighth of the shortest timeout.
pub(super) fn period(limits: &Limits) -> Duration {
    let timeouts = [limits.header_read, limits.idle, limits.body_read, limits.write];
    let shortest = timeouts.into_iter().chain(limits.age).min().unwrap_or(LONGEST);
    (shortest / 8).clamp(SHORTEST, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_is_an_eighth_of_the_shortest_timeout_within_bounds() {
        let with = |write| period(&Limits { write, ..Limits::default() });
        assert_eq!(with(Duration::from_secs(60)), Duration::from_secs(1));
        assert_eq!(with(Duration::from_secs(2)), Duration::from_millis(250));
        assert_eq!(with(Duration::ZERO), Duration::from_millis(5));
    }

    #[test]
    fn timeouts_round_up_to_whole_ticks() {
        let ages = Ages::new(&Limits { idle: Duration::from_millis(10_001), ..Limits::default() });
        assert_eq!(ages.idle, 11);
    }
}
