//! One call is answered, and those that ask for the same meanwhile wait for its answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::name::Digest;

/// The calls that others may wait for.
#[derive(Default)]
pub(super) struct Flights(Mutex<HashMap<Digest, UnderWay>>);

struct UnderWay {
    over: watch::Receiver<()>,
    /// Whether what it is about has changed since it began.
    outdated: bool,
}

/// Kept by the one that is answered. The others go on when it is dropped, however that comes.
pub(super) struct Flight {
    flights: Arc<Flights>,
    name: Digest,
    // Never sent to: its end is what they wait for.
    _over: watch::Sender<()>,
}

impl Flights {
    /// Goes first, or says whom to wait for.
    pub(super) fn join(self: &Arc<Self>, name: Digest) -> Result<Flight, watch::Receiver<()>> {
        let mut flights = self.locked();
        if let Some(under_way) = flights.get(&name) {
            return Err(under_way.over.clone());
        }
        let (over, waiting) = watch::channel(());
        flights.insert(name, UnderWay { over: waiting, outdated: false });
        Ok(Flight { flights: Arc::clone(self), name, _over: over })
    }

    /// What this name stands for has changed: one that is under way may bring what was before.
    pub(super) fn outdate(&self, name: &Digest) {
        if let Some(under_way) = self.locked().get_mut(name) {
            under_way.outdated = true;
        }
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<Digest, UnderWay>> {
        // Nothing panics while the lock is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flight {
    /// Whether what it is about has changed since it began.
    pub(super) fn is_outdated(&self) -> bool {
        self.flights.locked().get(&self.name).is_some_and(|under_way| under_way.outdated)
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.flights.locked().remove(&self.name);
    }
}

/// Waits until one is over.
pub(super) async fn over(mut under_way: watch::Receiver<()>) {
    while under_way.changed().await.is_ok() {}
}
