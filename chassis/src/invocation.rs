//! One call, whatever protocol carried it.

use std::any::TypeId;
use std::borrow::Cow;
use std::fmt;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use http::request::Parts;
use http::{HeaderMap, Method, Request, Uri};

use crate::clock::{Clock, Instant, nanos};
use crate::fault::Fault;
use crate::operation::Operation;
use crate::principal::Principal;
use crate::trace::{Baggage, TraceContext, TraceState};

pub(crate) mod convention;
mod correlation_id;
mod forwarded;
mod ground;
mod host;
mod hurry;
mod limits;
mod locals;
mod mark;
mod matched;
mod params;
mod peer;
mod proxies;
mod request_id;
mod span;
mod timing;
mod tls;

#[cfg(test)]
pub(crate) mod fixture;

pub use correlation_id::CorrelationId;
pub use forwarded::Forwarded;
pub(crate) use ground::Ground;
pub(crate) use host::{is_host_of_origin, is_same_host};
pub use hurry::Hurry;
pub use locals::Locals;
pub use mark::Mark;
pub(crate) use matched::Matched;
pub use params::{Capture, Params, Undecodable, decode};
pub use peer::Peer;
pub use proxies::{Network, Proxies};
pub use request_id::RequestId;
pub use span::{CallSpan, Entered, OnDemand};
pub use timing::{Timing, Timings};
pub use tls::{Certificate, Tls};

/// One call on its way through a chain to an operation.
///
/// `parts` and `body` are what came over the wire, as the `http` crate models it; `call` is what chassis knows
/// about it. The split lets an axum extractor borrow both at once.
pub struct Invocation {
    /// Method, target, version, header fields and extensions.
    pub parts: Parts,
    /// The body; taken by the argument that reads it.
    pub body: Body,
    /// Everything else.
    pub call: Call,
}

/// What chassis knows about a call. It is the state that axum extractors are given.
pub struct Call {
    /// The values the path template captured.
    pub params: Params,
    /// Who is at the other end of the connection.
    pub peer: Peer,
    /// How the connection is encrypted; `None` where nothing encrypts it up to here.
    pub tls: Option<Arc<Tls>>,
    /// Who the caller proved to be.
    pub principal: Option<Principal>,
    /// When the call must be answered.
    pub(crate) deadline: Option<Instant>,
    /// The handler that set that; `None` for the `timeout` of its route.
    pub(crate) timed_by: Option<&'static str>,
    /// When the call arrived: a clock reading that all handlers share.
    pub arrived: Instant,
    /// The trace it belongs to.
    pub trace: TraceContext,
    /// The span that is entered while the operation runs.
    pub span: CallSpan,
    /// What the handlers cost; `None` unless one of them asked for that to be measured.
    pub timing: Option<Timing>,
    /// What handlers leave for each other, by type.
    pub locals: Locals,
    /// The largest body, in bytes, that an argument reads.
    pub(crate) body_limit: u64,
    /// The handler that set that; `None` for the listener.
    pub(crate) body_limited_by: Option<&'static str>,
    /// How many bytes the body of the request has, noted by who measures it before it is read; `None` where that is not
    /// known.
    pub(crate) body_size: Option<u64>,
    /// Whether the handler whose hook runs may not act on the call.
    pub(crate) decides_only: bool,
    /// Whether an argument waits for more of the body. Atomic, because an extractor is lent the rest of the call then.
    pub(crate) receiving: AtomicBool,
    /// How many nanoseconds it took until the reply was ready, and one more; 0 until a handler asks: most calls spare the
    /// reading of the clock.
    took: Option<AtomicU64>,
    ground: Arc<dyn Ground>,
    target: Option<u32>,
}

impl Invocation {
    /// A call that matched `target` in `ground`, or nothing.
    #[inline(always)]
    pub(crate) fn new(
        request: Request<Body>,
        peer: Peer,
        arrived: Instant,
        ground: Arc<dyn Ground>,
        matched: Option<(u32, Params)>,
    ) -> Self {
        let (parts, body) = request.into_parts();
        let (target, params) = match matched {
            Some((target, params)) => (Some(target), params),
            None => (None, Params::default()),
        };
        let call = Call {
            params,
            peer,
            tls: None,
            principal: None,
            deadline: None,
            timed_by: None,
            arrived,
            took: None,
            trace: TraceContext::default(),
            span: CallSpan::none(),
            timing: None,
            locals: Locals::default(),
            body_limit: u64::MAX,
            body_limited_by: None,
            body_size: None,
            decides_only: false,
            receiving: AtomicBool::new(false),
            ground,
            target,
        };
        Self { parts, body, call }
    }

    /// The operation that was matched; `None` when nothing was and the call passes the chain for unmatched calls.
    pub fn operation(&self) -> Option<&Operation> {
        self.call.operation()
    }

    /// The HTTP method.
    pub fn method(&self) -> &Method {
        &self.parts.method
    }

    /// The target.
    pub fn uri(&self) -> &Uri {
        &self.parts.uri
    }

    /// The path as sent, still percent-encoded.
    pub fn path(&self) -> &str {
        self.parts.uri.path()
    }

    /// The header fields.
    pub fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// The captured value of a path parameter, percent-decoded: what an operation reads, and what a handler compares.
    /// `None` if the template has no such parameter; a value that is not UTF-8 is refused before any handler sees it.
    pub fn param(&self, name: &str) -> Option<Cow<'_, str>> {
        decode(self.raw_param(name)?).ok()
    }

    /// The captured value of a path parameter as sent, still percent-encoded: one value has many spellings.
    pub fn raw_param(&self, name: &str) -> Option<&str> {
        let index = self.operation()?.parameters.iter().position(|known| known == name)?;
        self.call.params.at(self.path(), index)
    }
}

impl Call {
    /// Leads elsewhere, or nowhere; where it led before.
    pub(crate) fn lead(&mut self, target: Option<u32>) -> Option<u32> {
        mem::replace(&mut self.target, target)
    }

    /// Whether calls in flight are being cut off, because the process ends.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.ground.is_cut_off()
    }

    /// The operation that was matched.
    pub fn operation(&self) -> Option<&Operation> {
        self.ground.operation(self.target?)
    }

    /// The component of type `T`.
    pub fn component<T: Send + Sync + 'static>(&self) -> Option<&Arc<T>> {
        self.ground.component(TypeId::of::<T>())?.downcast_ref()
    }

    /// What tracing systems added to the trace of the caller, to be passed on with a `traceparent` of this call. `headers`
    /// are those of the call.
    ///
    /// `None` unless this call continues the trace that they name (Trace Context §3.3): not where a handler began a trace
    /// of its own, where none did anything, or where `traceparent` is not valid.
    pub fn tracestate(&self, headers: &HeaderMap) -> Option<TraceState> {
        let caller = TraceContext::parse(headers)?;
        let continues = (caller.trace_id, caller.parent_id) == (self.trace.trace_id, self.trace.parent_id);
        continues.then(|| TraceState::parse(headers)).flatten()
    }

    /// What the caller wants every service of its trace to know (W3C Baggage); read when it is asked for. Anyone can write
    /// it: it proves nothing. `headers` are those of the call. What goes on to other services is the local value
    /// [`Forwarded`].
    pub fn baggage(&self, headers: &HeaderMap) -> Option<Baggage> {
        Baggage::parse(headers)
    }

    /// Whether the handler whose hook runs may act on the call. Where `shadow` or `enforce` keep it from that, what it
    /// refuses or answers is counted and the call goes on as if it were not listed; the chain puts back what it sets of
    /// the principal, the deadline, the limit of the body and the fields of call and reply. A handler that does more,
    /// such as to let a call wait or to replace a body, asks for this first.
    pub fn may_act(&self) -> bool {
        !self.decides_only
    }

    /// Counts a panic that was caught while this call ran.
    pub(crate) fn count_panic(&self) {
        self.ground.count_panic();
    }

    /// Keeps a refusal that did not count.
    pub(crate) fn note_spared(&self, fault: &Fault, handler: &str, invocation: &Invocation) {
        self.ground.note_spared(fault, handler, invocation);
    }

    /// When the reply was ready: the same for every `after`. Until then it is when the call arrived.
    pub fn finished(&self) -> Instant {
        self.arrived + self.elapsed()
    }

    /// How long it took until the reply was ready; nothing before that.
    pub fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.elapsed_nanos())
    }

    /// The same in nanoseconds.
    #[inline]
    pub(crate) fn elapsed_nanos(&self) -> u64 {
        let Some(took) = &self.took else { return 0 };
        match took.load(Ordering::Relaxed) {
            0 => self.look(took) - 1,
            known => known - 1,
        }
    }

    /// Looks at the clock for the first handler that asks: they ask one after the other.
    fn look(&self, took: &AtomicU64) -> u64 {
        let found = nanos(Clock::system().now().saturating_duration_since(self.arrived)).saturating_add(1);
        took.store(found, Ordering::Relaxed);
        found
    }

    /// Whether a slash at the end of its path makes another path.
    pub(crate) fn is_strict(&self) -> bool {
        self.ground.is_strict()
    }

    /// The reply is ready.
    pub(crate) fn finish(&mut self) {
        self.took = Some(AtomicU64::new(0));
    }
}

impl fmt::Debug for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invocation")
            .field("operation", &self.operation().map(|operation| &operation.id))
            .field("method", self.method())
            .field("path", &self.path())
            .field("peer", &self.call.peer)
            .finish_non_exhaustive()
    }
}
