//! Proves what is sent elsewhere of a call, and of which calls.

use http::Version;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::{ScopeSpans, Span};
use prost::Message;

use super::*;
use crate::conf::source::InMemory;
use crate::conf::{Process, Warnings, typed};
use crate::invocation::Peer;
use crate::metrics::{Kind, Labels, Spec, Unit};
use crate::outbox::{Sizes, Waiting};
use crate::random::Random;

static DROPPED: Spec = Spec { name: "dropped", help: "", unit: Unit::Count("span"), kind: Kind::Counter };

/// A handler whose spans somebody sends.
fn sending(conf: serde_json::Value) -> (Tracing, Waiting) {
    let process = Process::default();
    let dropped = process.metrics.counter(&DROPPED, Labels::new());
    let queue = process.spans.open(Sizes { queue: 8, batch: 8, front: 0 }, dropped).unwrap();
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

/// The span that waits to be sent.
fn taken(queue: &Waiting) -> Option<Span> {
    let batch = queue.take()?;
    let [span] = ScopeSpans::decode(&*batch.bytes).unwrap().spans.try_into().unwrap();
    Some(span)
}

/// What is sent of a call that took so long and was answered so.
fn sent(conf: serde_json::Value, parent: &str, took: Duration, reply: impl Into<Reply>) -> Option<Span> {
    let (handler, queue) = sending(conf);
    let mut call = begun(&handler, &[parent]);
    call.call.finish_after(took);
    handler.after(&call, &mut reply.into());
    taken(&queue)
}

fn said<'a>(span: &'a Span, name: &str) -> Option<&'a Value> {
    let attribute = span.attributes.iter().find(|attribute| attribute.key == name)?;
    attribute.value.as_ref()?.value.as_ref()
}

fn text(text: &str) -> Value {
    Value::StringValue(text.to_owned())
}

/// Whether the service failed.
fn failed(span: &Span) -> bool {
    span.status.as_ref().is_some_and(|status| status.code == 2)
}

const MOMENT: Duration = Duration::from_millis(3);

#[test]
fn a_sampled_call_is_sent_with_what_the_conventions_ask_for() {
    let span = sent(json!({}), PARENT, MOMENT, Reply::new("ok")).unwrap();
    assert_eq!((span.name.as_str(), span.status.as_ref(), span.links.len()), ("GET /greetings/{name}", None, 0));
    assert_eq!(u128::from(span.end_time_unix_nano - span.start_time_unix_nano), MOMENT.as_nanos());
    assert_eq!(
        (hex(&span.trace_id).as_str(), hex(&span.parent_span_id).as_str()),
        (&PARENT[3..35], "b7ad6b7169203331")
    );
    assert_eq!((span.span_id.len(), span.flags, span.kind), (8, 0x301, 2));
    for (name, value) in [
        ("http.request.method", "GET"),
        ("http.route", "/greetings/{name}"),
        ("chassis.operation", "test.operation"),
        ("url.scheme", "http"),
        ("url.path", "/greetings/ada"),
        ("network.protocol.version", "1.1"),
    ] {
        assert_eq!(said(&span, name), Some(&text(value)), "{name}");
    }
    assert_eq!(said(&span, "http.response.status_code"), Some(&Value::IntValue(200)));
    assert_eq!((said(&span, "error.type"), said(&span, "chassis.recorded_because")), (None, None));
}

#[test]
fn a_span_says_by_which_scheme_and_version_its_call_came() {
    for (scheme, target) in [("http", "/a"), ("https", "https://a.example/a")] {
        for (version, expected) in [
            (Version::HTTP_09, None),
            (Version::HTTP_10, Some("1.0")),
            (Version::HTTP_11, Some("1.1")),
            (Version::HTTP_2, Some("2")),
            (Version::HTTP_3, Some("3")),
        ] {
            let (handler, queue) = sending(json!({}));
            let mut call = call(&[PARENT]);
            (call.parts.uri, call.parts.version) = (target.parse().unwrap(), version);
            assert!(matches!(handler.before(&mut call), Verdict::Continue));
            call.call.finish_after(MOMENT);
            handler.after(&call, &mut Reply::new("ok"));
            let span = taken(&queue).unwrap();
            assert_eq!(said(&span, "url.scheme"), Some(&text(scheme)), "{version:?}");
            assert_eq!(said(&span, "network.protocol.version"), expected.map(text).as_ref(), "{version:?}");
        }
    }
}

#[test]
fn behind_a_proxy_that_is_trusted_a_span_says_where_the_call_comes_from() {
    for (trusted, expected) in [(json!([]), "192.0.2.7"), (json!(["192.0.2.0/24"]), "203.0.113.9")] {
        let (handler, queue) = sending(json!({ "trusted-proxies": trusted }));
        let mut call = call(&[PARENT]);
        call.call.peer = Peer::Ip("192.0.2.7:1".parse().unwrap());
        call.parts.headers.insert("x-forwarded-for", "203.0.113.9".parse().unwrap());
        assert!(matches!(handler.before(&mut call), Verdict::Continue));
        call.call.finish_after(MOMENT);
        handler.after(&call, &mut Reply::new("ok"));
        assert_eq!(said(&taken(&queue).unwrap(), "client.address"), Some(&text(expected)));
    }
}

#[test]
fn a_failure_is_recorded_whatever_was_decided() {
    let failure = || Fault::new(Code::DeadlineExceeded, "").by_no_handler();
    let span = sent(json!({ "ratio": 0.0 }), UNSAMPLED, MOMENT, failure()).unwrap();
    assert!(failed(&span) && span.flags & 1 == 1);
    assert_eq!(said(&span, "chassis.recorded_because"), Some(&text("error")));
    assert_eq!(said(&span, "error.type"), Some(&text("deadline-exceeded")));
    let none = |conf, reply: Reply| sent(conf, UNSAMPLED, MOMENT, reply).is_none();
    assert!(none(json!({ "always": { "errors": false } }), failure().into()));
    assert!(none(json!({}), Fault::new(Code::NotFound, "").into()), "what the caller got wrong is no failure");
    assert!(none(json!({}), Fault::cancelled().into()));
    assert!(none(json!({}), Reply::new("ok")));
    assert!(!none(json!({}), Reply::new(http::StatusCode::BAD_GATEWAY)));
    assert!(!none(json!({}), Fault::internal("it panicked").by("any").into()), "a handler may fail too");
}

#[test]
fn what_callers_bring_about_is_no_failure() {
    let is_recorded = |mut call: Invocation, fault: Fault| {
        let (handler, queue) = sending(json!({ "ratio": 0.0 }));
        assert!(matches!(handler.before(&mut call), Verdict::Continue));
        handler.after(&call, &mut fault.into());
        taken(&queue).is_some()
    };
    let limited = || {
        let mut call = call(&[]);
        call.call.limit_time(call.call.arrived, "deadline");
        call
    };
    let late = || Fault::new(Code::DeadlineExceeded, "");
    let mut hurried = limited();
    hurried.call.locals.set(Hurry);
    assert!(is_recorded(call(&[]), late().by_no_handler()) && is_recorded(limited(), late().by("deadline")));
    assert!(!is_recorded(hurried, late().by("deadline")), "the caller chose the deadline");
    for refusal in [Code::Unavailable, Code::DeadlineExceeded, Code::BadGateway] {
        assert!(!is_recorded(call(&[]), Fault::new(refusal, "").by("overload")), "{refusal:?}");
    }
    let unknown = || fixture::call(fixture::request("BREW", "/greetings/ada"));
    assert!(!is_recorded(unknown(), Fault::new(Code::Unimplemented, "").by_no_handler()));
    assert!(is_recorded(call(&[]), Fault::new(Code::Unimplemented, "").by_no_handler()), "an operation says so");
}

#[test]
fn a_slow_call_is_recorded_whatever_was_decided() {
    let slow = || json!({ "always": { "slow": "3ms" } });
    let span = sent(slow(), UNSAMPLED, MOMENT, Reply::new("ok")).unwrap();
    assert_eq!(said(&span, "chassis.recorded_because"), Some(&text("slow")));
    assert!(!failed(&span));
    assert!(sent(slow(), UNSAMPLED, MOMENT - Duration::from_nanos(1), Reply::new("ok")).is_none());
}

#[test]
fn what_callers_send_is_cut_short() {
    let (handler, queue) = sending(json!({ "baggage": { "record": ["k"] }, "correlation-header": "operationID" }));
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
    let span = taken(&queue).unwrap();
    assert_eq!(said(&span, "chassis.correlation_id"), Some(&text("op-1")));
    assert_eq!(span.trace_state, "rojo=1");
    for name in ["user_agent.original", "chassis.baggage"] {
        let Some(Value::StringValue(text)) = said(&span, name) else { panic!("no {name}") };
        assert_eq!(text.len(), crate::outbox::LONGEST);
    }
}

#[test]
fn a_linked_caller_is_named() {
    let span = sent(json!({ "ratio": 1.0, "remote-parent": "link" }), UNSAMPLED, MOMENT, Reply::new("ok")).unwrap();
    let [link] = span.links.try_into().unwrap();
    assert_eq!((hex(&link.trace_id).as_str(), hex(&link.span_id).as_str()), (&PARENT[3..35], &PARENT[36..52]));
    assert!(span.parent_span_id.is_empty());
}

#[tokio::test]
async fn a_streamed_reply_is_sent_when_its_last_byte_is_out() {
    let (handler, queue) = sending(json!({}));
    let call = begun(&handler, &[PARENT]);
    let parts = futures_util::stream::iter([Ok::<_, std::io::Error>("a"), Ok("b")]);
    let mut reply = Reply::new(axum::body::Body::from_stream(parts));
    handler.after(&call, &mut reply);
    assert!(taken(&queue).is_none());
    let body = reply.into_response(&call).into_body();
    assert_eq!(axum::body::to_bytes(body, 10).await.unwrap(), "ab");
    assert_eq!(taken(&queue).unwrap().name, "GET /greetings/{name}");
}
