//! Proves what is sent elsewhere of a call, and of which calls.

use tokio::sync::mpsc::Receiver;

use super::*;
use crate::conf::source::InMemory;
use crate::conf::{Process, Warnings, typed};
use crate::metrics::{Kind, Labels, Spec, Unit};
use crate::outbox::{Finished, Value};
use crate::random::Random;

static DROPPED: Spec = Spec { name: "dropped", help: "", unit: Unit::Count("span"), kind: Kind::Counter };

/// A handler whose spans somebody sends.
fn sending(conf: serde_json::Value) -> (Tracing, Receiver<Finished>) {
    let process = Process::default();
    let queue = process.spans.open(8, process.metrics.counter(&DROPPED, Labels::new())).unwrap();
    let (random, files, warnings) = (Random::seeded(1), InMemory::default(), Warnings::default());
    let context = BuildContext {
        clock: Clock::system(),
        random: &random,
        scope: None,
        files: &files,
        warnings: &warnings,
        process: &process,
    };
    (Tracing::build(typed(conf).unwrap(), &context).unwrap(), queue)
}

/// What is sent of a call that took so long and was answered so.
fn sent(conf: serde_json::Value, parent: &str, took: Duration, reply: impl Into<Reply>) -> Option<Finished> {
    let (handler, mut queue) = sending(conf);
    let mut call = begun(&handler, &[parent]);
    call.call.finish_after(took);
    handler.after(&call, &mut reply.into());
    queue.try_recv().ok()
}

fn said<'a>(span: &'a Finished, name: &str) -> Option<&'a Value> {
    span.attributes.iter().find_map(|(known, value)| (*known == name).then_some(value))
}

const MOMENT: Duration = Duration::from_millis(3);

#[test]
fn a_sampled_call_is_sent_with_what_the_conventions_ask_for() {
    let span = sent(json!({}), PARENT, MOMENT, Reply::new("ok")).unwrap();
    assert_eq!((span.name.as_str(), span.failed, span.link), ("GET /greetings/{name}", false, None));
    assert_eq!(span.end.duration_since(span.start).unwrap(), MOMENT);
    assert_eq!(hex(&span.trace.parent_id), "b7ad6b7169203331");
    for (name, text) in [
        ("http.request.method", "GET"),
        ("http.route", "/greetings/{name}"),
        ("chassis.operation", "test.operation"),
        ("url.scheme", "http"),
        ("url.path", "/greetings/ada"),
        ("network.protocol.version", "1.1"),
    ] {
        assert_eq!(said(&span, name), Some(&Value::from(text.to_owned())), "{name}");
    }
    assert_eq!(said(&span, "http.response.status_code"), Some(&Value::Number(200)));
    assert_eq!((said(&span, "error.type"), said(&span, "chassis.recorded_because")), (None, None));
}

#[test]
fn a_failure_is_recorded_whatever_was_decided() {
    let failure = || Fault::new(Code::DeadlineExceeded, "");
    let span = sent(json!({ "ratio": 0.0 }), UNSAMPLED, MOMENT, failure()).unwrap();
    assert!(span.failed && span.trace.is_sampled());
    assert_eq!(said(&span, "chassis.recorded_because"), Some(&"error".into()));
    assert_eq!(said(&span, "error.type"), Some(&"deadline-exceeded".into()));
    let none = |conf, reply: Reply| sent(conf, UNSAMPLED, MOMENT, reply).is_none();
    assert!(none(json!({ "always": { "errors": false } }), failure().into()));
    assert!(none(json!({}), Fault::new(Code::NotFound, "").into()), "what the caller got wrong is no failure");
    assert!(none(json!({}), Fault::cancelled().into()));
    assert!(none(json!({}), Reply::new("ok")));
}

#[test]
fn a_slow_call_is_recorded_whatever_was_decided() {
    let slow = || json!({ "always": { "slow": "3ms" } });
    let span = sent(slow(), UNSAMPLED, MOMENT, Reply::new("ok")).unwrap();
    assert_eq!(said(&span, "chassis.recorded_because"), Some(&"slow".into()));
    assert!(!span.failed);
    assert!(sent(slow(), UNSAMPLED, MOMENT - Duration::from_nanos(1), Reply::new("ok")).is_none());
}

#[test]
fn what_callers_send_is_cut_short() {
    let (handler, mut queue) = sending(json!({ "baggage": { "record": ["k"] }, "correlation-header": "operationID" }));
    let mut call = call(&[PARENT]);
    let long = "v".repeat(4000);
    for (name, value) in
        [("user-agent", long.clone()), ("baggage", format!("k={long}")), ("operationid", "op-1".into())]
    {
        call.parts.headers.insert(name, value.parse().unwrap());
    }
    call.parts.headers.insert(TRACESTATE, "rojo=1".parse().unwrap());
    let _ = handler.before(&mut call);
    handler.after(&call, &mut Reply::new("ok"));
    let span = queue.try_recv().unwrap();
    assert_eq!(said(&span, "chassis.correlation_id"), Some(&"op-1".into()));
    assert_eq!(span.state.as_ref().map(crate::trace::TraceState::as_str), Some("rojo=1"));
    for name in ["user_agent.original", "chassis.baggage"] {
        let Some(Value::Text(text)) = said(&span, name) else { panic!("no {name}") };
        assert_eq!(text.len(), crate::outbox::LONGEST);
    }
}

#[test]
fn a_linked_caller_is_named() {
    let span = sent(json!({ "ratio": 1.0, "remote-parent": "link" }), UNSAMPLED, MOMENT, Reply::new("ok")).unwrap();
    let link = span.link.unwrap();
    assert_eq!((hex(&link.trace_id).as_str(), hex(&link.parent_id).as_str()), (&PARENT[3..35], &PARENT[36..52]));
    assert!(!span.trace.is_continued());
}

#[tokio::test]
async fn a_streamed_reply_is_sent_when_its_last_byte_is_out() {
    let (handler, mut queue) = sending(json!({}));
    let call = begun(&handler, &[PARENT]);
    let parts = futures_util::stream::iter([Ok::<_, std::io::Error>("a"), Ok("b")]);
    let mut reply = Reply::new(axum::body::Body::from_stream(parts));
    handler.after(&call, &mut reply);
    assert!(queue.try_recv().is_err());
    let body = reply.into_response(&call).into_body();
    assert_eq!(axum::body::to_bytes(body, 10).await.unwrap(), "ab");
    assert_eq!(queue.try_recv().unwrap().name, "GET /greetings/{name}");
}
