//! Who waits at the gate, and in which order they go in.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::oneshot;

use super::class::Criticality;
use super::gate::Permit;
use crate::clock::Instant;

/// How long a call may wait when the queue does not drain (RFC 8289 §4.3).
const TARGET: Duration = Duration::from_millis(5);
/// How long the queue must not have been empty for that (RFC 8289 §4.3).
const INTERVAL: Duration = Duration::from_millis(100);

/// Calls that wait, the more critical ones before the others.
///
/// Among those of one criticality the first goes first while the queue drains now and then. When it has not been empty
/// for 100 ms it stands: then whoever waited for more than 5 ms is sent away, and the latest goes first, because the
/// oldest are the ones whose callers are about to give up.
pub(super) struct Queue {
    lines: [VecDeque<Waiting>; Criticality::ALL.len()],
    /// When it was last seen empty.
    emptied: Instant,
}

/// A call that waits.
pub(super) struct Waiting {
    pub(super) since: Instant,
    pub(super) deadline: Option<Instant>,
    pub(super) turn: oneshot::Sender<Permit>,
}

impl Queue {
    pub(super) fn new(now: Instant) -> Self {
        Self { lines: Default::default(), emptied: now }
    }

    pub(super) fn len(&self) -> usize {
        self.lines.iter().map(VecDeque::len).sum()
    }

    /// Whether somebody waits who goes before a newcomer of this criticality.
    pub(super) fn has(&self, class: Criticality) -> bool {
        self.lines[class.place()..].iter().any(|line| !line.is_empty())
    }

    pub(super) fn push(&mut self, class: Criticality, waiting: Waiting) {
        self.lines[class.place()].push_back(waiting);
    }

    /// Sends the one away that is missed least, for one of this criticality. `false` if all are as critical.
    pub(super) fn give_way(&mut self, class: Criticality) -> bool {
        self.lines[..class.place()].iter_mut().any(|line| line.pop_front().is_some())
    }

    /// The next whom `admit` lets in. Whoever waits in vain is dropped on the way.
    pub(super) fn next(&mut self, now: Instant, admit: impl Fn(Criticality) -> bool) -> Option<Waiting> {
        self.send_away(now);
        let latest_first = self.stands(now);
        let take = if latest_first { VecDeque::pop_back } else { VecDeque::pop_front };
        let mut classes = Criticality::ALL.into_iter().rev();
        let next = classes.find_map(|class| {
            let line = &mut self.lines[class.place()];
            let next = std::iter::from_fn(|| take(line)).find(|waiting| !waiting.has_gone(now))?;
            if admit(class) {
                return Some(next);
            }
            let put = if latest_first { VecDeque::push_back } else { VecDeque::push_front };
            put(line, next);
            None
        });
        self.look(now);
        next
    }

    /// Drops those that wait in vain or for too long.
    pub(super) fn send_away(&mut self, now: Instant) {
        let longest = if self.stands(now) { TARGET } else { Duration::MAX };
        let in_vain = |waiting: &Waiting| waiting.has_gone(now) || now.duration_since(waiting.since) > longest;
        for line in &mut self.lines {
            while line.front().is_some_and(in_vain) {
                line.pop_front();
            }
        }
        self.look(now);
    }

    fn look(&mut self, now: Instant) {
        if self.len() == 0 {
            self.emptied = now;
        }
    }

    /// Whether it has not drained for a while.
    fn stands(&self, now: Instant) -> bool {
        now.duration_since(self.emptied) > INTERVAL
    }
}

impl Waiting {
    fn has_gone(&self, now: Instant) -> bool {
        self.turn.is_closed() || self.deadline.is_some_and(|deadline| deadline <= now)
    }
}
