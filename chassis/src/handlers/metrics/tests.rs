//! Proves what is measured of a call, by which names, and when.

use std::time::Duration;

use axum::body::Body;
use http::{Request, Response, Version};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::*;
use crate::clock::Clock;
use crate::conf::source::InMemory;
use crate::conf::{Process, Warnings, typed};
use crate::fault::{Code, Fault};
use crate::invocation::{Params, fixture};
use crate::metrics::text::{Format, spell};
use crate::metrics::{Buckets, Labels, Measured};
use crate::operation::Operation;
use crate::trace::{SAMPLED, TraceContext};

struct Bench {
    handler: Metrics,
    kept: Kept,
}

impl Bench {
    fn new(conf: Value) -> Self {
        let (random, files, process) = (Random::seeded(1), InMemory::default(), Process::default());
        let context = BuildContext {
            clock: Clock::system(),
            random: &random,
            scope: None,
            files: &files,
            warnings: &Warnings::default(),
            process: &process,
        };
        let handler = Metrics::build(typed(conf).unwrap(), &context).unwrap();
        Self { handler, kept: process.metrics }
    }

    /// Answers a call after 20 ms.
    fn answer(&self, call: &mut Invocation, reply: impl Into<Reply>) -> Reply {
        assert!(matches!(self.handler.before(call), Verdict::Continue));
        call.call.finish_after(Duration::from_millis(20));
        let mut reply = reply.into();
        self.handler.after(call, &mut reply);
        reply
    }

    fn series(&self, name: &str) -> Vec<(Labels, Measured)> {
        let families = self.kept.families();
        let family = families.into_iter().filter(|family| family.spec.name == name);
        family.flat_map(|family| family.series).map(|series| (series.labels, series.measured)).collect()
    }

    fn durations(&self) -> Vec<(Labels, Buckets)> {
        let buckets = |measured| match measured {
            Measured::Buckets(buckets) => buckets,
            Measured::Number(number) => panic!("{number}"),
        };
        let series = self.series("http.server.request.duration").into_iter();
        series.map(|(labels, measured)| (labels, buckets(measured))).collect()
    }

    fn active(&self) -> f64 {
        let series = self.series("http.server.active_requests").into_iter();
        series.map(|(_, measured)| if let Measured::Number(number) = measured { number } else { 0.0 }).sum()
    }
}

fn matched(method: &str) -> Invocation {
    let request = Request::builder().method(method).uri("/greetings/ada");
    fixture::matched("/greetings/{name}", request.body(Body::empty()).unwrap())
}

/// The labels of the only duration.
fn said(call: &mut Invocation, reply: impl Into<Reply>) -> Vec<(&'static str, String)> {
    let bench = Bench::new(json!({}));
    bench.answer(call, reply);
    let (labels, buckets) = bench.durations().remove(0);
    assert_eq!((buckets.count(), buckets.sum, bench.active()), (1, 20_000_000, 0.0));
    labels.into_iter().map(|(name, value)| (name, value.into_owned())).collect()
}

fn value(labels: &[(&'static str, String)], name: &str) -> Option<String> {
    labels.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
}

#[test]
fn a_call_is_measured_by_its_operation_and_outcome() {
    let labels = said(&mut matched("GET"), Reply::new("ok"));
    let expected = [
        ("http.request.method", "GET"),
        ("http.response.status_code", "200"),
        ("http.route", "/greetings/{name}"),
        ("network.protocol.version", "1.1"),
        ("operation", "test.operation"),
        ("url.scheme", "http"),
    ];
    assert_eq!(labels, expected.map(|(name, value)| (name, value.to_owned())));
}

#[test]
fn the_method_that_an_operation_was_declared_with_is_no_invention() {
    let method = |declared: &'static str, sent: &str| {
        let operation = Operation::new("test", "operation", declared, "/x");
        let mut call = fixture::with_operation(fixture::request(sent, "/x"), operation, Params::default());
        value(&said(&mut call, Reply::new("ok")), "http.request.method")
    };
    assert_eq!(method("PURGE", "PURGE").as_deref(), Some("PURGE"));
    assert_eq!(method("*", "PURGE").as_deref(), Some("_OTHER"));
    assert_eq!(method("*", "POST").as_deref(), Some("POST"));
}

#[test]
fn a_path_never_takes_the_place_of_a_route_and_invented_methods_are_one() {
    let labels = said(&mut fixture::call(fixture::request("BREW", "https://a.example/x")), Reply::new("ok"));
    assert_eq!((value(&labels, "http.route"), value(&labels, "operation")), (None, None));
    assert_eq!(value(&labels, "http.request.method").as_deref(), Some("_OTHER"));
    assert_eq!(value(&labels, "url.scheme").as_deref(), Some("https"));
    let mut odd = fixture::call(fixture::request("get", "invented://a.example/x"));
    odd.parts.version = Version::HTTP_2;
    let labels = said(&mut odd, Reply::new("ok"));
    assert_eq!(value(&labels, "http.request.method").as_deref(), Some("_OTHER"), "methods are case-sensitive");
    assert_eq!(value(&labels, "url.scheme").as_deref(), Some("http"));
    assert_eq!(value(&labels, "network.protocol.version").as_deref(), Some("2"));
}

#[test]
fn only_failures_of_the_service_have_an_error_type() {
    let error = |reply: Reply| {
        let labels = said(&mut matched("GET"), reply);
        (value(&labels, "http.response.status_code"), value(&labels, "error.type"))
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(error(Fault::new(Code::NotFound, "").into()), (text("404"), None));
    assert_eq!(error(Fault::new(Code::DeadlineExceeded, "").into()), (text("504"), text("deadline-exceeded")));
    assert_eq!(error(Reply::new(http::StatusCode::BAD_GATEWAY)), (text("502"), text("502")));
    assert_eq!(error(Fault::cancelled().into()), (None, None), "no status was sent to a caller that was gone");
}

#[test]
fn the_boundaries_are_those_of_the_conventions() {
    let bench = Bench::new(json!({}));
    bench.answer(&mut matched("GET"), Reply::new("ok"));
    let bounds: Vec<_> = bench.durations()[0].1.bounds.iter().map(|bound| *bound as f64 / 1e9).collect();
    assert_eq!(bounds, [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0]);
}

#[test]
fn a_recorded_call_stands_for_its_bucket() {
    let exemplar = |flags| {
        let (bench, mut call) = (Bench::new(json!({})), matched("GET"));
        call.call.trace = TraceContext { trace_id: [1; 16], span_id: [2; 8], flags, ..TraceContext::default() };
        bench.answer(&mut call, Reply::new("ok"));
        spell(&bench.kept.families(), Format::OpenMetrics).contains("# {trace_id=\"0101")
    };
    assert!(exemplar(SAMPLED) && !exemplar(0));
}

#[test]
fn calls_under_way_are_counted_by_method() {
    let (bench, mut call) = (Bench::new(json!({})), matched("GET"));
    let _ = bench.handler.before(&mut call);
    let active = bench.series("http.server.active_requests");
    assert_eq!(active[0].0, labels([("http.request.method", "GET"), ("url.scheme", "http")]));
    assert_eq!(bench.active(), 1.0);
    bench.handler.after(&call, &mut Reply::new("ok"));
    assert_eq!(bench.active(), 0.0);
}

fn streaming() -> Reply {
    let chunks = futures_util::stream::iter(["abc", "de"].map(Ok::<_, std::io::Error>));
    Reply::from(Response::new(Body::from_stream(chunks)))
}

#[tokio::test(start_paused = true)]
async fn a_streamed_reply_is_measured_to_its_last_byte() {
    let (bench, mut call) = (Bench::new(json!({})), matched("GET"));
    let mut body = bench.answer(&mut call, streaming()).into_response(&call).into_body();
    body.frame().await.unwrap().unwrap();
    assert_eq!((bench.durations().len(), bench.active()), (0, 1.0));
    tokio::time::advance(Duration::from_secs(3)).await;
    body.collect().await.unwrap();
    let (labels, took) = bench.durations().remove(0);
    assert_eq!((took.sum, bench.active(), labels.contains_key("error.type")), (3_000_000_000, 0.0, false));
    let Measured::Buckets(size) = bench.series("http.server.response.body.size").remove(0).1 else { panic!() };
    assert_eq!((size.count(), size.sum), (1, 5));
}

#[tokio::test(start_paused = true)]
async fn an_abandoned_one_is_measured_to_the_moment_it_is_dropped() {
    let (bench, mut call) = (Bench::new(json!({})), matched("GET"));
    let body = bench.answer(&mut call, streaming()).into_response(&call).into_body();
    tokio::time::advance(Duration::from_secs(2)).await;
    drop(body);
    let (labels, took) = bench.durations().remove(0);
    assert_eq!((took.sum, bench.active(), labels.contains_key("error.type")), (2_000_000_000, 0.0, false));
}

#[tokio::test]
async fn one_whose_body_fails_is_an_error() {
    let (bench, mut call) = (Bench::new(json!({})), matched("GET"));
    let broken = futures_util::stream::iter([Ok("abc"), Err(std::io::Error::other("gone"))]);
    let reply = Reply::from(Response::new(Body::from_stream(broken)));
    let body = bench.answer(&mut call, reply).into_response(&call).into_body();
    assert!(body.collect().await.is_err());
    let (labels, _) = bench.durations().remove(0);
    assert_eq!((&*labels["http.response.status_code"], &*labels["error.type"]), ("200", "internal"));
}

#[test]
fn sizes_are_measured_where_they_are_known() {
    let sizes = |conf, request: Request<Body>, reply: Reply| {
        let (bench, mut call) = (Bench::new(conf), fixture::call(request));
        bench.answer(&mut call, reply);
        ["http.server.request.body.size", "http.server.response.body.size"].map(|name| {
            let measured = bench.series(name).pop().map(|(_, measured)| measured);
            measured.and_then(|measured| match measured {
                Measured::Buckets(buckets) => (buckets.count() > 0).then_some(buckets.sum),
                Measured::Number(_) => None,
            })
        })
    };
    let post = || Request::post("/").body(Body::from("x".repeat(300))).unwrap();
    assert_eq!(sizes(json!({}), post(), Reply::new("hello")), [Some(300), Some(5)]);
    assert_eq!(sizes(json!({ "body-sizes": false }), post(), Reply::new("hello")), [None, None]);
    assert_eq!(sizes(json!({}), fixture::request("GET", "/"), Reply::new("hello")), [Some(0), Some(5)]);
    assert_eq!(sizes(json!({}), fixture::request("HEAD", "/"), Reply::new("hello")), [Some(0), Some(0)]);
    let unsaid = || Request::post("/").body(streaming().into_response(&matched("POST")).into_body()).unwrap();
    assert_eq!(sizes(json!({}), unsaid(), Fault::new(Code::NotFound, "").into()), [None, None], "not written yet");
    assert_eq!(sizes(json!({}), unsaid(), Reply::new("")), [None, Some(0)]);
}

#[test]
fn a_problem_document_has_a_size_once_it_is_written() {
    let measured = |method: &str, conf| {
        let (bench, mut call) = (Bench::new(conf), matched(method));
        let reply = bench.answer(&mut call, Fault::new(Code::NotFound, "Not there."));
        let document = http_body::Body::size_hint(reply.into_response(&call).body()).exact().unwrap();
        let measured = bench.series("http.server.response.body.size").pop().map(|(_, measured)| measured);
        let of = |measured| if let Measured::Buckets(size) = measured { (size.count(), size.sum) } else { (0, 0) };
        (measured.map(of), document)
    };
    let (size, document) = measured("GET", json!({}));
    assert_eq!(size, Some((1, document)));
    assert_eq!(measured("HEAD", json!({})).0, Some((1, 0)), "none is sent");
    assert_eq!(measured("GET", json!({ "body-sizes": false })).0, None);
}

#[test]
fn handlers_are_timed_on_the_share_of_calls_that_is_asked_for() {
    let share = |share: &str| {
        let bench = Bench::new(json!({ "self-time": share }));
        let timed = |_: &usize| {
            let mut call = matched("GET");
            let _ = bench.handler.before(&mut call);
            call.call.timing.is_some()
        };
        (0..4_000).filter(timed).count()
    };
    assert_eq!((share("0%"), share("100%")), (0, 4_000));
    assert!((900..1_100).contains(&share("25%")));
}
