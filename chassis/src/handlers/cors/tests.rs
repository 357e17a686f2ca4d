//! What browsers are told, call by call.

use http::Request;
use serde_json::{Value, json};

use super::*;
use crate::conf::fixture::built;
use crate::fault::{Code, Fault};
use crate::invocation::fixture;
use crate::metrics::Counter;

const APP: &str = "https://app.example";

fn cors(conf: Value) -> Cors {
    built(conf).unwrap()
}

fn call(method: &str, fields: &[(&str, &str)]) -> Invocation {
    let request = Request::builder().method(method).uri("/");
    let request = fields.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    fixture::call(request.body(Body::empty()).unwrap())
}

fn preflight(cors: &Cors, origin: &str) -> Reply {
    let mut call = call("OPTIONS", &[("origin", origin), ("access-control-request-method", "DELETE")]);
    match cors.before(&mut call) {
        Verdict::Answer(reply) => *reply,
        _ => panic!("the preflight was not answered"),
    }
}

/// The reply to a call of this origin, as it leaves.
fn answered(cors: &Cors, origin: Option<&str>, mut reply: Reply) -> Reply {
    let fields: Vec<_> = origin.iter().map(|origin| ("origin", *origin)).collect();
    let mut call = call("GET", &fields);
    assert!(matches!(cors.before(&mut call), Verdict::Continue));
    cors.after(&call, &mut reply);
    reply
}

/// The fields of CORS and `Vary`, sorted.
fn fields(reply: &Reply) -> Vec<String> {
    let told = |name: &HeaderName| name.as_str().starts_with("access-control-") || *name == VARY;
    let fields = reply.headers().iter().filter(|(name, _)| told(name));
    let mut fields: Vec<_> = fields.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    fields.sort();
    fields
}

#[test]
fn a_preflight_is_answered_with_what_pages_may_do() {
    let cors = cors(json!({ "origins": [APP, "https://b.example"], "credentials": true, "max-age": "1m" }));
    let reply = preflight(&cors, APP);
    assert_eq!(reply.status(), StatusCode::NO_CONTENT);
    let expected = [
        "access-control-allow-credentials: true",
        "access-control-allow-headers: Authorization, Content-Type",
        "access-control-allow-methods: GET, HEAD, POST, PUT, PATCH, DELETE",
        "access-control-allow-origin: https://app.example",
        "access-control-max-age: 60",
        "vary: Origin",
    ];
    assert_eq!(fields(&reply), expected);
}

#[test]
fn an_origin_that_is_not_listed_is_told_nothing_and_caches_are_told_why() {
    let cors = cors(json!({ "origins": [APP] }));
    for origin in
        ["https://evil.example", "http://app.example", "https://app.example.evil", "https://app.exampl", "null"]
    {
        assert_eq!(fields(&preflight(&cors, origin)), ["vary: Origin"], "{origin}");
        assert_eq!(fields(&answered(&cors, Some(origin), Reply::new("ok"))), ["vary: Origin"], "{origin}");
    }
    assert_eq!(fields(&answered(&cors, None, Reply::new("ok"))), ["vary: Origin"]);
}

#[test]
fn nobody_is_listed_unless_said() {
    assert_eq!(fields(&answered(&cors(json!({})), Some(APP), Reply::new("ok"))), ["vary: Origin"]);
}

#[test]
fn pages_can_read_answers_and_refusals_alike() {
    let cors = cors(json!({ "origins": [APP], "expose-headers": ["X-Total", "ETag"] }));
    for reply in [Reply::new("ok"), Reply::from(Fault::new(Code::Unauthenticated, "Who are you?"))] {
        let expected = [
            "access-control-allow-origin: https://app.example",
            "access-control-expose-headers: X-Total, ETag",
            "vary: Origin",
        ];
        assert_eq!(fields(&answered(&cors, Some(APP), reply)), expected);
    }
}

#[test]
fn what_a_reply_depends_on_already_stays() {
    let cors = cors(json!({ "origins": [APP] }));
    let with = |vary: &'static str| answered(&cors, None, Reply::new(([(VARY, vary)], "ok")));
    assert_eq!(fields(&with("Accept-Encoding")), ["vary: Accept-Encoding", "vary: Origin"]);
    assert_eq!(fields(&with("Accept, origin")), ["vary: Accept, origin"]);
    assert_eq!(fields(&with("*")), ["vary: *"]);
}

#[test]
fn a_wildcard_is_the_same_for_everyone() {
    let cors = cors(json!({ "origins": ["*"], "expose-headers": ["ETag"] }));
    for origin in [None, Some(APP), Some("null")] {
        let expected = ["access-control-allow-origin: *", "access-control-expose-headers: ETag"];
        assert_eq!(fields(&answered(&cors, origin, Reply::new("ok"))), expected, "{origin:?}");
    }
    assert_eq!(cors.counts.unlisted.count(), 0);
    assert!(fields(&preflight(&cors, APP)).contains(&"access-control-allow-origin: *".to_owned()));
}

#[test]
fn pages_without_an_origin_may_call_only_if_listed() {
    let cors = cors(json!({ "origins": ["null"] }));
    assert!(fields(&preflight(&cors, "null")).contains(&"access-control-allow-origin: null".to_owned()));
}

#[test]
fn two_origins_are_none() {
    let cors = cors(json!({ "origins": [APP] }));
    let (call, mut reply) = (call("GET", &[("origin", APP), ("origin", APP)]), Reply::new("ok"));
    cors.after(&call, &mut reply);
    assert_eq!(fields(&reply), ["vary: Origin"]);
}

#[test]
fn other_options_calls_go_on() {
    let cors = cors(json!({ "origins": [APP] }));
    for fields in [&[][..], &[("origin", APP)], &[("access-control-request-method", "GET")]] {
        assert!(matches!(cors.before(&mut call("OPTIONS", fields)), Verdict::Continue));
    }
    let asks = [("origin", APP), ("access-control-request-method", "GET")];
    assert!(matches!(cors.before(&mut call("GET", &asks)), Verdict::Continue));
}

#[test]
fn preflights_and_pages_of_origins_that_are_not_listed_are_counted() {
    let cors = cors(json!({ "origins": [APP] }));
    preflight(&cors, APP);
    preflight(&cors, "https://evil.example");
    preflight(&cors, "https://evil.example");
    for origin in [None, Some(APP), Some("https://evil.example")] {
        answered(&cors, origin, Reply::new(()));
    }
    let own = [("origin", "https://this.example"), ("sec-fetch-site", "same-origin")];
    cors.after(&call("POST", &own), &mut Reply::new(()));
    let Counts { preflights, unlisted } = &cors.counts;
    assert_eq!((preflights.each_ref().map(Counter::count), unlisted.count()), ([2, 1], 1));
}
