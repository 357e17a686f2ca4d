//! When Redis is asked: always, or, while it is away, by one call at a time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::{Clock, Instant, nanos};

/// Knows whether Redis is away. All times are nanoseconds since it was made.
pub(super) struct Outage {
    clock: Clock,
    made: Instant,
    retry: u64,
    /// When somebody may try again; 0 while Redis is there.
    until: AtomicU64,
    /// When it went away.
    began: AtomicU64,
}

/// What a call does that wants to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It asks.
    Ask,
    /// It tries whether Redis is back.
    Try,
    /// It does not ask.
    Wait,
}

impl Outage {
    pub(super) fn new(clock: Clock, retry: Duration) -> Self {
        let retry = nanos(retry);
        Self { clock, made: clock.now(), retry, until: AtomicU64::new(0), began: AtomicU64::new(0) }
    }

    /// Whether Redis is away.
    pub(super) fn is_on(&self) -> bool {
        self.until.load(Ordering::Relaxed) != 0
    }

    /// What a call would do now, without doing it.
    pub(super) fn turn_now(&self) -> Turn {
        match self.until.load(Ordering::Relaxed) {
            0 => Turn::Ask,
            until if until > self.now() => Turn::Wait,
            _ => Turn::Try,
        }
    }

    /// What a call does now. Of all that come when it is time to try, one tries; the next does so `retry` later, whether
    /// or not that one ever ends.
    pub(super) fn take_turn(&self) -> Turn {
        let until = self.until.load(Ordering::Relaxed);
        if until == 0 {
            return Turn::Ask;
        }
        let now = self.now();
        if until > now {
            return Turn::Wait;
        }
        let next = now.saturating_add(self.retry).max(1);
        match self.until.compare_exchange(until, next, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => Turn::Try,
            // Another one tries, or has found it back.
            Err(0) => Turn::Ask,
            Err(_) => Turn::Wait,
        }
    }

    /// A question was not answered. Whether it was the first.
    pub(super) fn begin(&self) -> bool {
        let now = self.now();
        let is_first = self.until.swap(now.saturating_add(self.retry).max(1), Ordering::Relaxed) == 0;
        if is_first {
            self.began.store(now, Ordering::Relaxed);
        }
        is_first
    }

    /// A question was answered; how long Redis was away, if it was until now. What was asked before it went away says
    /// nothing about that.
    pub(super) fn end(&self, turn: Turn) -> Option<Duration> {
        let was_away = turn == Turn::Try && self.until.swap(0, Ordering::Relaxed) != 0;
        was_away.then(|| Duration::from_nanos(self.now().saturating_sub(self.began.load(Ordering::Relaxed))))
    }

    fn now(&self) -> u64 {
        nanos(self.clock.now().saturating_duration_since(self.made))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETRY: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn while_redis_is_away_one_call_tries_at_a_time() {
        let outage = Outage::new(Clock::system(), RETRY);
        assert_eq!((outage.take_turn(), outage.is_on()), (Turn::Ask, false));
        assert_eq!([outage.begin(), outage.begin()], [true, false]);
        assert_eq!((outage.take_turn(), outage.is_on()), (Turn::Wait, true));
        tokio::time::advance(RETRY).await;
        assert_eq!(outage.turn_now(), Turn::Try);
        assert_eq!([(); 3].map(|()| outage.take_turn()), [Turn::Try, Turn::Wait, Turn::Wait]);
        // The one that tried was never heard of again.
        tokio::time::advance(RETRY).await;
        assert_eq!([(); 2].map(|()| outage.take_turn()), [Turn::Try, Turn::Wait]);
        assert_eq!(outage.end(Turn::Try), Some(2 * RETRY));
        assert_eq!([(); 2].map(|()| outage.take_turn()), [Turn::Ask, Turn::Ask]);
        assert_eq!(outage.end(Turn::Ask), None);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_to_what_was_asked_before_ends_nothing() {
        let outage = Outage::new(Clock::system(), RETRY);
        let earlier = outage.take_turn();
        assert!(outage.begin());
        assert_eq!((outage.end(earlier), outage.is_on()), (None, true));
    }
}
