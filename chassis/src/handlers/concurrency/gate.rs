//! A gate that lets a number of calls in at once and keeps the others in a short queue.

use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;

use crate::clock::{Clock, Instant};
use crate::handler::line::Line;
use crate::lock::locked;

/// Lets at most `max` calls in at once; who of the others goes in next, the [`Line`] decides.
pub(super) struct Gate {
    max: usize,
    places: usize,
    clock: Clock,
    state: Mutex<State>,
}

struct State {
    /// How many calls are in.
    inside: usize,
    line: Line<Permit>,
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
        let state = State { inside: 0, line: Line::default() };
        let count = |number| usize::try_from(number).unwrap_or(usize::MAX);
        Arc::new(Self { max: count(max), places: count(places), clock, state: Mutex::new(state) })
    }

    /// Asks for a permit. A call whose deadline passes while it waits is not let in.
    pub(super) fn enter(self: &Arc<Self>, deadline: Option<Instant>) -> Way {
        let mut state = locked(&self.state);
        if state.inside < self.max {
            state.inside += 1;
            return Way::Open(Permit(Some(Arc::clone(self))));
        }
        if self.places == 0 {
            return Way::Closed;
        }
        let now = self.clock.now();
        state.line.tidy(now);
        if state.line.len() < self.places { Way::Later(state.line.join(now, deadline)) } else { Way::Closed }
    }

    /// Gives the place of one that left to the next in the line.
    fn leave(mut gate: Arc<Self>) {
        // Handed over outside the lock: a permit that comes back unwanted must not try to lock it again.
        while let Some(next) = gate.next() {
            let Err(mut unwanted) = next.send(Permit(Some(gate))) else { return };
            let Some(back) = unwanted.0.take() else { return };
            gate = back;
        }
    }

    /// Takes the next one out of the line, or counts one less inside if nobody waits.
    fn next(&self) -> Option<oneshot::Sender<Permit>> {
        let mut state = locked(&self.state);
        // Without a queue, and mostly with one, nobody has to know what time it is.
        let next = if state.line.len() == 0 { None } else { state.line.next(self.clock.now(), || true) };
        if next.is_none() {
            state.inside -= 1;
        }
        next
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(gate) = self.0.take() {
            Gate::leave(gate);
        }
    }
}
