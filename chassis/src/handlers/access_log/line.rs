//! One line: what it says, and writing it.

use std::time::Duration;

use http::header::{HeaderName, REFERER, USER_AGENT};
use tracing::{Level, enabled, info};

use super::redacted::shortened;
use super::{AccessLog, Field};
use crate::invocation::{CorrelationId, Invocation, RequestId};
use crate::reply::{Outcome, Reply};

/// Which fields a line has.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Selected(u32);

impl Selected {
    fn has(self, field: Field) -> bool {
        self.0 & (1 << field as u32) != 0
    }
}

impl FromIterator<Field> for Selected {
    fn from_iter<I: IntoIterator<Item = Field>>(fields: I) -> Self {
        Self(fields.into_iter().fold(0, |set, field| set | 1 << field as u32))
    }
}

/// Whether anybody reads the lines.
pub(super) fn is_wanted() -> bool {
    enabled!(target: "chassis::access", Level::INFO)
}

/// What is said of one call, without what is only known when it is over. It owns all of that: the call may be gone by
/// then.
#[derive(Default)]
pub(super) struct Line {
    selected: Selected,
    method: Option<String>,
    path: Option<String>,
    query: Option<String>,
    route: Option<String>,
    operation: Option<String>,
    version: Option<String>,
    status: Option<u16>,
    peer: Option<String>,
    client: Option<String>,
    principal: Option<String>,
    request_id: Option<String>,
    correlation_id: Option<String>,
    trace_id: Option<String>,
    span_id: Option<String>,
    user_agent: Option<String>,
    referer: Option<String>,
    headers: Option<String>,
    refused_by: Option<String>,
    code: Option<&'static str>,
}

impl Line {
    pub(super) fn of(log: &AccessLog, invocation: &Invocation, reply: &Reply) -> Self {
        let has = |field| log.selected.has(field);
        let (call, fault, operation) = (&invocation.call, reply.fault(), invocation.operation());
        let sent = |name: HeaderName| invocation.headers().get(name).map(|value| shortened(value.as_bytes()));
        let client = || log.proxies.client(&call.peer, invocation.headers());
        Self {
            selected: log.selected,
            method: has(Field::Method).then(|| shortened(invocation.method().as_str().as_bytes())),
            path: has(Field::Path).then(|| shortened(invocation.path().as_bytes())),
            query: when(has(Field::Query), || log.shown.query(invocation.uri().query()?)),
            route: when(has(Field::Route), || operation.map(|operation| operation.template.clone())),
            operation: when(has(Field::Operation), || operation.map(|operation| operation.id.clone())),
            version: has(Field::Version).then(|| format!("{:?}", invocation.parts.version)),
            status: has(Field::Status).then(|| reply.status().as_u16()),
            peer: has(Field::Peer).then(|| call.peer.to_string()),
            client: when(has(Field::Client), || client().map(|address| address.to_string())),
            principal: when(has(Field::Principal), || {
                call.principal.as_ref().map(|principal| shortened(principal.subject().as_bytes()))
            }),
            request_id: when(has(Field::RequestId), || call.locals.get::<RequestId>().map(ToString::to_string)),
            correlation_id: when(has(Field::CorrelationId), || {
                call.locals.get::<CorrelationId>().map(|id| id.0.to_string())
            }),
            trace_id: when(has(Field::TraceId), || call.trace.trace_id().map(|id| id.to_string())),
            span_id: when(has(Field::SpanId), || call.trace.span_id().map(|id| id.to_string())),
            user_agent: when(has(Field::UserAgent), || sent(USER_AGENT)),
            referer: when(has(Field::Referer), || sent(REFERER).map(without_query)),
            headers: log.shown.headers(invocation),
            refused_by: when(has(Field::RefusedBy), || fault?.handler().map(str::to_owned)),
            code: when(has(Field::Code), || Some(fault?.code().as_str())),
        }
    }

    /// Writes it. `ended` says that the body did not end well, where it did not.
    pub(super) fn write(&self, took: Duration, bytes: u64, outcome: Option<Outcome>) {
        let has = |field| self.selected.has(field);
        let duration_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let ended = match outcome {
            Some(Outcome::Failed) => Some("failed"),
            Some(Outcome::Abandoned) => Some("abandoned"),
            Some(Outcome::Complete) | None => None,
        };
        info!(
            target: "chassis::access",
            method = self.method.as_deref(),
            path = self.path.as_deref(),
            query = self.query.as_deref(),
            route = self.route.as_deref(),
            operation = self.operation.as_deref(),
            version = self.version.as_deref(),
            status = self.status,
            duration_us = has(Field::Duration).then_some(duration_us),
            bytes = has(Field::Bytes).then_some(bytes),
            peer = self.peer.as_deref(),
            client = self.client.as_deref(),
            principal = self.principal.as_deref(),
            request_id = self.request_id.as_deref(),
            correlation_id = self.correlation_id.as_deref(),
            trace_id = self.trace_id.as_deref(),
            span_id = self.span_id.as_deref(),
            user_agent = self.user_agent.as_deref(),
            referer = self.referer.as_deref(),
            headers = self.headers.as_deref(),
            refused_by = self.refused_by.as_deref(),
            code = self.code,
            ended,
            "call"
        );
    }
}

fn when<T>(selected: bool, value: impl FnOnce() -> Option<T>) -> Option<T> {
    if selected { value() } else { None }
}

fn without_query(mut referer: String) -> String {
    referer.truncate(referer.find(['?', '#']).unwrap_or(referer.len()));
    referer
}
