//! Those who wait for a place, and who of them goes in next: a burst is absorbed, and no line stands.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::clock::Instant;

/// How long waiting is nothing (RFC 8289 §4.3).
const TARGET: Duration = Duration::from_millis(5);
/// How long a line may not come below that before it stands (RFC 8289 §4.3).
const INTERVAL: Duration = Duration::from_millis(100);

/// Those who wait for a place, which comes as a `P`.
///
/// The first goes first while the line drains now and then. When whoever waited longest has waited for more than 5 ms
/// at every turn of the last 100 ms, the line stands: then that one is sent away, after 100 ms another one, and the
/// next ones ever sooner ([`Codel`]), until it drains; and the latest goes first, because the oldest are those whose
/// callers are about to give up. The last one is never sent away.
pub(crate) struct Line<P> {
    waiting: VecDeque<Waiting<P>>,
    codel: Codel,
}

struct Waiting<P> {
    since: Instant,
    deadline: Option<Instant>,
    turn: oneshot::Sender<P>,
}

impl<P> Default for Line<P> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), codel: Codel::default() }
    }
}

impl<P> Line<P> {
    /// The bytes that one who waits takes, beside what its call does.
    pub(crate) const fn bytes_each() -> usize {
        // The channel of a turn: two counters, a value and two wakers.
        const CHANNEL: usize = 96;
        size_of::<Waiting<P>>() + CHANNEL
    }

    /// How many wait, those included who gave up in the middle of the line.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Waits at the end of the line. The turn never comes to one that is sent away, or whose deadline passes.
    pub(crate) fn join(&mut self, now: Instant, deadline: Option<Instant>) -> oneshot::Receiver<P> {
        self.tidy(now);
        let (turn, coming) = oneshot::channel();
        self.waiting.push_back(Waiting { since: now, deadline, turn });
        coming
    }

    /// Sends away who has waited longest. `false` if nobody waits.
    pub(crate) fn drop_oldest(&mut self) -> bool {
        self.waiting.pop_front().is_some()
    }

    /// Whose turn it is, if there is somebody and `admit` finds a place.
    pub(crate) fn next(&mut self, now: Instant, admit: impl FnOnce() -> bool) -> Option<oneshot::Sender<P>> {
        self.tidy(now);
        if self.waiting.is_empty() || !admit() {
            return None;
        }
        // Nobody else is sent away here, gone or not: for whom there is a place must be there to give it back.
        if let Some(oldest) = self.waiting.front()
            && self.codel.drops(now, now.duration_since(oldest.since), self.waiting.len() - 1)
        {
            self.waiting.pop_front();
        }
        let next = if self.codel.dropping { self.waiting.pop_back() } else { self.waiting.pop_front() };
        next.map(|waiting| waiting.turn)
    }

    /// Forgets those at both ends who wait in vain.
    pub(crate) fn tidy(&mut self, now: Instant) {
        while self.waiting.front().is_some_and(|waiting| waiting.has_gone(now)) {
            self.waiting.pop_front();
        }
        while self.waiting.back().is_some_and(|waiting| waiting.has_gone(now)) {
            self.waiting.pop_back();
        }
        if self.waiting.is_empty() {
            self.codel.calm();
        }
    }
}

/// How exactly timers are told (`tokio::time`): of several that are due in the same one, any may come first.
const TICK: Duration = Duration::from_millis(1);

/// Whether a call that waits has no time left.
pub(crate) fn is_late(now: Instant, deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|deadline| deadline <= now + TICK)
}

/// The turn, if it comes in time: before `patience` is over, and a tick of the timer before the deadline of the call.
/// Whoever gives up then was never begun, so it is refused for want of room (503), where the chain would say that it was
/// not answered (504).
pub(crate) async fn turn<P>(
    coming: oneshot::Receiver<P>,
    (now, patience): (Instant, Duration),
    deadline: Option<Instant>,
) -> Option<P> {
    let until = now + patience;
    let until = deadline.map_or(until, |deadline| until.min(deadline.checked_sub(TICK).unwrap_or(now)));
    tokio::time::timeout_at(until, coming).await.ok()?.ok()
}

impl<P> Waiting<P> {
    fn has_gone(&self, now: Instant) -> bool {
        self.turn.is_closed() || self.deadline.is_some_and(|deadline| deadline <= now)
    }
}

/// The control law of CoDel (RFC 8289 §5).
#[derive(Debug, Default)]
struct Codel {
    /// When the line will have been too long for an interval, if it is.
    stands: Option<Instant>,
    dropping: bool,
    /// When the next is dropped; while nobody is dropped, when it would have been.
    due: Option<Instant>,
    count: u32,
    /// The count with which dropping began last.
    began: u32,
}

impl Codel {
    /// Nobody waits.
    fn calm(&mut self) {
        (self.stands, self.dropping) = (None, false);
    }

    /// Whether the one that has waited so long, before so many others, is dropped. It is asked whenever one goes in, so
    /// that no more are dropped than go in, however seldom that is.
    fn drops(&mut self, now: Instant, waited: Duration, others: usize) -> bool {
        if waited < TARGET || others == 0 {
            self.calm();
            return false;
        }
        let stands = *self.stands.get_or_insert(now + INTERVAL);
        match (self.dropping, self.due) {
            _ if now < stands => false,
            (true, Some(due)) if now < due => false,
            (true, Some(due)) => {
                self.count = self.count.saturating_add(1);
                self.due = Some(after(due.max(now), self.count));
                true
            }
            _ => {
                self.begin(now);
                true
            }
        }
    }

    /// Begins to drop: as fast as it ended if that was a short while ago.
    fn begin(&mut self, now: Instant) {
        let dropped = self.count.saturating_sub(self.began);
        let is_recent = self.due.is_some_and(|due| now.saturating_duration_since(due) < 16 * INTERVAL);
        self.count = if dropped > 1 && is_recent { dropped } else { 1 };
        (self.dropping, self.began) = (true, self.count);
        self.due = Some(after(now, self.count));
    }
}

/// When the next is dropped after so many.
fn after(then: Instant, count: u32) -> Instant {
    then + INTERVAL.div_f64(f64::from(count).sqrt())
}

#[cfg(test)]
mod tests;
