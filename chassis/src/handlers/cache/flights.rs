//! One call is answered, and those that ask for the same meanwhile wait for its answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use super::name::Digest;
use crate::lock::locked;

/// The calls that others may wait for.
#[derive(Default)]
pub(super) struct Flights(Mutex<HashMap<Digest, UnderWay>>);

struct UnderWay {
    over: watch::Receiver<bool>,
    /// Whether what it is about has changed since it began.
    outdated: bool,
}

/// Kept by the one that is answered. The others go on when it is dropped, however that comes.
pub(super) struct Flight {
    flights: Arc<Flights>,
    name: Digest,
    answered: bool,
    over: watch::Sender<bool>,
}

/// What another one waits for.
pub(super) struct Ahead(watch::Receiver<bool>);

impl Flights {
    /// Goes first, or says whom to wait for.
    pub(super) fn join(self: &Arc<Self>, name: Digest) -> Result<Flight, Ahead> {
        let mut flights = locked(&self.0);
        if let Some(under_way) = flights.get(&name) {
            return Err(Ahead(under_way.over.clone()));
        }
        let (over, waiting) = watch::channel(false);
        flights.insert(name, UnderWay { over: waiting, outdated: false });
        Ok(Flight { flights: Arc::clone(self), name, answered: false, over })
    }

    /// What this name stands for has changed: one that is under way may bring what was before.
    pub(super) fn outdate(&self, name: &Digest) {
        if let Some(under_way) = locked(&self.0).get_mut(name) {
            under_way.outdated = true;
        }
    }
}

impl Flight {
    /// It is answered, and what may be kept of that is.
    pub(super) fn answer(mut self) {
        self.answered = true;
    }

    /// Whether what it is about has changed since it began.
    pub(super) fn is_outdated(&self) -> bool {
        locked(&self.flights.0).get(&self.name).is_some_and(|under_way| under_way.outdated)
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        locked(&self.flights.0).remove(&self.name);
        self.over.send_replace(self.answered);
    }
}

impl Ahead {
    /// Waits until it is over; whether it was answered, or has left.
    pub(super) async fn over(mut self) -> bool {
        // It says so once, whatever comes of it.
        let _ = self.0.changed().await;
        *self.0.borrow()
    }
}
