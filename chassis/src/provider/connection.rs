//! The ways in: one for each listener, one for each connection of it.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Body;
use http::{Request, Response};

use super::lease::Lease;
use super::miss::Miss;
use super::{Admitted, Arrival, Live, Way, admit, answer, invocation};
use crate::fault::Code;
use crate::invocation::{Peer, Tls};
use crate::principal::Principal;
use crate::protocol::Refusals;
use crate::schema::BoxFuture;

/// The way in for one listener. Every connection takes its own [`Connection`] from it.
#[derive(Clone)]
pub struct Entry {
    pub(super) live: Arc<Live>,
    pub(super) table: usize,
    pub(super) body_limit: u64,
}

impl Entry {
    /// Lets arguments read bodies of at most this many bytes.
    #[must_use]
    pub fn with_body_limit(mut self, bytes: u64) -> Self {
        self.body_limit = bytes;
        self
    }

    /// The way in for one connection.
    pub fn connect(&self, peer: Peer) -> Connection {
        let swaps = self.live.swaps.load(Ordering::Acquire);
        let lease = Arc::new(Lease::new(Arc::clone(&self.live), self.live.snapshot.load_full()));
        Connection { entry: self.clone(), peer, tls: None, swaps, lease }
    }

    /// Where a listener counts what it refuses itself.
    pub fn refusals(&self) -> Arc<Refusals> {
        Arc::clone(&self.live.refusals)
    }

    /// Answers one call that has no connection of its own.
    pub fn call(&self, request: Request<Body>, peer: Peer) -> BoxFuture<'static, Response<Body>> {
        self.connect(peer).call(request)
    }

    /// Answers one call whose caller is known to be `principal`: for a protocol that found out by its own means.
    pub fn call_as(
        &self,
        request: Request<Body>,
        peer: Peer,
        principal: Option<Principal>,
    ) -> BoxFuture<'static, Response<Body>> {
        let connection = self.connect(peer);
        let admitted = admit(&connection.lease, request, Arrival { principal, ..connection.arrival() });
        Box::pin(answer(connection.lease, admitted))
    }
}

/// The way in for one connection.
///
/// It holds the snapshot for its calls, so that no call touches a counter that other connections touch too: a shared
/// `Arc` cloned by two cores costs several times as much as one of a connection's own.
pub struct Connection {
    entry: Entry,
    peer: Peer,
    tls: Option<Arc<Tls>>,
    swaps: u64,
    lease: Arc<Lease>,
}

impl Connection {
    /// Says how the connection is encrypted, and what its other end proved by that.
    pub fn secured(&mut self, tls: Arc<Tls>) {
        self.tls = Some(tls);
    }

    /// Answers one call.
    ///
    /// The call gets a place on the heap, once, and is not moved from there: what carries it to its task and polls it
    /// there would copy all of it several times, and every connection would keep room for it.
    pub fn call(&mut self, request: Request<Body>) -> BoxFuture<'static, Response<Body>> {
        self.refresh();
        Box::pin(answer(Arc::clone(&self.lease), admit(&self.lease, request, self.arrival())))
    }

    /// Answers one that its protocol does not allow to be a call: it passes the chain of unmatched calls.
    pub fn refuse(
        &mut self,
        request: Request<Body>,
        code: Code,
        detail: impl Into<Cow<'static, str>>,
    ) -> BoxFuture<'static, Response<Body>> {
        let admitted = self.admit_refused(request, code, detail);
        Box::pin(answer(Arc::clone(&self.lease), admitted))
    }

    /// Stops before the chain of one that is refused.
    pub(crate) fn admit_refused(
        &mut self,
        request: Request<Body>,
        code: Code,
        detail: impl Into<Cow<'static, str>>,
    ) -> Admitted {
        self.refresh();
        let invocation = invocation(&self.lease, request, self.arrival(), self.lease.clock().now(), None);
        Admitted { invocation, target: None, way: Way::Whole, miss: Miss::Refused(code, detail.into()) }
    }

    /// Matches a call and stops before its chain.
    pub(crate) fn admit(&mut self, request: Request<Body>) -> Admitted {
        self.refresh();
        admit(&self.lease, request, self.arrival())
    }

    fn arrival(&self) -> Arrival {
        let Entry { table, body_limit, .. } = self.entry;
        Arrival { peer: self.peer, tls: self.tls.clone(), principal: None, table, body_limit }
    }

    fn refresh(&mut self) {
        let swaps = self.entry.live.swaps.load(Ordering::Acquire);
        if swaps != self.swaps {
            let live = &self.entry.live;
            self.swaps = swaps;
            self.lease = Arc::new(Lease::new(Arc::clone(live), live.snapshot.load_full()));
        }
    }
}
