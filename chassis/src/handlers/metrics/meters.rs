//! The handles that calls are measured with, and the measuring.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::Method;
use http_body::Body;

use super::specs::{ACTIVE, DURATION, REQUEST_SIZE, RESPONSE_SIZE};
use super::table::Table;
use super::traits::{PAIRS, Traits};
use crate::clock::{Clock, Instant, nanos};
use crate::invocation::{Invocation, Matched};
use crate::metrics::{Gauge, Histogram, Labels, Metrics, labels};
use crate::operation::Operation;
use crate::reply::{End, Outcome, Reply};
use crate::trace::TraceContext;

/// All handles of one handler.
pub(super) struct Meters {
    metrics: Metrics,
    clock: Clock,
    has_sizes: bool,
    active: [OnceLock<Gauge>; PAIRS],
    table: Table<Series>,
    // For what finds no room in the table.
    overflow: OnceLock<Series>,
}

/// The handles for the calls of one operation that have the same traits.
pub(super) struct Series {
    duration: Histogram,
    sizes: Option<Sizes>,
}

struct Sizes {
    request: Histogram,
    response: Histogram,
}

/// What is measured of a call.
struct Measures {
    /// In nanoseconds.
    took: u64,
    request: Option<u64>,
    response: Option<u64>,
}

impl Meters {
    pub(super) fn new(metrics: Metrics, has_sizes: bool, clock: Clock) -> Self {
        let active = std::array::from_fn(|_| OnceLock::new());
        Self { metrics, clock, has_sizes, active, table: Table::new(), overflow: OnceLock::new() }
    }

    /// The calls under way that have this method and scheme.
    pub(super) fn active(&self, traits: Traits) -> &Gauge {
        self.active[traits.pair()].get_or_init(|| self.metrics.gauge(&ACTIVE, traits.pair_labels()))
    }

    /// A call is under way.
    pub(super) fn began(&self, invocation: &mut Invocation) {
        self.active(Traits::of(invocation)).add(1);
        if self.has_sizes {
            invocation.call.body_size = invocation.body.size_hint().exact();
        }
    }

    /// A call is over whose reply is a problem document, which is written last.
    #[cold]
    pub(super) fn refused(&self, invocation: &Invocation, reply: &mut Reply) {
        let series = self.ended(invocation, reply, None);
        if let Some(Sizes { response, .. }) = &series.sizes
            && *invocation.method() != Method::HEAD
            && let Some(fault) = reply.fault_mut()
        {
            let response = response.clone();
            fault.on_document(move |bytes| response.record(bytes));
        }
    }

    /// A call is over whose reply is ready.
    pub(super) fn ended(&self, invocation: &Invocation, reply: &Reply, length: Option<u64>) -> &Series {
        let traits = Traits::answered(invocation, reply);
        let response = if *invocation.method() == Method::HEAD { Some(0) } else { length };
        let measures = Measures { took: invocation.call.elapsed_nanos(), request: invocation.call.body_size, response };
        self.count(invocation.operation(), traits, &measures, (&invocation.call.trace, invocation.call.arrived))
    }

    fn count(
        &self,
        operation: Option<&Operation>,
        traits: Traits,
        measures: &Measures,
        (trace, arrived): (&TraceContext, Instant),
    ) -> &Series {
        self.active(traits).subtract(1);
        let make = || self.series(traits.labels(operation));
        let series = self.table.find(operation, traits, make).unwrap_or_else(|| self.overflowing());
        series.record(measures);
        if trace.is_sampled() {
            let ended = arrived + Duration::from_nanos(measures.took);
            series.duration.exemplify(measures.took, trace, self.clock.wall_at(ended));
        }
        series
    }

    fn series(&self, labels: Labels) -> Series {
        let size = |spec| self.metrics.histogram(spec, labels.clone());
        let sizes = self.has_sizes.then(|| Sizes { request: size(&REQUEST_SIZE), response: size(&RESPONSE_SIZE) });
        Series { duration: self.metrics.histogram(&DURATION, labels), sizes }
    }

    #[cold]
    fn overflowing(&self) -> &Series {
        self.overflow.get_or_init(|| self.series(labels([("otel.metric.overflow", "true")])))
    }
}

impl Series {
    fn record(&self, measures: &Measures) {
        self.duration.record(measures.took);
        if let Some(Sizes { request, response }) = &self.sizes {
            measures.request.inspect(|bytes| request.record(*bytes));
            measures.response.inspect(|bytes| response.record(*bytes));
        }
    }
}

/// A call whose reply is made while it is sent.
pub(super) struct Streamed {
    meters: Arc<Meters>,
    matched: Matched,
    traits: Traits,
    request: Option<u64>,
    arrived: Instant,
    trace: TraceContext,
}

impl Streamed {
    pub(super) fn new(meters: Arc<Meters>, invocation: &Invocation, reply: &Reply) -> Self {
        let (call, traits) = (&invocation.call, Traits::answered(invocation, reply));
        let request = call.body_size;
        Self { meters, matched: call.matched(), traits, request, arrived: call.arrived, trace: call.trace }
    }

    /// The last byte was sent, or nobody waits for it any more.
    pub(super) fn ended(&mut self, end: &End) {
        let Self { meters, matched, traits, request, arrived, trace } = self;
        let traits = if end.outcome == Outcome::Failed { traits.broken() } else { *traits };
        let took = nanos(meters.clock.now().duration_since(*arrived));
        let measures = Measures { took, request: *request, response: Some(end.bytes) };
        meters.count(matched.operation(), traits, &measures, (trace, *arrived));
    }
}
