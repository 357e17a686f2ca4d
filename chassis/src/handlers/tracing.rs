//! `tracing`: gives every call its place in a trace, and records the sampled ones as spans.
//!
//! The caller's `traceparent` (W3C Trace Context level 2) is continued or, where callers are not trusted, linked.
//! Whether a trace is recorded is decided once, where it starts: a call that continues one does as its caller did.
//! Every call has ids, so that faults and calls to other services name the trace; a span is made for the sampled
//! ones only. The operation runs inside it: what it logs carries the ids.

#![expect(unsafe_code, reason = "the entry of a handler stands in a section of the linker")]

use http::{HeaderName, HeaderValue};

use crate::conf::{BuildContext, BuildError, Configure};
use crate::handler::{Handler, Verdict};
use crate::invocation::Invocation;
use crate::random::Random;
use crate::reply::Reply;
use crate::trace::{RANDOM, SAMPLED, TraceContext};
use crate::{conf, handler};

mod span;
#[cfg(test)]
mod tests;

/// Which calls are recorded, and whom a trace is taken over from.
#[conf]
pub struct Conf {
    /// The share of traces that are recorded, of those that start here. A recorded call costs several times what one
    /// that is not recorded does: one in a hundred shows what happens without slowing it down.
    #[conf(default = 0.01, range(0.0..=1.0))]
    pub ratio: f64,
    /// What becomes of the trace a caller is in.
    #[conf(default)]
    pub remote_parent: RemoteParent,
    /// Whether the caller is told the trace.
    #[conf(default)]
    pub response_header: ResponseHeader,
}

/// What becomes of the trace a caller is in.
#[conf]
#[derive(Copy, Default, PartialEq, Eq)]
pub enum RemoteParent {
    /// It goes on, and is recorded if the caller records it. For callers that are trusted not to ask for too much.
    #[default]
    Continue,
    /// A new one starts and names the caller's as a link. For callers from outside.
    Link,
}

/// Whether the caller is told the trace.
#[conf]
#[derive(Copy, Default, PartialEq, Eq)]
pub enum ResponseHeader {
    /// It is not, but for the problem document of a fault.
    #[default]
    None,
    /// In `traceresponse` (W3C Trace Context level 2, §4).
    Traceresponse,
}

/// Gives every call its place in a trace, and records the sampled ones as spans.
#[handler("tracing", provides("trace"))]
pub struct Tracing {
    random: Random,
    sampler: Sampler,
    remote_parent: RemoteParent,
    response_header: ResponseHeader,
}

/// Decides by the trace id, so that all services with the same ratio decide alike.
#[derive(Clone, Copy, Debug)]
struct Sampler {
    /// Traces whose random part is below are not recorded: the threshold of OpenTelemetry's consistent sampling.
    threshold: u64,
}

impl Sampler {
    /// The last seven bytes of a trace id are random.
    const BITS: u32 = 56;

    fn new(ratio: f64) -> Self {
        Self { threshold: ((1.0 - ratio) * (1_u64 << Self::BITS) as f64) as u64 }
    }

    fn takes(self, trace_id: [u8; 16]) -> bool {
        let random = u128::from_be_bytes(trace_id) as u64 & ((1 << Self::BITS) - 1);
        random >= self.threshold
    }
}

impl Configure for Tracing {
    type Conf = Conf;

    fn build(conf: Conf, context: &BuildContext<'_>) -> Result<Self, BuildError> {
        let Conf { ratio, remote_parent, response_header } = conf;
        Ok(Self { random: context.random.clone(), sampler: Sampler::new(ratio), remote_parent, response_header })
    }
}

impl Tracing {
    /// A span of the caller's trace.
    fn child(&self, caller: TraceContext) -> TraceContext {
        TraceContext { span_id: span_id(self.random.next_u64()), ..caller }
    }

    /// The first span of a new trace.
    fn root(&self) -> TraceContext {
        let [high, low, span] = self.random.next_u64s();
        // An id is never all zero.
        let trace_id = ((u128::from(high) << 64) | u128::from(low)).max(1).to_be_bytes();
        let flags = if self.sampler.takes(trace_id) { RANDOM | SAMPLED } else { RANDOM };
        TraceContext { trace_id, span_id: span_id(span), parent_id: [0; 8], flags }
    }
}

fn span_id(bits: u64) -> [u8; 8] {
    bits.max(1).to_be_bytes()
}

impl Handler for Tracing {
    fn before(&self, invocation: &mut Invocation) -> Verdict {
        let caller = TraceContext::parse(invocation.headers());
        let (context, link) = match (caller, self.remote_parent) {
            (Some(caller), RemoteParent::Continue) => (self.child(caller), None),
            (link, _) => (self.root(), link),
        };
        invocation.call.trace = context;
        if context.is_sampled() {
            invocation.call.span = span::open(invocation, link);
        }
        Verdict::Continue
    }

    fn after(&self, invocation: &Invocation, reply: &mut Reply) {
        span::close(invocation, reply);
        if self.response_header == ResponseHeader::Traceresponse
            && let Ok(value) = HeaderValue::from_bytes(&invocation.call.trace.to_traceparent())
        {
            reply.headers_mut().insert(HeaderName::from_static("traceresponse"), value);
        }
    }
}
