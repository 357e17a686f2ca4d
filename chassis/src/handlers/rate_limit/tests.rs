//! The handler as a chain sees it.

use std::net::SocketAddr;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use axum::body::Body;
use http::{HeaderMap, Request};
use serde_json::{Value, json};

use super::*;
use crate::clock::Clock;
use crate::conf::fixture::built;
use crate::conf::source::InMemory;
use crate::conf::{Process, Warnings};
use crate::fault::{Code, Fault};
use crate::invocation::{Params, Peer, fixture};
use crate::operation::Operation;
use crate::principal::{Identity, Principal};
use crate::random::Random;

mod cases;
mod several;
mod terms;

fn limiter(conf: Value) -> RateLimit {
    built(conf).unwrap()
}

fn call() -> Invocation {
    fixture::call(fixture::request("GET", "/"))
}

fn from(address: &str) -> Invocation {
    let mut call = call();
    call.call.peer = Peer::Ip(address.parse::<SocketAddr>().unwrap());
    call
}

fn with(name: &'static str, value: &'static str) -> Invocation {
    fixture::call(Request::builder().header(name, value).body(Body::empty()).unwrap())
}

fn known(subject: &str) -> Invocation {
    let mut call = call();
    call.call.principal = Some(Principal::new(Identity { subject: subject.to_owned(), ..Identity::default() }));
    call
}

/// Whether each call passes, in turn.
fn passes(limiter: &RateLimit, calls: impl IntoIterator<Item = Invocation>) -> Vec<bool> {
    calls.into_iter().map(|mut call| matches!(limiter.before(&mut call), Verdict::Continue)).collect()
}

fn refusal(limiter: &RateLimit, mut call: Invocation) -> Fault {
    match limiter.before(&mut call) {
        Verdict::Refuse(fault) => fault,
        _ => panic!("the call was not refused"),
    }
}

/// How often the policies of these names refused.
fn refused<const N: usize>(limiter: &RateLimit, policies: [&str; N]) -> [u64; N] {
    policies.map(|name| limiter.limits.iter().find(|limit| limit.name == name).unwrap().refused.count())
}

fn field(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| value.to_str().unwrap().to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_burst_passes_and_more_comes_with_time() {
    let limiter = limiter(json!({ "rate": "10/s", "burst": 2 }));
    assert_eq!(passes(&limiter, [call(), call(), call()]), [true, true, false]);
    tokio::time::advance(Duration::from_millis(100)).await;
    assert_eq!(passes(&limiter, [call(), call()]), [true, false]);
    assert_eq!(refused(&limiter, ["default"]), [2]);
}

#[test]
fn without_a_rate_every_call_passes() {
    let limiter = limiter(json!({}));
    assert!(passes(&limiter, (0..10_000).map(|_| call())).into_iter().all(|passed| passed));
    assert_eq!((limiter.peek(&call()), limiter.memory_bound()), (vec![], 0));
}

#[test]
fn a_rate_of_zero_refuses_every_call() {
    for key in ["peer", "global"] {
        assert_eq!(passes(&limiter(json!({ "rate": "0/s", "key": key })), [call(), call()]), [false, false]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rate_without_a_burst_is_no_outage() {
    let limiter = limiter(json!({ "rate": "10/s" }));
    assert_eq!(passes(&limiter, (0..11).map(|_| call())).into_iter().filter(|passed| *passed).count(), 10);
}

#[tokio::test(start_paused = true)]
async fn callers_are_counted_one_by_one() {
    let limiter = limiter(json!({ "rate": "1/s" }));
    let calls =
        ["192.0.2.1:1", "192.0.2.1:2", "192.0.2.2:1", "[2001:db8::1]:1", "[2001:db8::2]:1", "[2001:db8:0:1::1]:1"];
    assert_eq!(passes(&limiter, calls.map(from)), [true, false, true, true, false, true]);
}

#[tokio::test(start_paused = true)]
async fn behind_a_trusted_proxy_its_callers_are_counted() {
    let limiter = limiter(json!({ "rate": "1/s", "trusted-proxies": ["10.0.0.0/8"] }));
    let through = |proxy: &str, client: &'static str| {
        let mut call = with("x-forwarded-for", client);
        call.call.peer = Peer::Ip(proxy.parse::<SocketAddr>().unwrap());
        call
    };
    let calls = [
        through("10.0.0.1:1", "192.0.2.1"),
        through("10.0.0.2:1", "192.0.2.1"),
        through("10.0.0.1:1", "192.0.2.2"),
        through("198.51.100.1:1", "192.0.2.3"),
        through("198.51.100.1:1", "192.0.2.4"),
    ];
    assert_eq!(passes(&limiter, calls), [true, false, true, true, false]);
}

#[tokio::test(start_paused = true)]
async fn unknown_callers_are_counted_by_address() {
    let limiter = limiter(json!({ "rate": "1/s", "key": "principal" }));
    assert_eq!(passes(&limiter, [known("ada"), known("ada"), known("bob")]), [true, false, true]);
    assert_eq!(passes(&limiter, [call(), call(), from("192.0.2.1:1")]), [true, false, true]);
}

#[tokio::test(start_paused = true)]
async fn a_header_field_and_an_operation_can_be_counted_by() {
    let tenants = limiter(json!({ "rate": "1/s", "key": "header:X-Tenant" }));
    let calls = [with("x-tenant", "a"), with("x-tenant", "a"), with("x-tenant", "b"), call(), call()];
    assert_eq!(passes(&tenants, calls), [true, false, true, true, false]);
    let added = |value: &'static str| {
        let mut call = with("x-tenant", value);
        call.parts.headers.append("x-tenant", HeaderValue::from_static("c"));
        call
    };
    assert_eq!(passes(&tenants, ["d", "e"].map(added)), [true, false], "a proxy adds behind what callers send");
    let hosts = limiter(json!({ "rate": "1/s", "key": "header:host" }));
    let targeted = || fixture::call(fixture::request("GET", "https://a.example/"));
    assert_eq!(passes(&hosts, [with("host", "a.example"), targeted()]), [true, false], "HTTP/2 says it in the target");
    let operations = limiter(json!({ "rate": "1/s", "key": "operation" }));
    let of = |name| {
        let operation = Operation::new("test", name, "GET", "/");
        fixture::with_operation(fixture::request("GET", "/"), operation, Params::default())
    };
    assert_eq!(passes(&operations, [of("a"), of("a"), of("b"), call()]), [true, false, true, true]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_says_what_was_exceeded_and_when_to_come_back() {
    let limiter = limiter(json!({ "rate": "2/m", "policy": "visitors", "retry-jitter": "0s" }));
    passes(&limiter, [call(), call()]);
    tokio::time::advance(Duration::from_millis(500)).await;
    let fault = refusal(&limiter, call());
    assert_eq!((fault.code(), fault.retry_after()), (Code::TooManyRequests, Some(Duration::from_millis(29_500))));
    let headers = fault.headers();
    assert_eq!(field(&headers, "retry-after").as_deref(), Some("30"));
    assert_eq!(field(&headers, "ratelimit-policy").as_deref(), Some(r#""visitors";q=2;w=60"#));
    assert_eq!(field(&headers, "ratelimit").as_deref(), Some(r#""visitors";r=0;t=30"#));
    let problem = serde_json::to_value(fault.problem(None, None)).unwrap();
    assert_eq!(problem["type"], "https://iana.org/assignments/http-problem-types#quota-exceeded");
    assert_eq!(problem["violated-policies"], json!(["visitors"]));
}

#[test]
fn a_rate_of_zero_promises_no_time() {
    let fault = refusal(&limiter(json!({ "rate": "0/s" })), call());
    let headers = fault.headers();
    assert_eq!((fault.code(), field(&headers, "retry-after")), (Code::TooManyRequests, None));
    assert_eq!(field(&headers, "ratelimit").as_deref(), Some(r#""default";r=0"#));
    assert_eq!(field(&headers, "ratelimit-policy").as_deref(), Some(r#""default";q=0;w=1"#));
    let problem = serde_json::to_value(fault.problem(None, None)).unwrap();
    assert_eq!(problem["detail"], "The quota is zero: no call passes, however long it waits.");
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_spread_and_never_before_the_reset() {
    let limiter = limiter(json!({ "rate": "1/s", "retry-jitter": "10s" }));
    passes(&limiter, [call()]);
    let waits: Vec<_> = (0..100).filter_map(|_| refusal(&limiter, call()).retry_after()).collect();
    assert!(waits.iter().all(|wait| (Duration::from_secs(1)..Duration::from_secs(11)).contains(wait)));
    assert!(waits.iter().max() > waits.iter().min().map(|least| *least * 2).as_ref());
}

#[tokio::test(start_paused = true)]
async fn fields_are_on_every_reply_only_where_asked_for() {
    let quiet = limiter(json!({ "rate": "5/s" }));
    let (mut invocation, mut reply) = (call(), Reply::new("ok"));
    passes(&quiet, []);
    assert!(matches!(quiet.before(&mut invocation), Verdict::Continue));
    quiet.after(&invocation, &mut reply);
    assert_eq!(reply.headers().get("ratelimit"), None);

    let always = limiter(json!({ "rate": "5/s", "fields": "always" }));
    assert!(matches!(always.before(&mut invocation), Verdict::Continue));
    always.after(&invocation, &mut reply);
    assert_eq!(field(reply.headers(), "ratelimit").as_deref(), Some(r#""default";r=4;t=1"#));
    assert_eq!(field(reply.headers(), "ratelimit-policy").as_deref(), Some(r#""default";q=5;w=1"#));
    let mut redirection = Reply::new(axum::response::Redirect::to("/"));
    always.after(&invocation, &mut redirection);
    assert_eq!(redirection.headers().get("ratelimit"), None);

    let never = limiter(json!({ "rate": "0/s", "fields": "never" }));
    assert_eq!(field(&refusal(&never, call()).headers(), "ratelimit"), None);
}

fn figures(limiter: &RateLimit) -> Vec<(&str, bool, u64)> {
    limiter.peek(&call()).into_iter().map(|(name, figures)| (name, figures.allowed, figures.remaining)).collect()
}

#[tokio::test(start_paused = true)]
async fn peeking_counts_nothing() {
    let limiter = limiter(json!({ "rate": "2/s" }));
    for _ in 0..3 {
        assert_eq!(figures(&limiter), [("default", true, 1)]);
    }
    passes(&limiter, [call(), call()]);
    assert_eq!(figures(&limiter), [("default", false, 0)]);
}

/// Builds a limiter that shares this with the rest of the process.
fn within(process: &Process, conf: Value) -> RateLimit {
    let (random, files, warnings) = (Random::seeded(1), InMemory::default(), Warnings::default());
    let (clock, scope) = (Clock::system(), None);
    let context = BuildContext { clock, random: &random, scope, files: &files, warnings: &warnings, process };
    RateLimit::build(crate::conf::typed(conf).unwrap(), &context).unwrap()
}

#[test]
fn the_memory_of_all_policies_is_reserved_as_long_as_they_are() {
    let process = Process::default();
    let policies = json!({ "a": { "rate": "1/s" }, "b": { "rate": "1/s", "key": "global" } });
    let limiter = within(&process, json!({ "rate": "1/s", "max-keys": 1_000_000, "policies": policies }));
    let reserved = process.memory.bound().total.0;
    assert_eq!(reserved, limiter.memory_bound() as u64);
    assert!((2 * 24_000_000..2 * 31_000_000).contains(&reserved), "{reserved}");
    drop(limiter);
    assert_eq!(process.memory.bound().total.0, 0);
}

#[test]
fn refusals_and_shared_buckets_are_counted_by_policy() {
    let process = Process::default();
    let limiter = within(&process, json!({ "policies": { "each": { "rate": "1/d" } }, "max-keys": 1 }));
    passes(&limiter, ["192.0.2.1:1", "192.0.2.1:1", "192.0.2.2:1"].map(from));
    let families = process.metrics.families();
    let counted: Vec<_> = families.iter().map(|family| (family.spec.name, &family.series[0])).collect();
    let policies: Vec<_> = counted.iter().map(|(name, series)| (*name, &*series.labels["policy"])).collect();
    assert_eq!(policies, [("chassis.rate_limit.overflowed", "each"), ("chassis.rate_limit.refused", "each")]);
    assert_eq!(refused(&limiter, ["each"]), [1]);
}

#[test]
fn what_is_wrong_with_the_configuration_is_said_with_its_key() {
    let error = |conf| built::<RateLimit>(conf).err().map(|error| error.to_string()).unwrap_or_default();
    assert_eq!(error(json!({ "burst": 5 })), "`burst`: a burst has no meaning without a rate");
    assert_eq!(error(json!({ "ipv6-prefix": 129 })), "`ipv6-prefix`: it must be from 0 to 128");
    assert!(error(json!({ "key": "user" })).starts_with("`key`: unknown key `user`: write `peer`"));
    assert!(error(json!({ "trusted-proxies": ["x"] })).starts_with("`trusted-proxies[0]`: `x` is not a network"));
    assert!(error(json!({ "policy": "t\u{e4}glich" })).starts_with("`policy`: "));
    assert!(error(json!({ "rate": "1/d", "burst": 1_000_000 })).starts_with("`burst`: 1000000 calls at 1/d take"));
    let many = error(json!({ "rate": "18446744073709551615/s" }));
    assert!(many.starts_with("`rate`: 18446744073709551615 calls at 18446744073709551615/s take"), "{many}");
    assert!(error(json!({ "rates": "1/s" })).contains("unknown field `rates`"));
}
