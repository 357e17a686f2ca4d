//! Proves whose trace a call joins, and what becomes of what else its caller sent.

use super::*;
use crate::invocation::Forwarded;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SINGLE: &str = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331";

fn sent(fields: &[(&str, &str)]) -> Invocation {
    let request =
        fields.iter().fold(Request::get("/greetings/ada"), |request, (name, value)| request.header(*name, *value));
    fixture::matched("/greetings/{name}", request.body(axum::body::Body::empty()).unwrap())
}

fn placed(conf: serde_json::Value, fields: &[(&str, &str)]) -> Invocation {
    let mut call = sent(fields);
    let _ = tracing(conf).before(&mut call);
    call
}

/// Whether the trace of the caller goes on, and whether it is recorded.
fn fate(conf: serde_json::Value, fields: &[(&str, &str)]) -> (bool, bool) {
    let trace = placed(conf, fields).call.trace;
    (hex(&trace.trace_id) == TRACE && hex(&trace.parent_id) == "b7ad6b7169203331", trace.is_sampled())
}

#[test]
fn a_caller_that_speaks_b3_is_continued() {
    for ratio in [0.0, 1.0] {
        let conf = || json!({ "ratio": ratio });
        assert_eq!(fate(conf(), &[("b3", &format!("{SINGLE}-1"))]), (true, true));
        assert_eq!(fate(conf(), &[("b3", &format!("{SINGLE}-0"))]), (true, false));
        assert_eq!(fate(conf(), &[("b3", SINGLE)]), (true, ratio > 0.5), "who does not decide leaves it to the ratio");
        assert_eq!(fate(conf(), &[("b3", "0")]), (false, false), "a decision goes without a trace");
        assert_eq!(fate(conf(), &[("b3", "1")]), (false, true));
        let several = [("X-B3-TraceId", TRACE), ("X-B3-SpanId", "b7ad6b7169203331"), ("X-B3-Sampled", "1")];
        assert_eq!(fate(conf(), &several), (true, true));
    }
    assert_eq!(fate(json!({ "ratio": 0.0, "b3": false }), &[("b3", &format!("{SINGLE}-1"))]), (false, false));
}

#[test]
fn traceparent_wins_over_b3() {
    let b3 = ("b3", "8448eb211c80319c-b7ad6b7169203331-1");
    assert_eq!(fate(json!({}), &[b3, ("traceparent", UNSAMPLED)]), (true, false));
    let malformed = fate(json!({ "ratio": 0.0 }), &[b3, ("traceparent", "nonsense")]);
    assert_eq!(malformed, (false, false), "even where it says nothing that can be read");
}

#[test]
fn the_ratio_decides_about_all_traces_where_callers_do_not() {
    let conf = |ratio: f64| json!({ "sampler": "ratio", "ratio": ratio });
    assert_eq!(fate(conf(0.0), &[("traceparent", PARENT)]), (true, false));
    assert_eq!(fate(conf(1.0), &[("traceparent", UNSAMPLED)]), (true, true));
    // The random part of this id is 0x48eb211c80319c of 2^56: 28 % of the ids are below it.
    let recorded = |ratio| fate(conf(ratio), &[("traceparent", UNSAMPLED)]).1;
    assert_eq!((recorded(0.71), recorded(0.72)), (false, true));
}

#[test]
fn the_flag_of_random_ids_goes_on_with_the_trace() {
    let flags = |end: &str| placed(json!({}), &[("traceparent", &format!("{}{end}", &PARENT[..53]))]).call.trace.flags;
    assert_eq!((flags("02"), flags("03"), flags("01")), (RANDOM, RANDOM | SAMPLED, SAMPLED));
}

#[test]
fn a_caller_that_is_ignored_is_not_even_linked() {
    let conf = json!({ "ratio": 1.0, "remote-parent": "ignore" });
    let span = span(&tracing(conf), &[PARENT], Reply::new("ok")).unwrap();
    assert_ne!(span["trace_id"], TRACE);
    assert!(!span.contains_key("link.trace_id") && !span.contains_key("parent_id"));
}

#[test]
fn baggage_is_there_for_operations_and_goes_on_only_if_it_may() {
    let fields = [("baggage", "tenant=gold;p=1,user=ada"), ("baggage", "debug=1")];
    let call = placed(json!({}), &fields);
    assert_eq!(call.call.baggage(call.headers()).unwrap().get("user").as_deref(), Some("ada"));
    assert_eq!(call.call.locals.get::<Forwarded>(), None);
    let forwarding = || json!({ "baggage": { "forward": ["debug", "tenant"] } });
    let call = placed(forwarding(), &fields);
    let forwarded = call.call.locals.get::<Forwarded>().map(|forwarded| forwarded.0.as_str());
    assert_eq!(forwarded, Some("tenant=gold;p=1,debug=1"));
    assert_eq!(placed(forwarding(), &[("baggage", "user=ada")]).call.locals.get::<Forwarded>(), None);
}

/// What log lines of a call carry.
fn carried(conf: serde_json::Value, fields: &[(&str, &str)]) -> BTreeMap<String, String> {
    let notes = Notes::default();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(notes.clone()), || placed(conf, fields));
    let spans = notes.0.lock().unwrap();
    spans.first().cloned().unwrap_or_default()
}

#[test]
fn what_callers_send_stands_in_log_lines_if_configuration_says_so() {
    let fields = [("traceparent", PARENT), ("operationID", "op-7/a"), ("baggage", "tenant=gold,user=ada")];
    let bare = carried(json!({}), &fields);
    assert!(!bare.contains_key("correlation_id") && !bare.contains_key("baggage"));
    let conf = || json!({ "correlation-header": "operationID", "baggage": { "record": ["tenant"] } });
    let said = carried(conf(), &fields);
    assert_eq!((said["correlation_id"].as_str(), said["baggage"].as_str()), ("op-7/a", "tenant=gold"));
    for odd in ["", "a b", "a\"b", &"a".repeat(129)] {
        let said = carried(conf(), &[("traceparent", PARENT), ("operationID", odd)]);
        assert!(!said.contains_key("correlation_id"), "{odd}");
    }
    let error = built::<Tracing>(json!({ "correlation-header": "a b" })).err().unwrap();
    assert_eq!((error.at.as_str(), error.message.as_str()), ("correlation-header", "`a b` is not a header name"));
}

#[test]
fn log_lines_of_calls_that_are_not_recorded_carry_ids_if_asked_for() {
    let fields = [("traceparent", UNSAMPLED)];
    assert!(carried(json!({}), &fields).is_empty());
    let said = carried(json!({ "log-context": "all" }), &fields);
    assert_eq!((said["trace_id"].as_str(), said["operation"].as_str()), (TRACE, "test.operation"));
    assert_eq!(said["span_id"].len(), 16);
}
