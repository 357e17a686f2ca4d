//! The span of a call as it is sent elsewhere, put together when the call is over.

use std::time::SystemTime;

use http::header::USER_AGENT;

use super::Cause;
use super::notes::Notes;
use super::span::{Name, known};
use crate::invocation::convention::{OTHER, SCHEMES, scheme, version};
use crate::invocation::{Invocation, RequestId};
use crate::outbox::{Finished, Value, shortened};
use crate::reply::Reply;
use crate::trace::{SAMPLED, TraceContext};

/// A call that is over, and what else its span is made from.
pub(super) struct Seen<'a> {
    pub(super) invocation: &'a Invocation,
    pub(super) reply: &'a Reply,
    pub(super) link: Option<TraceContext>,
    pub(super) notes: &'a Notes,
    pub(super) cause: Cause,
    pub(super) now: SystemTime,
}

/// The longest `tracestate` that is kept, in bytes: what every service must be able to pass on.
const LONGEST_STATE: usize = 512;

type Attributes = Vec<(&'static str, Value)>;

impl Seen<'_> {
    pub(super) fn finished(&self) -> Finished {
        let (call, method) = (&self.invocation.call, known(self.invocation.method()));
        let route = self.invocation.operation().map(|operation| operation.template.as_str());
        let mut attributes = Attributes::with_capacity(16);
        self.note_request(&mut attributes);
        self.note_caller(&mut attributes);
        self.note_reply(&mut attributes);
        let state = call.tracestate(self.invocation.headers());
        Finished {
            // What is recorded late is no less recorded for whoever gets it.
            trace: TraceContext { flags: call.trace.flags | SAMPLED, ..call.trace },
            state: state.filter(|state| state.as_str().len() <= LONGEST_STATE),
            link: self.link,
            name: Name { method, route }.to_string(),
            start: self.now.checked_sub(call.elapsed()).unwrap_or(self.now),
            end: self.now,
            failed: self.reply.status().is_server_error(),
            attributes,
        }
    }

    fn note_request(&self, attributes: &mut Attributes) {
        let (sent, method) = (self.invocation, known(self.invocation.method()));
        attributes.push(("http.request.method", method.to_owned().into()));
        if method == OTHER {
            attributes.push(("http.request.method_original", cut(sent.method().as_str())));
        }
        if let Some(operation) = sent.operation() {
            attributes.push(("http.route", operation.template.clone().into()));
            attributes.push(("chassis.operation", operation.id.clone().into()));
        }
        attributes.push(("url.scheme", SCHEMES[scheme(sent)].into()));
        attributes.push(("url.path", cut(sent.path())));
        attributes.extend(version(sent.parts.version).map(|version| ("network.protocol.version", version.into())));
    }

    fn note_caller(&self, attributes: &mut Attributes) {
        let (call, headers) = (&self.invocation.call, self.invocation.headers());
        let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
        attributes.extend(agent.map(|agent| ("user_agent.original", cut(agent))));
        attributes.extend(call.peer.ip().map(|address| ("client.address", address.to_string().into())));
        let id = call.locals.get::<RequestId>();
        attributes.extend(id.map(|id| ("chassis.request_id", id.to_string().into())));
        let correlation = self.notes.correlation(headers);
        attributes.extend(correlation.map(|id| ("chassis.correlation_id", id.to_owned().into())));
        attributes.extend(self.notes.baggage(headers).map(|text| ("chassis.baggage", text.into())));
    }

    fn note_reply(&self, attributes: &mut Attributes) {
        let (reply, status) = (self.reply, self.reply.status());
        if !reply.is_cancelled() {
            attributes.push(("http.response.status_code", Value::Number(status.as_u16().into())));
        }
        if status.is_server_error() {
            let code = reply.fault().map(|fault| fault.code().as_str());
            attributes.push(("error.type", code.unwrap_or(status.as_str()).to_owned().into()));
        }
        let cause = match self.cause {
            Cause::Sampled => return,
            Cause::Failed => "error",
            Cause::Slow => "slow",
        };
        attributes.push(("chassis.recorded_because", cause.into()));
    }
}

fn cut(text: &str) -> Value {
    shortened(text).to_owned().into()
}
