//! A call that was begun, and how far its operation came.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::StatusCode;

use super::key::Digest;
use super::store::{End, Ended, Store};
use crate::invocation::Invocation;
use crate::reply::Reply;
use crate::schema::{BoxFuture, Endpoint};

/// A call that was begun. Dropping it ends the call: as if it was never made, unless its operation was begun.
pub(super) struct Ticket {
    store: Arc<dyn Store>,
    name: Digest,
    number: u64,
    is_operating: AtomicBool,
    has_answered: AtomicBool,
    has_ended: bool,
}

/// An operation that is looked at.
pub(super) struct Watched<'a> {
    operation: &'a dyn Endpoint,
    ticket: &'a Ticket,
}

impl Ticket {
    pub(super) fn new(store: Arc<dyn Store>, name: Digest, number: u64) -> Self {
        let (is_operating, has_answered) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { store, name, number, is_operating, has_answered, has_ended: false }
    }

    /// The operation of the call, to be run in its place.
    pub(super) fn watch<'a>(&'a self, operation: &'a dyn Endpoint) -> Watched<'a> {
        Watched { operation, ticket: self }
    }

    /// How the call ended if not with this reply as its answer; `None` if it did.
    pub(super) fn end_without(&self, reply: &Reply) -> Option<End> {
        if self.is_operating() {
            return Some(End::Unknown);
        }
        let is_nothing = match self.has_answered() {
            true => asks_for_another(reply),
            // Somebody in front of the operation has answered: with success, in its place.
            false => reply.fault().is_some() || reply.status().is_client_error() || reply.status().is_server_error(),
        };
        is_nothing.then_some(End::Forgotten)
    }

    pub(super) fn end(mut self, end: End) -> Ended {
        self.has_ended = true;
        self.store.end(self.name, self.number, end)
    }

    fn is_operating(&self) -> bool {
        self.is_operating.load(Ordering::Relaxed)
    }

    fn has_answered(&self) -> bool {
        self.has_answered.load(Ordering::Relaxed)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.has_ended {
            let end = match self.has_answered() {
                _ if self.is_operating() => End::Unknown,
                true => End::Unkept,
                false => End::Forgotten,
            };
            // Nobody is there who would wait.
            drop(self.store.end(self.name, self.number, end));
        }
    }
}

impl Endpoint for Watched<'_> {
    fn call<'a>(&'a self, invocation: &'a mut Invocation) -> BoxFuture<'a, Reply> {
        let Ticket { is_operating, has_answered, .. } = self.ticket;
        is_operating.store(true, Ordering::Relaxed);
        Box::pin(async move {
            let reply = self.operation.call(invocation).await;
            has_answered.store(true, Ordering::Relaxed);
            is_operating.store(false, Ordering::Relaxed);
            reply
        })
    }
}

/// Whether the operation itself says that it did nothing for now, and that the call is to be made again.
fn asks_for_another(reply: &Reply) -> bool {
    let is_busy = [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE].contains(&reply.status());
    let is_its_own = reply.fault().is_none_or(|fault| fault.handler().is_none());
    is_busy && is_its_own
}
