//! Where calls enter: whatever protocol carried them, they are matched once and run through their chain.

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use axum::body::Body;
use http::header::ALLOW;
use http::{Method, Request, Response};

use crate::chain::caught;
use crate::clock::{Clock, Instant};
use crate::fault::Code;
use crate::invocation::{Ground, Invocation, Params, Peer};
use crate::principal::Principal;
use crate::protocol::Refusals;
use crate::route::Found;
use crate::schema::{BoxFuture, Endpoint};

mod lease;
mod miss;
mod preflight;
mod report;
mod snapshot;

pub(crate) use preflight::Way;
pub use snapshot::{Components, Snapshot, Target};

#[cfg(test)]
mod tests;

use lease::Lease;
use miss::{Miss, is_text};
use report::report;

/// The provider side of a process: the snapshot that calls are answered by, until another takes its place.
#[derive(Clone)]
pub struct Provider(Arc<Live>);

struct Live {
    snapshot: ArcSwap<Snapshot>,
    // Grows with every swap, so that a connection sees with one load whether what it holds is still current.
    swaps: AtomicU64,
    panics: AtomicU64,
    refusals: Arc<Refusals>,
    clock: Clock,
}

impl Provider {
    /// Answers calls by this snapshot.
    pub fn new(snapshot: Snapshot, clock: Clock) -> Self {
        let snapshot = ArcSwap::from_pointee(snapshot);
        let (swaps, panics) = (AtomicU64::new(0), AtomicU64::new(0));
        Self(Arc::new(Live { snapshot, swaps, panics, refusals: Arc::default(), clock }))
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

    /// What listeners refused since the start because it was no request. What was one is in the hands of the handlers.
    pub fn refusals(&self) -> &Refusals {
        &self.0.refusals
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
        let admitted = admit(&connection.lease, Arrival { principal, ..connection.arrival(request) });
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
    swaps: u64,
    lease: Arc<Lease>,
}

impl Connection {
    /// Answers one call.
    ///
    /// The call gets a place on the heap, once, and is not moved from there: what carries it to its task and polls it
    /// there would copy all of it several times, and every connection would keep room for it.
    pub fn call(&mut self, request: Request<Body>) -> BoxFuture<'static, Response<Body>> {
        self.refresh();
        Box::pin(answer(Arc::clone(&self.lease), admit(&self.lease, self.arrival(request))))
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
        let invocation = invocation(&self.lease, self.arrival(request), self.lease.clock().now(), None);
        Admitted { invocation, target: None, way: Way::Whole, miss: Miss::Refused(code, detail.into()) }
    }

    /// Matches a call and stops before its chain.
    pub(crate) fn admit(&mut self, request: Request<Body>) -> Admitted {
        self.refresh();
        admit(&self.lease, self.arrival(request))
    }

    fn arrival(&self, request: Request<Body>) -> Arrival {
        let Entry { table, body_limit, .. } = self.entry;
        Arrival { request, peer: self.peer, principal: None, table, body_limit }
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

/// A call that was not matched yet.
struct Arrival {
    request: Request<Body>,
    peer: Peer,
    principal: Option<Principal>,
    table: usize,
    body_limit: u64,
}

/// A call that was matched and stands before its chain.
pub(crate) struct Admitted {
    /// The call.
    pub(crate) invocation: Invocation,
    /// Where it leads; `None` when it matched nothing. A preflight leads to the operation that it asks about.
    pub(crate) target: Option<u32>,
    /// How far it goes there.
    pub(crate) way: Way,
    miss: Miss,
}

impl Admitted {
    /// What is answered at the end of the chain if nothing was matched, in words.
    pub(crate) fn outcome(&self) -> String {
        let reply = self.miss.reply(&self.invocation);
        let (said, headers) = match reply.fault() {
            Some(fault) => (format!("the answer is {}: {}", fault.status(), fault.detail()), fault.headers()),
            None => (format!("the answer is {}", reply.status()), reply.headers().clone()),
        };
        match headers.get(ALLOW).and_then(|allow| allow.to_str().ok()) {
            Some(allow) => format!("{said} (Allow: {allow})"),
            None => said,
        }
    }
}

/// Matches a call.
fn admit(lease: &Arc<Lease>, arrival: Arrival) -> Admitted {
    let arrived = lease.clock().now();
    let (snapshot, Arrival { request, table, .. }) = (lease.snapshot(), &arrival);
    let found = snapshot.find(*table, request.method(), request.uri().path());
    let (mut matched, mut miss) = match found {
        // What does not spell UTF-8 would be one thing to a handler and another to its operation.
        Found::Route { .. } if !is_text(request.uri().path()) => (None, Miss::Malformed),
        Found::Route { target, params } => (Some((target, params)), Miss::NotFound),
        Found::MethodNotAllowed { allow } if !snapshot.recognises(request.method()) => {
            (None, Miss::unrecognised(&allow))
        }
        other => (None, Miss::from(other)),
    };
    let mut way = Way::Whole;
    if *request.method() == Method::OPTIONS {
        let instead = preflight::redirected(snapshot, *table, request, matched.as_ref().map(|(target, _)| *target));
        if let Some((redirected, target)) = instead {
            (way, matched, miss) = (redirected, target, miss.of_preflight());
        }
    }
    let target = matched.as_ref().map(|(target, _)| *target);
    Admitted { invocation: invocation(lease, arrival, arrived, matched), target, way, miss }
}

fn invocation(lease: &Arc<Lease>, arrival: Arrival, arrived: Instant, matched: Option<(u32, Params)>) -> Invocation {
    let Arrival { request, peer, principal, body_limit, .. } = arrival;
    let mut invocation = Invocation::new(request, peer, arrived, Arc::clone(lease) as _, matched);
    invocation.call.principal = principal;
    invocation.call.body_limit = body_limit;
    invocation
}

// A block uses what it captures where it lies; an `async fn` would have room for all of it twice.
fn answer(lease: Arc<Lease>, admitted: Admitted) -> impl Future<Output = Response<Body>> + Send + use<> {
    let Admitted { invocation, target, way, miss } = admitted;
    let mut held = Held { lease, invocation: Some(invocation) };
    async move {
        // There is one until the end.
        let Held { lease, invocation: Some(invocation) } = &mut held else { return Response::default() };
        let (snapshot, clock) = (lease.snapshot(), lease.clock());
        let miss: &dyn Endpoint = &miss;
        let (chain, endpoint, timeout) = match target.and_then(|target| snapshot.target(target)) {
            Some(target) if way == Way::Whole => (&target.chain, &*target.endpoint, target.timeout),
            Some(Target { preflight: Some(chain), timeout, .. }) => (chain, miss, *timeout),
            _ if way == Way::Ungranted => (&snapshot.ungranted, miss, snapshot.timeout),
            _ => (&snapshot.unmatched, miss, snapshot.timeout),
        };
        invocation.call.deadline = timeout.map(|timeout| invocation.call.arrived + timeout);
        let reply = chain.run(endpoint, invocation, clock).await;
        if let Some(fault) = reply.fault() {
            report(fault, invocation);
        }
        reply.into_response(invocation)
    }
}

/// A call while it is answered. What handlers left in it is dropped with it, and may panic: that is nobody's any more.
struct Held {
    lease: Arc<Lease>,
    invocation: Option<Invocation>,
}

impl Drop for Held {
    fn drop(&mut self) {
        if caught(|| self.invocation = None).is_err() {
            self.lease.count_panic();
        }
    }
}
