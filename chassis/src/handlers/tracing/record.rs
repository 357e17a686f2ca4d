//! The span of a call as it is sent elsewhere, written when the call is over.

use http::header::USER_AGENT;

use super::notes::Notes;
use super::span::named;
use super::{Cause, address};
use crate::field::first;
use crate::invocation::convention::{OTHER, SCHEMES, VERSIONS, name, scheme, version};
use crate::invocation::{CorrelationId, Invocation, RequestId};
use crate::operation::Operation;
use crate::outbox::{Writing, shortened};
use crate::reply::Reply;
use crate::trace::{TRACESTATE, TraceContext};

/// A call that is over, and what else its span is made from.
pub(super) struct Seen<'a> {
    pub(super) invocation: &'a Invocation,
    pub(super) reply: &'a Reply,
    pub(super) link: Option<TraceContext>,
    pub(super) notes: &'a Notes,
    pub(super) carried: &'a Carried,
    pub(super) cause: Cause,
    /// Nanoseconds since 1970.
    pub(super) now: u64,
}

/// The longest `tracestate` that is kept, in bytes: what every service must be able to pass on.
const LONGEST_STATE: usize = 512;

impl Seen<'_> {
    /// Writes all but how it ended.
    pub(super) fn begun(&self, span: &mut Writing<'_>) {
        let call = &self.invocation.call;
        span.place(&call.trace);
        span.start(self.now.saturating_sub(call.elapsed_nanos()));
        self.note_request(span);
        self.note_caller(span);
        self.note_reply(span);
        if let Some(link) = &self.link {
            span.link(link);
        }
    }

    /// The same, for a span whose end is not there yet.
    pub(super) fn kept(&self) -> Vec<u8> {
        let mut fields = Vec::new();
        self.begun(&mut Writing::begin(&mut fields));
        fields
    }

    pub(super) fn has_failed(&self) -> bool {
        self.reply.status().is_server_error()
    }

    fn note_request(&self, span: &mut Writing<'_>) {
        let sent = self.invocation;
        let method = name(sent.method(), sent.operation());
        match sent.operation() {
            // As nearly all calls of it do.
            Some(operation) if operation.method == method => {
                let write = |bytes: &mut Vec<u8>| note_operation(&mut Writing::begin(bytes), method, Some(operation));
                span.fields(operation.own.recorded(write));
            }
            operation => note_operation(span, method, operation),
        }
        if method == OTHER {
            span.text("http.request.method_original", shortened(sent.method().as_str()));
        }
        span.fields(self.carried.of(sent));
        span.text("url.path", shortened(sent.path()));
    }

    fn note_caller(&self, span: &mut Writing<'_>) {
        let (call, headers) = (&self.invocation.call, self.invocation.headers());
        if let Some(agent) = first(headers, &USER_AGENT).and_then(|agent| agent.to_str().ok()) {
            span.text("user_agent.original", shortened(agent));
        }
        if let Some(address) = self.notes.client(self.invocation) {
            address::note(span, "client.address", address);
        }
        if let Some(id) = call.locals.get::<RequestId>() {
            span.text("chassis.request_id", id.as_str());
        }
        if let Some(CorrelationId(id)) = call.locals.get() {
            span.text("chassis.correlation_id", id);
        }
        if let Some(baggage) = self.notes.baggage(headers) {
            span.text("chassis.baggage", &baggage);
        }
        // Few callers have any, and it means something only beside a `traceparent` that is read once more.
        let state = first(headers, &TRACESTATE).and_then(|_| call.tracestate(headers));
        if let Some(state) = state.filter(|state| state.as_str().len() <= LONGEST_STATE) {
            span.state(state.as_str());
        }
    }

    fn note_reply(&self, span: &mut Writing<'_>) {
        let (reply, status) = (self.reply, self.reply.status());
        if !reply.is_cancelled() {
            span.number("http.response.status_code", status.as_u16().into());
        }
        if status.is_server_error() {
            span.text("error.type", reply.fault().map_or(status.as_str(), |fault| fault.code().as_str()));
        }
        match self.cause {
            Cause::Sampled => {}
            Cause::Failed => span.text("chassis.recorded_because", "error"),
            Cause::Slow => span.text("chassis.recorded_because", "slow"),
        }
    }
}

/// Writes what calls with this method to this operation have in common.
fn note_operation(span: &mut Writing<'_>, method: &str, operation: Option<&Operation>) {
    span.name(named(method, operation.map(|operation| operation.template.as_str())));
    span.text("http.request.method", method);
    if let Some(operation) = operation {
        span.text("http.route", &operation.template);
        span.text("chassis.operation", &operation.id);
    }
}

/// What all calls that came by one scheme and one version of the protocol have in common, by the places of both.
pub(super) struct Carried([[Vec<u8>; VERSIONS.len()]; SCHEMES.len()]);

impl Carried {
    pub(super) fn new() -> Self {
        Self(SCHEMES.map(|scheme| VERSIONS.map(|version| carried(scheme, version))))
    }

    fn of(&self, invocation: &Invocation) -> &[u8] {
        &self.0[scheme(invocation)][version(invocation.parts.version)]
    }
}

fn carried(scheme: &str, version: Option<&str>) -> Vec<u8> {
    let mut fields = Vec::new();
    let mut span = Writing::begin(&mut fields);
    span.text("url.scheme", scheme);
    if let Some(version) = version {
        span.text("network.protocol.version", version);
    }
    fields
}

/// Writes when a call was over, and whether the service failed.
pub(super) fn end(span: &mut Writing<'_>, at: u64, has_failed: bool) {
    span.end(at);
    if has_failed {
        span.failed();
    }
}
