//! What is kept of a refusal: never more than a few kilobytes, however much its caller sent.

use serde_json::{Map, Value};

use super::Refusal;
use crate::clock::{Clock, rfc3339};
use crate::fault::{Fault, Violation};
use crate::invocation::{Invocation, RequestId};
use crate::outbox::cut;

/// The longest text that is kept, in bytes.
const LONGEST: usize = 256;
/// Says that a text goes on.
const MARK: &str = "…";
/// How many figures are kept.
const MOST_FIGURES: usize = 8;
/// How many wrong values are kept.
const MOST_VIOLATIONS: usize = 4;

/// The texts of a refusal beside those of its figures and its violations.
const TEXTS: usize = 14;
const TEXT: usize = LONGEST + MARK.len();
/// A map has room for eleven entries from the first on.
const MAP: usize = 12 * (size_of::<String>() + size_of::<Value>());

/// The most memory that a refusal takes. The queue may have room for twice as many as are in it.
pub(super) const MOST_BYTES: usize = 2 * size_of::<Refusal>()
    + (TEXTS + 2 * MOST_FIGURES + 2 * MOST_VIOLATIONS) * TEXT
    + MOST_VIOLATIONS * size_of::<Violation>()
    + MAP;

/// A call that a handler refused.
pub(in super::super) struct Refused<'a> {
    pub(in super::super) fault: &'a Fault,
    pub(in super::super) handler: Option<&'a str>,
    pub(in super::super) invocation: &'a Invocation,
    pub(in super::super) revision: &'a str,
    pub(in super::super) enforced: bool,
}

impl Refused<'_> {
    /// What is kept of it.
    pub(super) fn refusal(&self, id: String, clock: Clock) -> Refusal {
        let Self { fault, handler, invocation, revision, enforced } = self;
        let call = &invocation.call;
        Refusal {
            id,
            at: rfc3339(clock.wall()),
            revision: shortened(revision),
            enforced: *enforced,
            handler: handler.map(shortened),
            policy: fault.policy().or(*handler).map(shortened),
            operation: invocation.operation().map(|operation| shortened(&operation.id)),
            method: shortened(invocation.method().as_str()),
            path: shortened(invocation.path()),
            peer: call.peer.to_string(),
            subject: call.principal.as_ref().map(|principal| shortened(principal.subject())),
            status: fault.status().as_u16(),
            code: fault.code().as_str(),
            detail: shortened(fault.detail()),
            violations: fault.violations().iter().take(MOST_VIOLATIONS).map(violation).collect(),
            remedy: fault.remedy().map(shortened),
            evidence: figures(fault),
            trace_id: call.trace.trace_id().map(|id| id.to_string()),
            request_id: call.locals.get::<RequestId>().map(|id| shortened(id.as_str())),
        }
    }
}

fn figures(fault: &Fault) -> Map<String, Value> {
    fault.evidence().take(MOST_FIGURES).map(|(name, value)| (shortened(name), figure(value))).collect()
}

/// A figure: a list or a map is kept as the text that it is written as.
fn figure(value: &Value) -> Value {
    match value {
        Value::String(text) => shortened(text).into(),
        Value::Array(_) | Value::Object(_) => shortened(&value.to_string()).into(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn violation(violation: &Violation) -> Violation {
    let Violation { place, pointer, detail } = violation;
    Violation { place, pointer: shortened(pointer), detail: shortened(detail) }
}

/// The text, or how it begins: a caller may have chosen how long it is.
fn shortened(text: &str) -> String {
    match cut(text, LONGEST) {
        whole if whole.len() == text.len() => whole.to_owned(),
        beginning => [beginning, MARK].concat(),
    }
}
