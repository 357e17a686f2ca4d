//! Where calls enter: whatever protocol carried them, they are matched once and run through their chain.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use axum::body::Body;
use http::{Request, Response};

use crate::clock::Clock;
use crate::fault::Fault;
use crate::invocation::{Invocation, Peer};
use crate::principal::Principal;
use crate::route::Found;
use crate::schema::Endpoint;

mod lease;
mod miss;
mod snapshot;

pub use snapshot::{Components, Snapshot, Target};

use lease::Lease;
use miss::Miss;

/// The provider side of a process: the snapshot that calls are answered by, until another takes its place.
#[derive(Clone)]
pub struct Provider(Arc<Live>);

struct Live {
    snapshot: ArcSwap<Snapshot>,
    // Grows with every swap, so that a connection sees with one load whether what it holds is still current.
    swaps: AtomicU64,
    panics: AtomicU64,
    clock: Clock,
}

impl Provider {
    /// Answers calls by this snapshot.
    pub fn new(snapshot: Snapshot, clock: Clock) -> Self {
        let snapshot = ArcSwap::from_pointee(snapshot);
        Self(Arc::new(Live { snapshot, swaps: AtomicU64::new(0), panics: AtomicU64::new(0), clock }))
    }

    /// Answers later calls by this snapshot; calls in flight end on the one they began with.
    pub fn swap(&self, snapshot: Snapshot) {
        self.0.snapshot.store(Arc::new(snapshot));
        self.0.swaps.fetch_add(1, Ordering::Release);
    }

    /// What calls are answered by now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.0.snapshot.load_full()
    }

    /// How many panics of operations and handlers were caught since the start.
    pub fn panics(&self) -> u64 {
        self.0.panics.load(Ordering::Relaxed)
    }

    /// The way in for a listener; `None` if the snapshot knows no listener of this name.
    pub fn entry(&self, listener: &str) -> Option<Entry> {
        let table = self.0.snapshot.load().listener(listener)?;
        Some(Entry { live: Arc::clone(&self.0), table, body_limit: u64::MAX })
    }
}

/// The way in for one listener. Every connection takes its own [`Connection`] from it.
#[derive(Clone)]
pub struct Entry {
    live: Arc<Live>,
    table: usize,
    body_limit: u64,
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
        Connection { entry: self.clone(), peer, swaps, lease }
    }

    /// Answers one call that has no connection of its own.
    pub fn call(&self, request: Request<Body>, peer: Peer) -> impl Future<Output = Response<Body>> + Send + use<> {
        self.connect(peer).call(request)
    }

    /// Answers one call whose caller is known to be `principal`: for a protocol that found out by its own means.
    pub fn call_as(
        &self,
        request: Request<Body>,
        peer: Peer,
        principal: Option<Principal>,
    ) -> impl Future<Output = Response<Body>> + Send + use<> {
        let mut connection = self.connect(peer);
        let mut admitted = connection.admit(request);
        admitted.invocation.call.principal = principal;
        answer(connection.lease, admitted, self.body_limit)
    }
}

/// The way in for one connection.
///
/// It holds the snapshot for its calls, so that no call touches a counter that other connections touch too: a shared
/// `Arc` cloned by two cores costs several times as much as one of a connection's own.
pub struct Connection {
    entry: Entry,
    peer: Peer,
    swaps: u64,
    lease: Arc<Lease>,
}

impl Connection {
    /// Answers one call.
    pub fn call(&mut self, request: Request<Body>) -> impl Future<Output = Response<Body>> + Send + use<> {
        let admitted = self.admit(request);
        answer(Arc::clone(&self.lease), admitted, self.entry.body_limit)
    }

    /// Matches a call and stops before its chain.
    pub(crate) fn admit(&mut self, request: Request<Body>) -> Admitted {
        self.refresh();
        admit(&self.lease, request, self.peer, self.entry.table)
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

/// A call that was matched and stands before its chain.
pub(crate) struct Admitted {
    /// The call.
    pub(crate) invocation: Invocation,
    /// Where it leads; `None` when it matched nothing.
    pub(crate) target: Option<u32>,
    miss: Miss,
}

impl Admitted {
    /// What is answered at the end of the chain if nothing was matched, in words.
    pub(crate) fn outcome(&self) -> String {
        let reply = self.miss.reply(&self.invocation);
        match reply.fault() {
            Some(fault) => format!("the answer is {}: {}", fault.status(), fault.detail()),
            None => format!("the answer is {}", reply.status()),
        }
    }
}

/// Matches a call.
fn admit(lease: &Arc<Lease>, request: Request<Body>, peer: Peer, table: usize) -> Admitted {
    let arrived = lease.clock().now();
    let found = lease.snapshot().find(table, request.method(), request.uri().path());
    let (matched, miss) = match found {
        Found::Route { target, params } => (Some((target, params)), Miss::NotFound),
        other => (None, Miss::from(other)),
    };
    let target = matched.as_ref().map(|(target, _)| *target);
    let invocation = Invocation::new(request, peer, arrived, Arc::clone(lease) as _, matched);
    Admitted { invocation, target, miss }
}

async fn answer(lease: Arc<Lease>, admitted: Admitted, limit: u64) -> Response<Body> {
    let Admitted { mut invocation, target, miss } = admitted;
    let (snapshot, clock) = (lease.snapshot(), lease.clock());
    let (chain, endpoint, timeout) = match target.and_then(|target| snapshot.target(target)) {
        Some(target) => (&target.chain, &*target.endpoint, target.timeout),
        None => (&snapshot.unmatched, &miss as &dyn Endpoint, None),
    };
    invocation.call.body_limit = limit;
    invocation.call.deadline = timeout.map(|timeout| invocation.call.arrived + timeout);
    let reply = chain.run(endpoint, &mut invocation, clock).await;
    if let Some(fault) = reply.fault() {
        report(fault, &invocation);
    }
    reply.into_response(&invocation)
}

/// Logs what callers are not told. What is wrong with a call is its caller's business, not the operator's.
fn report(fault: &Fault, invocation: &Invocation) {
    let Some(cause) = fault.cause() else { return };
    let _entered = invocation.call.span.enter();
    let operation = invocation.operation().map_or("", |operation| operation.id.as_str());
    let (code, handler) = (fault.code().as_str(), fault.handler());
    if fault.status().is_server_error() {
        tracing::error!(operation, code, handler, cause = %cause, "call failed");
    } else {
        tracing::debug!(operation, code, handler, cause = %cause, "call refused");
    }
}
