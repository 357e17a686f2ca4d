//! Which traces are recorded, and where a call stands in its trace.

use http::HeaderMap;

use super::conf::{Decider, RemoteParent};
use crate::random::Random;
use crate::trace::{RANDOM, SAMPLED, TRACEPARENT, TraceContext, Zipkin};

/// Decides by the trace id, so that all services with the same ratio decide alike.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sampler {
    /// Traces whose random part is below are not recorded: the threshold of OpenTelemetry's consistent sampling.
    threshold: u64,
}

impl Sampler {
    /// The last seven bytes of a trace id are random.
    const BITS: u32 = 56;

    pub(super) fn new(ratio: f64) -> Self {
        Self { threshold: ((1.0 - ratio) * (1_u64 << Self::BITS) as f64) as u64 }
    }

    pub(super) fn takes(self, trace_id: [u8; 16]) -> bool {
        let random = u128::from_be_bytes(trace_id) as u64 & ((1 << Self::BITS) - 1);
        random >= self.threshold
    }
}

/// What a caller says about the trace it is in.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Caller {
    /// Its trace, and its span as `parent_id`.
    pub(super) context: Option<TraceContext>,
    /// Whether the trace is recorded; `None` where the caller does not decide.
    sampled: Option<bool>,
}

impl Caller {
    /// What stands in `traceparent` or, where there is none, in the fields of B3.
    #[inline]
    pub(super) fn read(headers: &HeaderMap, b3: bool) -> Self {
        match TraceContext::parse(headers) {
            Some(context) => Self { context: Some(context), sampled: Some(context.is_sampled()) },
            None if b3 => {
                // A `traceparent` that is not valid hides them. Most calls have neither, and are not searched for it again.
                let said = Zipkin::parse(headers).filter(|_| !headers.contains_key(TRACEPARENT));
                said.map_or(Self::default(), |Zipkin { context, sampled }| Self { context, sampled })
            }
            None => Self::default(),
        }
    }
}

/// Gives calls their places.
pub(super) struct Places {
    pub(super) random: Random,
    pub(super) sampler: Sampler,
    pub(super) decider: Decider,
    pub(super) remote_parent: RemoteParent,
}

impl Places {
    /// The place of a call in its trace: the caller's, or a new one.
    #[inline]
    pub(super) fn place(&self, caller: Caller) -> TraceContext {
        match (self.remote_parent, caller.context) {
            (RemoteParent::Continue, Some(context)) => self.child(context, caller.sampled),
            (RemoteParent::Continue, None) => self.root(caller.sampled),
            (RemoteParent::Link | RemoteParent::Ignore, _) => self.root(None),
        }
    }

    /// The trace that led to a call without being continued.
    pub(super) fn link(&self, caller: Caller) -> Option<TraceContext> {
        caller.context.filter(|_| self.remote_parent == RemoteParent::Link)
    }

    /// A span of the caller's trace.
    fn child(&self, context: TraceContext, said: Option<bool>) -> TraceContext {
        let flags = self.flags(context.flags & RANDOM, context.trace_id, said);
        TraceContext { span_id: span_id(self.random.next_u64()), flags, ..context }
    }

    /// The first span of a new trace.
    fn root(&self, said: Option<bool>) -> TraceContext {
        let [high, low, span] = self.random.next_u64s();
        // An id is never all zero.
        let trace_id = ((u128::from(high) << 64) | u128::from(low)).max(1).to_be_bytes();
        TraceContext { trace_id, span_id: span_id(span), parent_id: [0; 8], flags: self.flags(RANDOM, trace_id, said) }
    }

    fn flags(&self, others: u8, trace_id: [u8; 16], said: Option<bool>) -> u8 {
        let sampled = match (self.decider, said) {
            (Decider::Parent, Some(said)) => said,
            _ => self.sampler.takes(trace_id),
        };
        if sampled { others | SAMPLED } else { others }
    }
}

fn span_id(bits: u64) -> [u8; 8] {
    bits.max(1).to_be_bytes()
}
