//! One call is answered, and those that ask for the same meanwhile wait for its answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::name::Digest;

/// The calls that others may wait for.
#[derive(Default)]
pub(super) struct Flights(Mutex<HashMap<Digest, watch::Receiver<()>>>);

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
            return Err(under_way.clone());
        }
        let (over, waiting) = watch::channel(());
        flights.insert(name, waiting);
        Ok(Flight { flights: Arc::clone(self), name, _over: over })
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<Digest, watch::Receiver<()>>> {
        // Nothing panics while the lock is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
