//! What the log says about calls that fail, and callers are not told.

use tracing::field::display;

use crate::fault::Fault;
use crate::invocation::{CorrelationId, Invocation, RequestId};

/// Logs the cause of a fault. What is wrong with a call is its caller's business, not the operator's.
///
/// The ids are fields of the line itself, because most calls are not sampled and have no span to carry them.
pub(super) fn report(fault: &Fault, invocation: &Invocation) {
    let Some(cause) = fault.cause() else { return };
    let call = &invocation.call;
    let _entered = call.span.enter();
    let operation = invocation.operation().map_or("", |operation| operation.id.as_str());
    let (code, handler) = (fault.code().as_str(), fault.handler());
    let (trace_id, span_id) = (call.trace.trace_id().map(display), call.trace.span_id().map(display));
    let request_id = call.locals.get::<RequestId>().map(display);
    let correlation_id = call.locals.get::<CorrelationId>().map(|id| &*id.0);
    if fault.status().is_server_error() {
        tracing::error!(
            operation, code, handler, trace_id, span_id, request_id, correlation_id, cause = %cause, "call failed"
        );
    } else {
        tracing::debug!(
            operation, code, handler, trace_id, span_id, request_id, correlation_id, cause = %cause, "call refused"
        );
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use serde_json::{Value, json};

    use super::*;
    use crate::invocation::fixture::{self, Page};
    use crate::trace::TraceContext;

    /// The line about a call that failed.
    fn line(invocation: &Invocation) -> Value {
        let page = Page::default();
        let fault = Fault::internal("the disk is full");
        tracing::subscriber::with_default(page.subscriber(), || report(&fault, invocation));
        serde_json::from_str(&page.text()).unwrap()
    }

    #[test]
    fn a_failure_is_logged_with_the_ids_of_its_call_sampled_or_not() {
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
        let mut call = fixture::call(fixture::request("GET", "/"));
        let plain = line(&call);
        assert_eq!((&plain["message"], &plain["cause"]), (&json!("call failed"), &json!("the disk is full")));
        assert_eq!((plain.get("trace_id"), plain.get("request_id")), (None, None));

        call.parts.headers.insert("traceparent", parent.parse().unwrap());
        call.call.trace = TraceContext::parse(call.headers()).unwrap();
        call.call.trace.span_id = [2; 8];
        call.call.locals.set(RequestId::new(HeaderValue::from_static("r-1")));
        call.call.locals.set(CorrelationId("op-1".into()));
        let line = line(&call);
        assert_eq!(line["trace_id"], "0af7651916cd43dd8448eb211c80319c");
        assert_eq!((&line["request_id"], &line["correlation_id"]), (&json!("r-1"), &json!("op-1")));
        assert_eq!(line["span_id"], "0202020202020202");
    }
}
