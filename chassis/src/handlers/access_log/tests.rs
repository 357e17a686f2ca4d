//! Proves what a line says, of which calls there is one, and when.

use std::time::Duration;

use axum::body::Body;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::*;
use crate::conf::fixture::built;
use crate::fault::{Code, Fault};
use crate::invocation::fixture::{self, Page};
use crate::invocation::{CorrelationId, Peer, RequestId};
use crate::principal::{Identity, Principal};

/// The lines that were written.
fn written(page: &Page) -> Vec<Value> {
    page.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn log(conf: Value) -> AccessLog {
    built(conf).unwrap()
}

fn call(request: Request<Body>) -> Invocation {
    fixture::matched("/greetings/{name}", request)
}

fn get() -> http::request::Builder {
    Request::get("/greetings/ada?token=secret&bare")
}

fn plain() -> Invocation {
    call(get().body(Body::empty()).unwrap())
}

/// The lines about a call that `reply` answers after 1.5 ms.
fn lines(log: &AccessLog, mut call: Invocation, reply: impl Into<Reply>) -> Vec<Value> {
    let page = Page::default();
    tracing::subscriber::with_default(page.subscriber(), || {
        assert!(matches!(log.before(&mut call), Verdict::Continue));
        call.call.finish_after(Duration::from_micros(1_500));
        let mut reply = reply.into();
        log.after(&call, &mut reply);
        drop(reply.into_response(&call));
    });
    written(&page)
}

fn line(conf: Value, call: Invocation, reply: impl Into<Reply>) -> Value {
    let mut lines = lines(&log(conf), call, reply);
    assert_eq!(lines.len(), 1, "one line a call");
    lines.remove(0)
}

#[test]
fn a_line_says_what_the_call_was_and_how_it_ended() {
    let mut call = plain();
    call.call.principal = Some(Principal::new(Identity { subject: "ada".to_owned(), ..Identity::default() }));
    call.call.locals.set(RequestId::new(HeaderValue::from_static("r-1")));
    call.call.locals.set(CorrelationId("op-1".into()));
    (call.call.trace.trace_id, call.call.trace.span_id) = ([1; 16], [2; 8]);
    call.call.peer = Peer::Ip("192.0.2.7:1".parse().unwrap());
    call.parts.headers.insert("user-agent", HeaderValue::from_static("curl/8"));
    let line = line(json!({}), call, Reply::new("hello"));
    for (name, value) in [
        ("target", json!("chassis::access")),
        ("method", json!("GET")),
        ("path", json!("/greetings/ada")),
        ("operation", json!("test.operation")),
        ("status", json!(200)),
        ("duration_us", json!(1_500)),
        ("bytes", json!(5)),
        ("client", json!("192.0.2.7")),
        ("principal", json!("ada")),
        ("request_id", json!("r-1")),
        ("correlation_id", json!("op-1")),
        ("trace_id", json!("01010101010101010101010101010101")),
        ("span_id", json!("0202020202020202")),
        ("user_agent", json!("curl/8")),
    ] {
        assert_eq!(line[name], value, "{name}");
    }
    for absent in ["query", "route", "peer", "refused_by", "code", "ended", "headers"] {
        assert!(line.get(absent).is_none(), "{absent}: {line}");
    }
}

#[test]
fn a_line_has_the_fields_that_are_listed_and_no_others() {
    let line = line(json!({ "fields": ["route", "version", "peer"] }), plain(), Reply::new("hello"));
    assert_eq!((&line["route"], &line["version"]), (&json!("/greetings/{name}"), &json!("HTTP/1.1")));
    assert_eq!(line["peer"], "local");
    assert!(line.get("path").is_none() && line.get("bytes").is_none() && line.get("duration_us").is_none(), "{line}");
}

#[test]
fn what_may_be_a_secret_is_not_written() {
    let request = get().header("authorization", "Bearer x").header("x-tenant", "blue");
    let request = request.header("referer", "https://a.example/page?token=secret").body(Body::empty()).unwrap();
    let conf = json!({ "fields": ["query", "referer"], "headers": ["Authorization", "x-tenant", "absent"] });
    let line = line(conf, call(request), Reply::new("hello"));
    assert_eq!(line["query"], "token=…&…");
    assert_eq!(line["referer"], "https://a.example/page");
    assert_eq!(line["headers"], "authorization: …; x-tenant: blue");
}

#[test]
fn what_is_asked_for_is_written() {
    let conf = json!({ "fields": ["query"], "query": "full", "headers": ["cookie"], "redact": [] });
    let request = get().header("cookie", "a=1").body(Body::empty()).unwrap();
    let line = line(conf, call(request), Reply::new("hello"));
    assert_eq!((&line["query"], &line["headers"]), (&json!("token=secret&bare"), &json!("cookie: a=1")));
}

#[test]
fn a_host_is_written_that_stands_in_the_target() {
    let request = Request::get("https://a.example/").body(Body::empty()).unwrap();
    let line = line(json!({ "headers": ["host"] }), call(request), Reply::new("hello"));
    assert_eq!(line["headers"], "host: a.example");
}

#[test]
fn a_secret_parameter_is_not_written_however_its_name_is_spelled() {
    let written = |query: &str| {
        let request = Request::get(format!("/a?{query}")).body(Body::empty()).unwrap();
        let conf =
            json!({ "fields": ["query"], "query": "full", "redact": ["key", "access_token", "filter[key]", "a b"] });
        line(conf, call(request), Reply::new("hello"))["query"].as_str().map(str::to_owned)
    };
    assert_eq!(written("a=1&key=secret&b").as_deref(), Some("a=1&key=…&b"));
    assert_eq!(written("KEY=secret").as_deref(), Some("KEY=…"));
    assert_eq!(written("%6bey=secret&access%5Ftoken=secret").as_deref(), Some("%6bey=…&access%5Ftoken=…"));
    assert_eq!(written("keys=1&a=key").as_deref(), Some("keys=1&a=key"));
    assert_eq!(written("filter[key]=secret&a+b=secret&%zz=1").as_deref(), Some("filter[key]=…&a+b=…&%zz=1"));
    assert_eq!(written("key&a&&b=2&").as_deref(), Some("key&a&&b=2&"), "what is not hidden is as it was sent");
    let long = format!("a={}&key=secret", "x".repeat(504));
    assert_eq!(written(&long), Some(format!("{}…", &long[..512].replace("key=s", "key=…"))));
}

#[test]
fn usual_names_of_secret_parameters_are_not_written() {
    let request = Request::get("/a?access_token=secret&API_KEY=secret").body(Body::empty()).unwrap();
    let line = line(json!({ "fields": ["query"], "query": "full" }), call(request), Reply::new("hello"));
    assert_eq!(line["query"], "access_token=…&API_KEY=…");
}

#[test]
fn what_callers_choose_is_cut_short() {
    let request = get().header("user-agent", "x".repeat(5_000)).body(Body::empty()).unwrap();
    let line = line(json!({}), call(request), Reply::new("hello"));
    assert_eq!(line["user_agent"].as_str().map(|agent| agent.chars().count()), Some(513));
}

#[test]
fn the_client_is_whom_trusted_proxies_name() {
    let client = |conf| {
        let mut call = call(get().header("x-forwarded-for", "198.51.100.1").body(Body::empty()).unwrap());
        call.call.peer = Peer::Ip("10.0.0.1:1".parse().unwrap());
        line(conf, call, Reply::new("hello"))["client"].clone()
    };
    assert_eq!(client(json!({})), "10.0.0.1");
    assert_eq!(client(json!({ "trusted-proxies": ["10.0.0.0/8"] })), "198.51.100.1");
}

#[test]
fn a_refusal_says_by_whom() {
    let reply = Reply::from(Fault::new(Code::TooManyRequests, "Slowly.")).by("rate-limit");
    let line = line(json!({}), plain(), reply);
    assert_eq!((&line["status"], &line["refused_by"]), (&json!(429), &json!("rate-limit")));
    assert_eq!(line["code"], "too-many-requests");
}

#[test]
fn calls_are_sampled_by_the_class_of_their_status() {
    let log = log(json!({ "sample": { "2xx": "0%", "3xx": "25%" } }));
    let written = |status: u16| {
        let status = StatusCode::from_u16(status).unwrap();
        (0..400).filter(|_| !lines(&log, plain(), Reply::new(status)).is_empty()).count()
    };
    assert_eq!((written(200), written(404), written(500)), (0, 400, 400));
    let quarter = written(302);
    assert!((60..140).contains(&quarter), "{quarter} of 400");
}

#[tokio::test(start_paused = true)]
async fn a_streamed_reply_has_its_line_when_its_last_byte_is_sent() {
    let page = Page::default();
    let _subscribed = tracing::subscriber::set_default(page.subscriber());
    for (whole, bytes, ended) in [(true, 5, Value::Null), (false, 3, json!("abandoned"))] {
        let call = plain();
        let chunks = futures_util::stream::iter(["abc", "de"].map(Ok::<_, std::io::Error>));
        let mut reply = Reply::from(Response::new(Body::from_stream(chunks)));
        log(json!({})).after(&call, &mut reply);
        let mut body = reply.into_response(&call).into_body();
        body.frame().await.unwrap().unwrap();
        tokio::time::advance(Duration::from_millis(3)).await;
        if whole {
            drop(body.collect().await.unwrap());
        } else {
            drop(body);
        }
        let line = written(&page).pop().unwrap();
        assert_eq!((&line["bytes"], &line["duration_us"]), (&json!(bytes), &json!(3_000)));
        assert_eq!(line["ended"], ended);
    }
    assert_eq!(written(&page).len(), 2);
}

#[test]
fn nothing_is_made_where_nobody_reads() {
    let deaf = tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).finish();
    tracing::subscriber::with_default(deaf, || assert!(!line::is_wanted()));
}

#[test]
fn a_name_that_no_header_field_has_is_refused_with_its_place() {
    let error = built::<AccessLog>(json!({ "headers": ["x-tenant", "x tenant"] })).err().unwrap();
    assert_eq!((error.at.as_str(), error.message.as_str()), ("headers[1]", "`x tenant` is not a header name"));
    assert!(built::<AccessLog>(json!({ "fields": ["paths"] })).is_err());
}
