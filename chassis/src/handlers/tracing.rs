//! `tracing`: gives every call its place in a trace, and records the sampled ones as spans.
//!
//! The caller's `traceparent` (W3C Trace Context level 2), or what it says in B3, is continued, linked or ignored.
//! Whether a trace is recorded is decided once, where it starts: a call that continues one does as its caller did, unless
//! configuration decides otherwise. Every call has ids, so that faults and calls to other services name the trace; a span
//! is made for the sampled ones only. The operation runs inside it: what it logs carries the ids. What is to be sent
//! elsewhere is put together when the call is over, also for calls that turn out to be failures or slow.

#![expect(unsafe_code, reason = "the entry of a handler stands in a section of the linker")]

use http::{HeaderName, HeaderValue};

use crate::clock::{Clock, since_epoch};
use crate::conf::{BuildContext, BuildError, Configure, Interval};
use crate::fault::Code;
use crate::handler;
use crate::handler::{Handler, Verdict};
use crate::invocation::{CorrelationId, Forwarded, Hurry, Invocation};
use crate::outbox::{Spans, written};
use crate::reply::{Outcome, Reply};
use crate::trace::{BAGGAGE, TraceContext};

mod address;
pub mod conf;
mod notes;
mod record;
mod sampler;
mod span;
#[cfg(test)]
mod tests;

use conf::{Always, Conf, LogContext, RemoteParent, ResponseHeader};
use notes::Notes;
use record::{Carried, Seen};
use sampler::{Caller, Places, Sampler};

/// Gives every call its place in a trace, and records the sampled ones as spans.
#[handler("tracing", provides("trace"))]
pub struct Tracing {
    places: Places,
    b3: bool,
    always: Always,
    notes: Notes,
    carried: Carried,
    // The keys of baggage that go on to other services.
    forward: Vec<String>,
    // Whether anything of what callers send is left in the call.
    carries: bool,
    log_context: LogContext,
    response_header: ResponseHeader,
    clock: Clock,
    spans: Spans,
}

impl Configure for Tracing {
    type Conf = Conf;

    fn build(conf: Conf, context: &BuildContext<'_>) -> Result<Self, BuildError> {
        let carries = conf.correlation_header.is_some() || !conf.baggage.forward.is_empty();
        let notes = Notes::build(conf.correlation_header.as_deref(), conf.baggage.record, conf.trusted_proxies)?;
        let places = Places {
            random: context.random.clone(),
            sampler: Sampler::new(conf.ratio),
            decider: conf.sampler,
            remote_parent: conf.remote_parent,
        };
        Ok(Self {
            places,
            b3: conf.b3,
            always: conf.always,
            notes,
            carried: Carried::new(),
            forward: conf.baggage.forward,
            carries,
            log_context: conf.log_context,
            response_header: conf.response_header,
            clock: context.clock,
            spans: context.process.spans.clone(),
        })
    }
}

impl Handler for Tracing {
    fn before(&self, invocation: &mut Invocation) -> Verdict {
        let caller = Caller::read(invocation.headers(), self.b3);
        let context = self.places.place(caller);
        invocation.call.trace = context;
        if self.carries {
            self.carry(invocation);
        }
        if context.is_sampled() {
            invocation.call.span = span::open(invocation, self.places.link(caller), &self.notes);
        } else if self.log_context == LogContext::All {
            invocation.call.span = span::brief(invocation, &self.notes);
        }
        Verdict::Continue
    }

    fn after(&self, invocation: &Invocation, reply: &mut Reply) {
        span::close(invocation, reply);
        if let Some(cause) = self.cause(invocation, reply)
            && self.spans.is_wanted()
        {
            self.record(invocation, reply, cause);
        }
        if self.response_header == ResponseHeader::Traceresponse
            && let Ok(value) = HeaderValue::from_bytes(&invocation.call.trace.to_traceparent())
        {
            reply.headers_mut().insert(HeaderName::from_static("traceresponse"), value);
        }
    }
}

/// Why a call is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    Sampled,
    Failed,
    Slow,
}

impl Tracing {
    #[inline]
    fn cause(&self, invocation: &Invocation, reply: &Reply) -> Option<Cause> {
        let is_slow = |slow: Interval| invocation.call.elapsed() >= slow.0;
        match () {
            () if invocation.call.trace.is_sampled() => Some(Cause::Sampled),
            () if self.always.errors && reply.status().is_server_error() && is_failure(invocation, reply) => {
                Some(Cause::Failed)
            }
            () if self.always.slow.is_some_and(is_slow) => Some(Cause::Slow),
            () => None,
        }
    }

    /// Leaves the span for whoever sends it: now, or when the last byte of a reply is out that is made while it is sent.
    fn record(&self, invocation: &Invocation, reply: &mut Reply, cause: Cause) {
        let link = self.link(invocation);
        let now = self.clock.wall_at(invocation.call.finished());
        let seen = Seen { invocation, reply, link, notes: &self.notes, carried: &self.carried, cause, now };
        if reply.length().is_none() && reply.fault().is_none() {
            let begun = seen.kept();
            return self.record_later(reply, begun);
        }
        self.spans.offer(|spans| {
            written(spans, |span| {
                seen.begun(span);
                record::end(span, seen.now, seen.has_failed());
            });
        });
    }

    #[cold]
    fn record_later(&self, reply: &mut Reply, begun: Vec<u8>) {
        let (spans, clock, has_failed) = (self.spans.clone(), self.clock, reply.status().is_server_error());
        reply.on_end(move |end| {
            let has_failed = has_failed || end.outcome == Outcome::Failed;
            spans.offer(|spans| {
                written(spans, |span| {
                    span.fields(&begun);
                    record::end(span, since_epoch(clock.wall()), has_failed);
                });
            });
        });
    }

    /// The trace that led to a call without being continued.
    fn link(&self, invocation: &Invocation) -> Option<TraceContext> {
        let is_linked = self.places.remote_parent == RemoteParent::Link;
        is_linked.then(|| Caller::read(invocation.headers(), self.b3)).and_then(|caller| self.places.link(caller))
    }

    /// Leaves what the caller said in the call: for log lines, and for operations to pass on what they may.
    #[cold]
    fn carry(&self, invocation: &mut Invocation) {
        if let Some(id) = self.notes.correlation(invocation.headers()) {
            let id = CorrelationId(id.into());
            invocation.call.locals.set(id);
        }
        if self.forward.is_empty() || !invocation.headers().contains_key(BAGGAGE) {
            return;
        }
        let said = invocation.call.baggage(invocation.headers());
        if let Some(forwarded) = said.and_then(|said| said.only(&self.forward)) {
            invocation.call.locals.set(Forwarded(forwarded));
        }
    }
}

/// Whether this service failed a call that was answered with a status of failure. What callers bring about as often as
/// they like is none: or whoever is refused could have each call recorded, and the spans of others lost.
#[cold]
fn is_failure(invocation: &Invocation, reply: &Reply) -> bool {
    let Some(fault) = reply.fault() else { return true };
    match fault.handler() {
        // A handler that refuses does what it is there for; one that fails over a call has no code but the first, and one
        // that bounds its time refuses nothing, unless it is the caller's time.
        Some(name) => {
            let is_late = fault.code() == Code::DeadlineExceeded && invocation.call.timed_by == Some(name);
            fault.code() == Code::Internal || is_late && invocation.call.locals.get::<Hurry>().is_none()
        }
        // Nothing was there to be asked.
        None => invocation.operation().is_some(),
    }
}
