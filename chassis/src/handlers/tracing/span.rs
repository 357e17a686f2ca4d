//! What the span of a call says: the names of OpenTelemetry's semantic conventions for HTTP servers.

use std::net::IpAddr;

use http::uri::PathAndQuery;
use http::{Method, Version};
use tracing::field::Empty;
use tracing::{Level, Span, debug, enabled, field, info_span};

use super::notes::Notes;
use crate::invocation::convention::{OTHER, SCHEMES, VERSIONS, name, scheme, version};
use crate::invocation::{CallSpan, CorrelationId, Invocation, Matched};
use crate::reply::Reply;
use crate::trace::{Hex, TraceContext};

/// The span of a call that is recorded; disabled where nobody asks for it.
pub(super) fn open(invocation: &Invocation, link: Option<TraceContext>, notes: &Notes) -> CallSpan {
    if !enabled!(target: "chassis::call", Level::INFO) {
        return CallSpan::none();
    }
    let facts = Facts::of(invocation, link, notes);
    CallSpan::on_demand(move || facts.whole())
}

/// What log lines carry of a call that is not recorded.
pub(super) fn brief(invocation: &Invocation, notes: &Notes) -> CallSpan {
    if !enabled!(target: "chassis::call", Level::INFO) {
        return CallSpan::none();
    }
    let facts = Facts::of(invocation, None, notes);
    CallSpan::on_demand(move || facts.brief())
}

/// What a span says of a call, kept until somebody looks: no text is copied that need not be.
struct Facts {
    matched: Matched,
    method: Method,
    path: Option<PathAndQuery>,
    scheme: &'static str,
    version: Version,
    client: Option<IpAddr>,
    trace: TraceContext,
    link: Option<TraceContext>,
    correlation: Option<CorrelationId>,
    baggage: Option<String>,
}

impl Facts {
    fn of(invocation: &Invocation, link: Option<TraceContext>, notes: &Notes) -> Self {
        let call = &invocation.call;
        Self {
            matched: call.matched(),
            method: invocation.method().clone(),
            path: invocation.uri().path_and_query().cloned(),
            scheme: SCHEMES[scheme(invocation)],
            version: invocation.parts.version,
            client: notes.client(invocation),
            trace: call.trace,
            link,
            correlation: call.locals.get::<CorrelationId>().cloned(),
            baggage: notes.baggage(invocation.headers()),
        }
    }

    fn whole(&self) -> Span {
        let operation = self.matched.operation();
        let (method, trace, link) = (name(&self.method, operation), &self.trace, self.link.as_ref());
        let route = operation.map(|operation| operation.template.as_str());
        info_span!(
            target: "chassis::call",
            "call",
            "otel.name" = named(method, route).concat(),
            "otel.kind" = "server",
            "otel.status_code" = Empty,
            "operation" = operation.map(|operation| operation.id.as_str()),
            "http.request.method" = method,
            "http.request.method_original" = (method == OTHER).then(|| self.method.as_str()),
            "http.route" = route,
            "http.response.status_code" = Empty,
            "url.scheme" = self.scheme,
            "url.path" = self.path.as_ref().map(PathAndQuery::path),
            "network.protocol.version" = VERSIONS[version(self.version)],
            "client.address" = self.client.map(field::display),
            "trace_id" = %Hex(&trace.trace_id),
            "span_id" = %Hex(&trace.span_id),
            "parent_id" = trace.is_continued().then(|| field::display(Hex(&trace.parent_id))),
            "link.trace_id" = link.map(|link| field::display(Hex(&link.trace_id))),
            "link.span_id" = link.map(|link| field::display(Hex(&link.parent_id))),
            "request_id" = Empty,
            "correlation_id" = self.correlation.as_ref().map(|id| &*id.0),
            "baggage" = self.baggage,
            "error.type" = Empty,
            "duration_us" = Empty,
        )
    }

    fn brief(&self) -> Span {
        info_span!(
            target: "chassis::call",
            "call",
            "operation" = self.matched.operation().map(|operation| operation.id.as_str()),
            "trace_id" = %Hex(&self.trace.trace_id),
            "span_id" = %Hex(&self.trace.span_id),
            "request_id" = Empty,
            "correlation_id" = self.correlation.as_ref().map(|id| &*id.0),
            "baggage" = self.baggage,
        )
    }
}

/// Records how the call ended. Only failures of this service are errors: neither what the caller did wrong nor that
/// it went away is.
pub(super) fn close(invocation: &Invocation, reply: &Reply) {
    let is_told = enabled!(target: "chassis::call", Level::DEBUG);
    if is_told || !invocation.call.span.is_disabled() {
        told(invocation, reply, is_told);
    }
}

fn told(invocation: &Invocation, reply: &Reply, is_told: bool) {
    let (call, status) = (&invocation.call, reply.status());
    // Nothing is recorded of a span that nobody looked at; that of a failure will be.
    let span = if is_told || status.is_server_error() { call.span.look() } else { call.span.made() };
    if span.is_none() && !is_told {
        return;
    }
    let duration_us = u64::try_from(call.elapsed().as_micros()).unwrap_or(u64::MAX);
    if let Some(span) = span {
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
        parent: span.and_then(Span::id),
        operation = invocation.operation().map(|operation| operation.id.as_str()),
        status = status.as_u16(),
        duration_us,
        "call ended"
    );
}

/// The name of a span, in parts: never the path, which would make every call its own.
pub(super) fn named<'a>(method: &'a str, route: Option<&'a str>) -> [&'a str; 3] {
    let method = if method == OTHER { "HTTP" } else { method };
    route.map_or([method, "", ""], |route| [method, " ", route])
}
