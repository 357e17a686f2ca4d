//! Proves what tracing promises.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Request, Version};
use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use super::*;
use crate::conf::fixture::built;
use crate::fault::{Code, Fault};
use crate::invocation::{Params, Tls, fixture};
use crate::operation::Operation;
use crate::trace::{Hex, RANDOM, SAMPLED, TRACEPARENT, TRACESTATE};

mod callers;
#[cfg(feature = "otlp")]
mod recorded;

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const UNSAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

fn tracing(conf: serde_json::Value) -> Tracing {
    built(conf).unwrap()
}

fn call(parents: &[&str]) -> Invocation {
    let mut request = Request::get("/greetings/ada?secret=1");
    for parent in parents {
        request = request.header(TRACEPARENT, *parent);
    }
    fixture::matched("/greetings/{name}", request.body(axum::body::Body::empty()).unwrap())
}

fn begun(handler: &Tracing, parents: &[&str]) -> Invocation {
    let mut call = call(parents);
    assert!(matches!(handler.before(&mut call), Verdict::Continue));
    call
}

fn hex(bytes: &[u8]) -> String {
    Hex(bytes).to_string()
}

/// Keeps the fields of every span and event, by name.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<BTreeMap<String, String>>>>);

struct Note<'a>(&'a mut BTreeMap<String, String>);

impl Visit for Note<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
}

impl<S: tracing::Subscriber> Layer<S> for Notes {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let mut fields = BTreeMap::new();
        attributes.record(&mut Note(&mut fields));
        self.0.lock().unwrap().push(fields);
    }

    fn on_record(&self, _: &Id, values: &Record<'_>, _: Context<'_, S>) {
        values.record(&mut Note(self.0.lock().unwrap().last_mut().unwrap()));
    }
}

/// The span of a call that `reply` ended, if there was one.
fn span(handler: &Tracing, parents: &[&str], reply: impl Into<Reply>) -> Option<BTreeMap<String, String>> {
    let notes = Notes::default();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(notes.clone()), || {
        let mut call = begun(handler, parents);
        call.call.finish_after(Duration::from_micros(1_500));
        handler.after(&call, &mut reply.into());
    });
    let spans = notes.0.lock().unwrap();
    assert!(spans.len() <= 1);
    spans.first().cloned()
}

#[test]
fn a_call_continues_the_trace_of_its_caller() {
    for (parent, flags) in [(PARENT, SAMPLED), (UNSAMPLED, 0)] {
        let trace = begun(&tracing(json!({ "ratio": 1.0 })), &[parent]).call.trace;
        assert_eq!(hex(&trace.trace_id), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(hex(&trace.parent_id), "b7ad6b7169203331");
        assert_eq!(trace.flags, flags, "the caller decides whether the trace is recorded");
        assert!(trace.span_id != [0; 8] && trace.span_id != trace.parent_id);
    }
}

#[test]
fn without_a_valid_caller_a_trace_starts_here() {
    let handler = tracing(json!({ "ratio": 1.0 }));
    for parents in [&[][..], &["nonsense"], &[PARENT, PARENT]] {
        let trace = begun(&handler, parents).call.trace;
        assert!(trace.is_set() && trace.span_id != [0; 8] && !trace.is_continued());
        assert_eq!(trace.flags, RANDOM | SAMPLED);
    }
    assert_ne!(begun(&handler, &[]).call.trace.trace_id, begun(&handler, &[]).call.trace.trace_id);
}

#[test]
fn the_ratio_decides_about_traces_that_start_here() {
    let share = |ratio: f64| {
        let handler = tracing(json!({ "ratio": ratio }));
        (0..4_000).filter(|_| begun(&handler, &[]).call.trace.is_sampled()).count()
    };
    assert_eq!((share(0.0), share(1.0)), (0, 4_000));
    let quarter = share(0.25);
    assert!((900..1_100).contains(&quarter), "{quarter} of 4000");
    let default = tracing(json!({}));
    let hundredth = (0..10_000).filter(|_| begun(&default, &[]).call.trace.is_sampled()).count();
    assert!((60..140).contains(&hundredth), "{hundredth} of 10000");
}

#[test]
fn services_with_the_same_ratio_decide_alike() {
    let half = Sampler::new(0.5);
    let id = |low: u64| u128::from(low).to_be_bytes();
    // Only the last seven bytes count; those that are larger are taken first.
    assert!(half.takes(id(1 << 55)) && !half.takes(id((1 << 55) - 1)) && !half.takes(id(0xff << 56)));
    assert!(Sampler::new(0.9).takes(id(1 << 55)), "a larger ratio takes all that a smaller one takes");
}

#[test]
fn a_ratio_is_a_share() {
    assert!(built::<Tracing>(json!({ "ratio": 1.5 })).is_err());
    assert!(built::<Tracing>(json!({ "ratio": -0.1 })).is_err());
    assert!(built::<Tracing>(json!({ "ratios": 0.1 })).is_err());
}

#[test]
fn a_sampled_call_has_a_span_and_others_have_none() {
    let handler = tracing(json!({ "ratio": 0.0 }));
    assert_eq!(span(&handler, &[], Reply::new("ok")), None);
    assert_eq!(span(&handler, &[UNSAMPLED], Reply::new("ok")), None);
    let span = span(&handler, &[PARENT], Reply::new("ok")).unwrap();
    let said = |name: &str| span.get(name).map(String::as_str);
    assert_eq!(said("otel.name"), Some("GET /greetings/{name}"));
    assert_eq!(said("otel.kind"), Some("server"));
    assert_eq!(said("operation"), Some("test.operation"));
    assert_eq!(said("http.request.method"), Some("GET"));
    assert_eq!(said("http.request.method_original"), None);
    assert_eq!(said("http.route"), Some("/greetings/{name}"));
    assert_eq!((said("url.scheme"), said("network.protocol.version")), (Some("http"), Some("1.1")));
    assert_eq!(said("url.path"), Some("/greetings/ada"), "without the query, which may hold secrets");
    assert_eq!(said("trace_id"), Some("0af7651916cd43dd8448eb211c80319c"));
    assert_eq!(said("parent_id"), Some("b7ad6b7169203331"));
    assert_eq!(said("http.response.status_code"), Some("200"));
    assert_eq!(said("duration_us"), Some("1500"));
    assert_eq!((said("error.type"), said("otel.status_code"), said("link.trace_id")), (None, None, None));
}

#[test]
fn nobody_listening_means_no_span() {
    let deaf = tracing_subscriber::registry().with(LevelFilter::WARN);
    tracing::subscriber::with_default(deaf, || {
        let call = begun(&tracing(json!({ "ratio": 1.0 })), &[PARENT]);
        assert!(call.call.trace.is_sampled() && call.call.span.is_disabled());
    });
}

#[test]
fn only_failures_of_the_service_are_errors() {
    let handler = tracing(json!({}));
    let said = |reply: Reply| {
        let span = span(&handler, &[PARENT], reply).unwrap();
        ["http.response.status_code", "error.type", "otel.status_code"]
            .map(|name| span.get(name).cloned().unwrap_or_default())
    };
    assert_eq!(said(Fault::new(Code::NotFound, "").into()), ["404", "", ""]);
    assert_eq!(said(Fault::cancelled().into()), ["", "", ""]);
    assert_eq!(said(Fault::new(Code::DeadlineExceeded, "").into()), ["504", "deadline-exceeded", "ERROR"]);
    assert_eq!(said(Reply::new(http::StatusCode::BAD_GATEWAY)), ["502", "502", "ERROR"]);
}

#[test]
fn what_matched_nothing_is_named_by_its_method_and_inventions_are_not() {
    let name = |method: &str| {
        let notes = Notes::default();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(notes.clone()), || {
            let mut call = fixture::call(fixture::request(method, "/nothing"));
            let _ = tracing(json!({ "ratio": 1.0 })).before(&mut call);
        });
        let spans = notes.0.lock().unwrap();
        assert!(!spans[0].contains_key("http.route"));
        ["otel.name", "http.request.method", "http.request.method_original"]
            .map(|name| spans[0].get(name).cloned().unwrap_or_default())
    };
    assert_eq!(name("GET"), ["GET", "GET", ""]);
    assert_eq!(name("BREW"), ["HTTP", "_OTHER", "BREW"]);
}

#[test]
fn the_method_that_an_operation_was_declared_with_names_its_spans() {
    let notes = Notes::default();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(notes.clone()), || {
        let operation = Operation::new("cache", "purge", "PURGE", "/x");
        let mut call = fixture::with_operation(fixture::request("PURGE", "/x"), operation, Params::default());
        let _ = tracing(json!({ "ratio": 1.0 })).before(&mut call);
    });
    let spans = notes.0.lock().unwrap();
    assert_eq!((spans[0]["otel.name"].as_str(), spans[0]["http.request.method"].as_str()), ("PURGE /x", "PURGE"));
    assert!(!spans[0].contains_key("http.request.method_original"));
}

#[test]
fn a_span_says_by_which_protocol_its_call_came() {
    let said_over = |tls: Option<Tls>, version, target: &str| {
        let notes = Notes::default();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(notes.clone()), || {
            let mut call = fixture::call(fixture::request("GET", target));
            call.parts.version = version;
            call.call.tls = tls.map(Into::into);
            let _ = tracing(json!({ "ratio": 1.0 })).before(&mut call);
        });
        let spans = notes.0.lock().unwrap();
        ["url.scheme", "network.protocol.version"].map(|name| spans[0].get(name).cloned().unwrap_or_default())
    };
    let said = |version, target| said_over(None, version, target);
    assert_eq!(said_over(Some(Tls::default()), Version::HTTP_11, "/"), ["https", "1.1"]);
    assert_eq!(said(Version::HTTP_10, "/"), ["http", "1.0"]);
    assert_eq!(said(Version::HTTP_11, "http://a.example/"), ["http", "1.1"]);
    assert_eq!(said(Version::HTTP_2, "https://a.example/"), ["https", "2"]);
    assert_eq!(said(Version::HTTP_2, "invented://a.example/"), ["http", "2"]);
}

#[test]
fn what_tracing_systems_add_is_passed_on_in_their_own_trace_only() {
    let state = |conf, parents: &[&str]| {
        let mut call = call(parents);
        call.parts.headers.append(TRACESTATE, "rojo=1,congo=2".parse().unwrap());
        let alone = call.call.tracestate(call.headers());
        assert_eq!(alone, None, "no handler took part in the trace");
        let _ = tracing(conf).before(&mut call);
        call.call.tracestate(call.headers()).map(|state| state.as_str().to_owned())
    };
    assert_eq!(state(json!({}), &[PARENT]).as_deref(), Some("rojo=1,congo=2"));
    assert_eq!(state(json!({}), &[UNSAMPLED]).as_deref(), Some("rojo=1,congo=2"));
    assert_eq!(state(json!({ "remote-parent": "link" }), &[PARENT]), None);
    assert_eq!(state(json!({}), &[]), None);
    assert_eq!(state(json!({}), &["00-0-0-01"]), None);
    assert_eq!(state(json!({}), &[PARENT, PARENT]), None);
}

#[test]
fn a_caller_from_outside_is_linked() {
    let handler = tracing(json!({ "ratio": 1.0, "remote-parent": "link" }));
    let span = span(&handler, &[UNSAMPLED], Reply::new("ok")).unwrap();
    assert_ne!(span["trace_id"], "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(span["link.trace_id"], "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(span["link.span_id"], "b7ad6b7169203331");
    assert!(!span.contains_key("parent_id"));
    let never = tracing(json!({ "ratio": 0.0, "remote-parent": "link" }));
    assert!(!begun(&never, &[PARENT]).call.trace.is_sampled(), "who is outside does not decide what is recorded");
}

#[test]
fn the_caller_is_told_the_trace_if_so_configured() {
    let told = |conf| {
        let handler = tracing(conf);
        let call = begun(&handler, &[PARENT]);
        let mut reply = Reply::new("ok");
        handler.after(&call, &mut reply);
        let header = reply.headers().get("traceresponse").map(|value| value.to_str().unwrap().to_owned());
        (header, hex(&call.call.trace.span_id))
    };
    assert_eq!(told(json!({})).0, None);
    let (header, span_id) = told(json!({ "response-header": "traceresponse" }));
    assert_eq!(header, Some(format!("00-0af7651916cd43dd8448eb211c80319c-{span_id}-01")));
}
