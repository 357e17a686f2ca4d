//! What the span of a call says: the names of OpenTelemetry's semantic conventions for HTTP servers.

use http::Method;
use tracing::field::Empty;
use tracing::{Level, Span, debug, enabled, field, info_span};

use super::notes::Notes;
use crate::invocation::Invocation;
use crate::invocation::convention::{METHODS, OTHER, SCHEMES, method, scheme, version};
use crate::reply::Reply;
use crate::trace::{Hex, TraceContext};

/// The span of a call that is recorded; disabled where nobody asks for it.
pub(super) fn open(invocation: &Invocation, link: Option<TraceContext>, notes: &Notes) -> Span {
    let operation = invocation.operation();
    let (method, trace) = (known(invocation.method()), &invocation.call.trace);
    let route = operation.map(|operation| operation.template.as_str());
    info_span!(
        target: "chassis::call",
        "call",
        "otel.name" = %Name { method, route },
        "otel.kind" = "server",
        "otel.status_code" = Empty,
        "operation" = operation.map(|operation| operation.id.as_str()),
        "http.request.method" = method,
        "http.request.method_original" = (method == OTHER).then(|| invocation.method().as_str()),
        "http.route" = route,
        "http.response.status_code" = Empty,
        "url.scheme" = SCHEMES[scheme(invocation)],
        "url.path" = invocation.path(),
        "network.protocol.version" = version(invocation.parts.version),
        "client.address" = invocation.call.peer.ip().map(field::display),
        "trace_id" = %Hex(&trace.trace_id),
        "span_id" = %Hex(&trace.span_id),
        "parent_id" = trace.is_continued().then(|| field::display(Hex(&trace.parent_id))),
        "link.trace_id" = link.as_ref().map(|link| field::display(Hex(&link.trace_id))),
        "link.span_id" = link.as_ref().map(|link| field::display(Hex(&link.parent_id))),
        "request_id" = Empty,
        "correlation_id" = notes.correlation(invocation.headers()),
        "baggage" = notes.baggage(invocation.headers()),
        "error.type" = Empty,
        "duration_us" = Empty,
    )
}

/// What log lines carry of a call that is not recorded.
pub(super) fn brief(invocation: &Invocation, notes: &Notes) -> Span {
    let trace = &invocation.call.trace;
    info_span!(
        target: "chassis::call",
        "call",
        "operation" = invocation.operation().map(|operation| operation.id.as_str()),
        "trace_id" = %Hex(&trace.trace_id),
        "span_id" = %Hex(&trace.span_id),
        "request_id" = Empty,
        "correlation_id" = notes.correlation(invocation.headers()),
        "baggage" = notes.baggage(invocation.headers()),
    )
}

/// Records how the call ended. Only failures of this service are errors: neither what the caller did wrong nor that
/// it went away is.
pub(super) fn close(invocation: &Invocation, reply: &Reply) {
    let (span, status) = (&invocation.call.span, reply.status());
    if span.is_disabled() && !enabled!(target: "chassis::call", Level::DEBUG) {
        return;
    }
    let duration_us = u64::try_from(invocation.call.elapsed().as_micros()).unwrap_or(u64::MAX);
    if !span.is_disabled() {
        span.record("duration_us", duration_us);
        if !reply.is_cancelled() {
            span.record("http.response.status_code", status.as_u16());
        }
        if status.is_server_error() {
            span.record("error.type", reply.fault().map_or(status.as_str(), |fault| fault.code().as_str()));
            span.record("otel.status_code", "ERROR");
        }
    }
    debug!(
        target: "chassis::call",
        parent: span,
        operation = invocation.operation().map(|operation| operation.id.as_str()),
        status = status.as_u16(),
        duration_us,
        "call ended"
    );
}

/// The name of a span: never the path, which would make every call its own.
pub(super) struct Name<'a> {
    pub(super) method: &'a str,
    pub(super) route: Option<&'a str>,
}

impl std::fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let method = if self.method == OTHER { "HTTP" } else { self.method };
        match self.route {
            Some(route) => write!(f, "{method} {route}"),
            None => f.write_str(method),
        }
    }
}

/// What a method is called.
pub(super) fn known(sent: &Method) -> &'static str {
    METHODS[method(sent)]
}
