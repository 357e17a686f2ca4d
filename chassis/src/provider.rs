//! Where calls enter: whatever protocol carried them, they are matched once and run through their chain.

use std::future::Future;
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use axum::body::Body;
use http::header::ALLOW;
use http::{Method, Request, Response};
use tokio::sync::watch;

use crate::chain::{Chain, caught};
use crate::clock::{Clock, Instant};
use crate::invocation::{Ground, Invocation, Params, Peer, Tls};
use crate::metrics::{Kind, Labels, Metrics, Spec, Unit, labels};
use crate::principal::Principal;
use crate::protocol::{Phase, Refusals};
use crate::random::Random;
use crate::reply::spare;
use crate::route::Found;
use crate::schema::Endpoint;

mod connection;
mod lease;
mod miss;
mod preflight;
mod receipts;
mod report;
mod snapshot;
mod streamed;

pub use connection::{Connection, Entry};
pub(crate) use preflight::Way;
pub use receipts::{Receipts, Refusal};
pub use snapshot::{Components, Preflight, Snapshot, Target};

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
    watch: Watch,
    clock: Clock,
    // What listeners follow, once there are some.
    phase: OnceLock<watch::Receiver<Phase>>,
}

static PANICS: Spec = Spec {
    name: "chassis.panics",
    help: "Panics of operations and handlers that were caught.",
    unit: Unit::Count("panic"),
    kind: Kind::Counter,
};

static CONF: Spec = Spec {
    name: "chassis.conf.info",
    help: "Always 1: the revision of the configuration that decides, as refusals name it.",
    unit: Unit::Count("configuration"),
    kind: Kind::Gauge,
};

impl Live {
    fn caught(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }
}

/// What watches over the calls.
#[derive(Clone, Default)]
pub struct Watch {
    /// Where it is counted what becomes of them.
    pub metrics: Metrics,
    /// Where refusals are kept.
    pub receipts: Arc<Receipts>,
    /// Makes what they are kept under.
    pub random: Random,
}

impl Provider {
    /// Answers calls by this snapshot.
    pub fn new(snapshot: Snapshot, clock: Clock) -> Self {
        Self::watched(snapshot, clock, Watch::default())
    }

    /// Answers calls by this snapshot, and says what becomes of them.
    pub fn watched(snapshot: Snapshot, clock: Clock, watch: Watch) -> Self {
        let snapshot = ArcSwap::from_pointee(snapshot);
        let (swaps, panics) = (AtomicU64::new(0), AtomicU64::new(0));
        let refusals = Arc::new(Refusals::counted(watch.metrics.clone()));
        let phase = OnceLock::new();
        let live = Arc::new(Live { snapshot, swaps, panics, refusals, watch, clock, phase });
        let seen = Arc::downgrade(&live);
        live.watch.metrics.observe(&PANICS, Labels::new(), move || Some(seen.upgrade()?.caught() as f64));
        let provider = Self(live);
        provider.show_revision();
        provider
    }

    /// Shows which configuration decides for as long as it does.
    fn show_revision(&self) {
        let (live, revision) = (Arc::downgrade(&self.0), Arc::clone(&self.snapshot().revision));
        let shown = labels([("revision", revision.to_string())]);
        let decides = move || Some(live.upgrade()?.snapshot.load().revision == revision);
        self.0.watch.metrics.observe(&CONF, shown, move || decides()?.then_some(1.0));
    }

    /// Lets calls that are given up know whether the process does that, by what its listeners follow. Said once.
    pub(crate) fn follow(&self, phase: watch::Receiver<Phase>) {
        let _ = self.0.phase.set(phase);
    }

    /// Answers later calls by this snapshot; calls in flight end on the one they began with.
    pub fn swap(&self, snapshot: Snapshot) {
        self.0.snapshot.store(Arc::new(snapshot));
        self.0.swaps.fetch_add(1, Ordering::Release);
        self.show_revision();
    }

    /// What calls are answered by now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.0.snapshot.load_full()
    }

    /// How many panics of operations and handlers were caught since the start.
    pub fn panics(&self) -> u64 {
        self.0.caught()
    }

    /// What the process measures.
    pub fn metrics(&self) -> &Metrics {
        &self.0.watch.metrics
    }

    /// The latest refusals of handlers.
    pub fn receipts(&self) -> &Receipts {
        &self.0.watch.receipts
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

/// By which way a call came.
struct Arrival {
    peer: Peer,
    tls: Option<Arc<Tls>>,
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
    /// The chain that it passes behind its own where nothing there answers it.
    pub(crate) fn rest(&self) -> Option<&Chain> {
        match &self.miss {
            Miss::Unanswered(behind) => Some(&behind.rest),
            _ => None,
        }
    }

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
// Always inlined, like what makes the Invocation: it is large, and each function it is returned from copies it.
#[inline(always)]
fn admit(lease: &Arc<Lease>, request: Request<Body>, arrival: Arrival) -> Admitted {
    let arrived = lease.clock().now();
    let (snapshot, table) = (lease.snapshot(), arrival.table);
    let found = snapshot.find(table, request.method(), request.uri().path());
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
        let instead = preflight::redirected(snapshot, table, &request, matched.as_ref().map(|(target, _)| *target));
        if let Some((redirected, target)) = instead {
            let rest = target.as_ref().and_then(|(target, _)| snapshot.target(*target)?.preflight.as_ref());
            let rest = rest.map(|preflight| (preflight.rest.clone(), lease.clock()));
            (way, matched, miss) = (redirected, target, miss.of_preflight(rest));
        }
    }
    let target = matched.as_ref().map(|(target, _)| *target);
    Admitted { invocation: invocation(lease, request, arrival, arrived, matched), target, way, miss }
}

#[inline(always)]
fn invocation(
    lease: &Arc<Lease>,
    request: Request<Body>,
    arrival: Arrival,
    arrived: Instant,
    matched: Option<(u32, Params)>,
) -> Invocation {
    let mut invocation = Invocation::new(request, arrival.peer, arrived, Arc::clone(lease) as _, matched);
    invocation.call.tls = arrival.tls;
    invocation.call.principal = arrival.principal;
    invocation.call.body_limit = arrival.body_limit;
    invocation
}

// A block uses what it captures where it lies; an `async fn` would have room for all of it twice. What is large is
// captured as it was made, because every move of it is a copy.
fn answer(lease: Arc<Lease>, admitted: Admitted) -> impl Future<Output = Response<Body>> + Send + use<> {
    let mut held = Held { lease, admitted: Some(admitted) };
    async move {
        // There is one until the end.
        let Held { lease, admitted: Some(admitted) } = &mut held else { return Response::default() };
        let Admitted { invocation, target, way, miss } = admitted;
        let (snapshot, clock) = (lease.snapshot(), lease.clock());
        let miss: &dyn Endpoint = miss;
        let (chain, endpoint, timeout) = match target.and_then(|target| snapshot.target(target)) {
            Some(target) if *way == Way::Whole => (&target.chain, &*target.endpoint, target.timeout),
            Some(Target { preflight: Some(preflight), timeout, .. }) => (&preflight.chain, miss, *timeout),
            _ if *way == Way::Ungranted => (&snapshot.ungranted, miss, snapshot.timeout),
            _ => (&snapshot.unmatched, miss, snapshot.timeout),
        };
        invocation.call.deadline = timeout.map(|timeout| invocation.call.arrived + timeout);
        let mut reply = chain.run(endpoint, invocation, clock).await;
        if let Some(fault) = reply.fault_mut() {
            report(fault, invocation);
            lease.keep(fault, invocation);
        }
        streamed::guarded(reply.into_response(invocation), lease)
    }
}

/// A call while it is answered. What handlers left in it is dropped with it, and may panic: that is nobody's any more.
struct Held {
    lease: Arc<Lease>,
    admitted: Option<Admitted>,
}

impl Drop for Held {
    fn drop(&mut self) {
        let headers = self.admitted.as_mut().map(|admitted| mem::take(&mut admitted.invocation.parts.headers));
        let end = || {
            self.admitted = None;
            headers.map(spare)
        };
        if caught(end).is_err() {
            self.lease.count_panic();
        }
    }
}
