//! A gate that lets a number of calls in at once and keeps the others in a short queue.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::clock::{Clock, Instant};

/// How long a call may wait when the queue does not drain (RFC 8289 §4.3).
const TARGET: Duration = Duration::from_millis(5);
/// How long the queue must not have been empty for that (RFC 8289 §4.3).
const INTERVAL: Duration = Duration::from_millis(100);

/// Lets at most `max` calls in at once.
///
/// The queue is first in, first out while it drains now and then. When it has not been empty for 100 ms it stands:
/// then whoever waited for more than 5 ms is sent away, and the latest goes first, because the oldest are the ones
/// whose callers are about to give up. So a burst is absorbed, and overload does not turn into delay for everyone.
pub(super) struct Gate {
    max: usize,
    places: usize,
    clock: Clock,
    state: Mutex<State>,
}

struct State {
    /// How many calls are in.
    inside: usize,
    /// Who waits, in the order of arrival.
    queue: VecDeque<Waiting>,
    /// When the queue was last seen empty.
    emptied: Instant,
}

struct Waiting {
    since: Instant,
    deadline: Option<Instant>,
    turn: oneshot::Sender<Permit>,
}

/// What a call meets at the gate.
pub(super) enum Way {
    /// It may go in.
    Open(Permit),
    /// It may wait for its turn. The turn never comes when it is sent away.
    Later(oneshot::Receiver<Permit>),
    /// There is no room, not even in the queue.
    Closed,
}

/// The right to be inside. Dropping it lets the next one in.
pub(super) struct Permit(Option<Arc<Gate>>);

impl Gate {
    pub(super) fn new(max: u32, places: u32, clock: Clock) -> Arc<Self> {
        let state = State { inside: 0, queue: VecDeque::new(), emptied: clock.now() };
        let count = |number| usize::try_from(number).unwrap_or(usize::MAX);
        Arc::new(Self { max: count(max), places: count(places), clock, state: Mutex::new(state) })
    }

    /// Asks for a permit. A call whose deadline passes while it waits is not let in.
    pub(super) fn enter(self: &Arc<Self>, deadline: Option<Instant>) -> Way {
        let mut state = self.state();
        if state.inside < self.max {
            state.inside += 1;
            return Way::Open(Permit(Some(Arc::clone(self))));
        }
        if self.places == 0 {
            return Way::Closed;
        }
        let now = self.clock.now();
        state.send_away(now);
        if state.queue.len() >= self.places {
            return Way::Closed;
        }
        let (turn, coming) = oneshot::channel();
        state.queue.push_back(Waiting { since: now, deadline, turn });
        Way::Later(coming)
    }

    /// Gives the place of one that left to the next in the queue.
    fn leave(mut gate: Arc<Self>) {
        // Handed over outside the lock: a permit that comes back unwanted must not try to lock it again.
        while let Some(next) = gate.next() {
            let Err(mut unwanted) = next.turn.send(Permit(Some(gate))) else { return };
            let Some(back) = unwanted.0.take() else { return };
            gate = back;
        }
    }

    /// Takes the next one out of the queue, or counts one less inside if nobody waits.
    fn next(&self) -> Option<Waiting> {
        let mut state = self.state();
        let next = if state.queue.is_empty() { None } else { state.next(self.clock.now()) };
        if next.is_none() {
            state.inside -= 1;
        }
        next
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn next(&mut self, now: Instant) -> Option<Waiting> {
        self.send_away(now);
        let latest_first = self.stands(now);
        let next = loop {
            let next = if latest_first { self.queue.pop_back() } else { self.queue.pop_front() };
            match next {
                Some(waiting) if waiting.has_gone(now) => {}
                next => break next,
            }
        };
        if self.queue.is_empty() {
            self.emptied = now;
        }
        next
    }

    /// Drops those at the front that wait in vain or for too long.
    fn send_away(&mut self, now: Instant) {
        let longest = if self.stands(now) { TARGET } else { Duration::MAX };
        let in_vain = |waiting: &Waiting| waiting.has_gone(now) || now.duration_since(waiting.since) > longest;
        while self.queue.front().is_some_and(in_vain) {
            self.queue.pop_front();
        }
        if self.queue.is_empty() {
            self.emptied = now;
        }
    }

    /// Whether the queue has not drained for a while.
    fn stands(&self, now: Instant) -> bool {
        now.duration_since(self.emptied) > INTERVAL
    }
}

impl Waiting {
    fn has_gone(&self, now: Instant) -> bool {
        self.turn.is_closed() || self.deadline.is_some_and(|deadline| deadline <= now)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(gate) = self.0.take() {
            Gate::leave(gate);
        }
    }
}
