//! Spans as OTLP writes them.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::span::{Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message;

use super::Sender;
use super::values::{attribute, nanos};
use crate::outbox::Finished;
use crate::trace::TraceContext;

/// The flags that say that a parent, or what a link leads to, is of another process.
const REMOTE: u32 = 0x300;

/// Writes messages of spans.
pub(super) fn message(sender: Sender) -> impl Fn(&[Finished]) -> Vec<u8> + Send + Sync {
    move |spans| {
        let spans = ScopeSpans {
            scope: Some(sender.scope.clone()),
            spans: spans.iter().map(span).collect(),
            ..ScopeSpans::default()
        };
        let spans = ResourceSpans {
            resource: Some(sender.resource.clone()),
            scope_spans: vec![spans],
            ..ResourceSpans::default()
        };
        ExportTraceServiceRequest { resource_spans: vec![spans] }.encode_to_vec()
    }
}

fn span(span: &Finished) -> Span {
    let trace = &span.trace;
    let is_continued = trace.is_continued();
    Span {
        trace_id: trace.trace_id.to_vec(),
        span_id: trace.span_id.to_vec(),
        trace_state: span.state.as_ref().map(|state| state.as_str().to_owned()).unwrap_or_default(),
        parent_span_id: if is_continued { trace.parent_id.to_vec() } else { Vec::new() },
        flags: u32::from(trace.flags) | if is_continued { REMOTE } else { 0 },
        name: span.name.clone(),
        kind: SpanKind::Server.into(),
        start_time_unix_nano: nanos(span.start),
        end_time_unix_nano: nanos(span.end),
        attributes: span.attributes.iter().map(attribute).collect(),
        links: span.link.iter().map(link).collect(),
        status: span.failed.then(|| Status { code: StatusCode::Error.into(), ..Status::default() }),
        ..Span::default()
    }
}

fn link(caller: &TraceContext) -> Link {
    Link {
        trace_id: caller.trace_id.to_vec(),
        span_id: caller.parent_id.to_vec(),
        flags: u32::from(caller.flags) | REMOTE,
        ..Link::default()
    }
}
