//! A connection's own hold on a snapshot.

use std::any::{Any, TypeId};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Live, Snapshot};
use crate::clock::Clock;
use crate::invocation::Ground;
use crate::operation::Operation;

/// What the calls of one connection stand on.
pub(super) struct Lease {
    live: Arc<Live>,
    snapshot: Arc<Snapshot>,
}

impl Lease {
    pub(super) fn new(live: Arc<Live>, snapshot: Arc<Snapshot>) -> Self {
        Self { live, snapshot }
    }

    pub(super) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    pub(super) fn clock(&self) -> Clock {
        self.live.clock
    }
}

impl Ground for Lease {
    fn operation(&self, target: u32) -> Option<&Operation> {
        self.snapshot.target(target).map(|target| &target.operation)
    }

    fn component(&self, id: TypeId) -> Option<&(dyn Any + Send + Sync)> {
        self.snapshot.component(id)
    }

    fn count_panic(&self) {
        self.live.panics.fetch_add(1, Ordering::Relaxed);
    }
}
