//! A connection's own hold on a snapshot.

use std::any::{Any, TypeId};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::receipts::Refused;
use super::{Live, Snapshot};
use crate::clock::Clock;
use crate::fault::{Fault, Receipt};
use crate::invocation::{Ground, Invocation};
use crate::metrics::{Kind, Spec, Unit, labels};
use crate::operation::Operation;
use crate::protocol::Phase;

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

    /// Lets a caller name the configuration that gave it no answer, and the refusal where a handler or the chain itself
    /// refused; that is counted and kept. What an operation says for itself is left as it is.
    pub(super) fn keep(&self, fault: &mut Fault, invocation: &Invocation) {
        let refused = fault.is_refusal();
        if !refused && invocation.operation().is_some() {
            return;
        }
        let id = if refused { self.note(fault, fault.handler(), invocation, true) } else { None };
        fault.set_receipt(Receipt { id, revision: Arc::clone(&self.snapshot.revision) });
    }

    fn note(&self, fault: &Fault, handler: Option<&str>, invocation: &Invocation, enforced: bool) -> Option<String> {
        let watch = &self.live.watch;
        let said = [("handler", handler.unwrap_or_default().to_owned()), ("reason", fault.code().as_str().to_owned())];
        let counted = if enforced { &REJECTED } else { &SPARED };
        watch.metrics.counter(counted, labels(said)).increment();
        let revision = &*self.snapshot.revision;
        let refused = Refused { fault, handler, invocation, revision, enforced };
        watch.receipts.keep(&refused, self.live.clock, &watch.random)
    }
}

static REJECTED: Spec = Spec {
    name: "chassis.request.rejected",
    help: "Calls that were refused, by the handler (none where the chain itself did) and the code of the fault.",
    unit: Unit::Count("request"),
    kind: Kind::Counter,
};

static SPARED: Spec = Spec {
    name: "chassis.request.spared",
    help: "Calls that a handler would have refused if its refusals counted, by the handler and the code of the fault.",
    unit: Unit::Count("request"),
    kind: Kind::Counter,
};

impl Ground for Lease {
    fn operation(&self, target: u32) -> Option<&Operation> {
        self.snapshot.target(target).map(|target| &target.operation)
    }

    fn component(&self, id: TypeId) -> Option<&(dyn Any + Send + Sync)> {
        self.snapshot.component(id)
    }

    fn is_cut_off(&self) -> bool {
        self.live.phase.get().is_some_and(|phase| *phase.borrow() == Phase::Cutting)
    }

    fn is_strict(&self) -> bool {
        // All listeners have the same rules.
        self.snapshot.listeners.first().is_some_and(|(_, table)| table.is_strict())
    }

    fn count_panic(&self) {
        self.live.panics.fetch_add(1, Ordering::Relaxed);
    }

    fn note_spared(&self, fault: &Fault, handler: &str, invocation: &Invocation) {
        self.note(fault, Some(handler), invocation, false);
    }
}
