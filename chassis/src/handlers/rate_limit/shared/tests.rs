//! Proves that several instances share their limits, against a real Redis.

use std::future::poll_fn;
use std::time::Duration;

use axum::body::Body;
use http::{HeaderMap, Request};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::*;
use crate::clock::Clock;
use crate::conf::{Configure, typed};
use crate::invocation::fixture::{self, Page};
use crate::principal::Identity;
use crate::redis::fixture::{Instance, Server, joined, until};
use crate::reply::Reply;

fn limiter(instance: &Instance, conf: Value) -> RateLimit {
    let conf = joined(json!({ "store": "redis", "retry-jitter": "0s" }), conf);
    RateLimit::build(typed(conf).unwrap(), &instance.context()).unwrap()
}

fn call() -> Invocation {
    fixture::call(fixture::request("GET", "/"))
}

fn known(subject: &str) -> Invocation {
    let mut call = call();
    call.call.principal = Some(Principal::new(Identity { subject: subject.to_owned(), ..Identity::default() }));
    call
}

/// What a limiter decides at last.
async fn decided(limiter: &RateLimit, invocation: &mut Invocation) -> Verdict {
    let mut verdict = limiter.before(invocation);
    while let Verdict::Wait(mut waiting) = verdict {
        verdict = poll_fn(|cx| waiting.poll(cx, invocation)).await;
    }
    verdict
}

async fn passes(limiter: &RateLimit, calls: impl IntoIterator<Item = Invocation>) -> Vec<bool> {
    let mut passes = Vec::new();
    for mut call in calls {
        passes.push(matches!(decided(limiter, &mut call).await, Verdict::Continue));
    }
    passes
}

async fn passed(limiter: &RateLimit, calls: usize) -> usize {
    passes(limiter, (0..calls).map(|_| call())).await.into_iter().filter(|passed| *passed).count()
}

async fn refusal(limiter: &RateLimit, mut call: Invocation) -> Fault {
    match decided(limiter, &mut call).await {
        Verdict::Refuse(fault) => fault,
        _ => panic!("the call was not refused"),
    }
}

/// What is left of each policy, without the times that a real clock makes different each time.
fn left(headers: &HeaderMap) -> String {
    let field = headers["ratelimit"].to_str().unwrap();
    let members: Vec<_> = field.split(", ").map(|member| member.split(";t=").next().unwrap()).collect();
    members.join(", ")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_calls_at_once_to_several_instances_exactly_those_pass_that_may() {
    let Some(server) = Server::started().await else { return };
    let instances = [(); 3].map(|()| server.instance(json!({})));
    let limiters = instances.each_ref().map(|instance| Arc::new(limiter(instance, json!({ "rate": "7/h" }))));
    let mut calls = JoinSet::new();
    for limiter in limiters.iter().cycle().take(90).map(Arc::clone) {
        calls.spawn(async move { passed(&limiter, 1).await });
    }
    assert_eq!(calls.join_all().await.into_iter().sum::<usize>(), 7);
}

#[tokio::test]
async fn a_call_that_one_policy_refuses_moves_nothing() {
    let Some(server) = Server::started().await else { return };
    let policies = json!({ "a": { "rate": "5/h" }, "b": { "rate": "2/h", "key": "global" } });
    let instance = server.instance(json!({}));
    let limiter = limiter(&instance, json!({ "rate": "7/h", "policies": policies }));
    assert_eq!(passes(&limiter, [call(), call()]).await, [true, true]);
    let mut keys = server.keys().await;
    keys.sort();
    let states = async || {
        let mut states = Vec::new();
        for key in &keys {
            states.push(server.says(&format!("GET {key}")).await.unwrap());
        }
        states
    };
    let before = states().await;
    assert_eq!((keys.len(), passes(&limiter, [call(), call()]).await), (3, vec![false, false]));
    assert_eq!(states().await, before);
    let fault = refusal(&limiter, call()).await;
    assert_eq!(left(&fault.headers()), r#""default";r=5, "a";r=3, "b";r=0"#);
    assert_eq!(fault.policy(), Some("b"));
    let refused = |policy| instance.measured("chassis.rate_limit.refused", Some(policy));
    assert_eq!([refused("default"), refused("a"), refused("b")], [0.0, 0.0, 3.0]);
}

#[tokio::test]
async fn the_clock_of_redis_decides_and_no_other() {
    let Some(server) = Server::started().await else { return };
    let limiter = limiter(&server.instance(json!({})), json!({ "rate": "1/h" }));
    let mut ahead = call();
    ahead.call.arrived += Duration::from_hours(24);
    assert_eq!(passes(&limiter, [call(), ahead]).await, [true, false]);
}

#[tokio::test]
async fn more_comes_with_time_and_what_is_used_no_more_is_forgotten() {
    let Some(server) = Server::started().await else { return };
    let limiter = limiter(&server.instance(json!({})), json!({ "rate": "100/s", "burst": 2 }));
    assert!(passed(&limiter, 2).await == 2);
    until(async || passed(&limiter, 1).await == 1).await;
    until(async || server.keys().await.is_empty()).await;
    let hourly = self::limiter(&server.instance(json!({})), json!({ "rate": "2/h" }));
    passed(&hourly, 1).await;
    let left = server.says(&format!("PTTL {}", server.keys().await[0])).await.unwrap();
    let left: u64 = left.trim_start_matches(':').trim_end().parse().unwrap();
    assert!((1_700_000..=1_800_000).contains(&left), "{left}");
}

#[tokio::test]
async fn a_clock_that_was_set_back_keeps_nobody_waiting_longer_than_a_burst() {
    let Some(server) = Server::started().await else { return };
    let limiter = limiter(&server.instance(json!({})), json!({ "rate": "2/h" }));
    passed(&limiter, 1).await;
    let key = server.keys().await.remove(0);
    // Ten hours used up, a day from now.
    let ahead = Clock::system().unix_seconds() + 86_400;
    let state = format!("*3\r\n$3\r\nSET\r\n${}\r\n{key}\r\n$31\r\n36000000000000 {ahead}000000", key.len());
    server.says(&state).await.unwrap();
    assert_eq!(refusal(&limiter, call()).await.retry_after(), Some(Duration::from_mins(30)));
}

/// Whether each call passes and what operators are told, in turn.
async fn told(limiter: &RateLimit) -> Vec<(bool, Vec<String>)> {
    let tenant = |tenant: &'static str| {
        fixture::call(Request::builder().header("x-tenant", tenant).body(Body::empty()).unwrap())
    };
    let calls = [known("ada"), known("ada"), known("bob"), tenant("a"), call(), known("ada"), tenant("a"), tenant("b")];
    let mut told = Vec::new();
    for mut call in calls.into_iter().chain([known("bob"), tenant("a"), call()]) {
        told.push(match decided(limiter, &mut call).await {
            Verdict::Refuse(fault) => {
                let evidence = fault.evidence().map(|(name, value)| format!("{name} {value}"));
                (false, evidence.chain(fault.policy().map(str::to_owned)).collect())
            }
            _ => (true, Vec::new()),
        });
    }
    told
}

#[tokio::test]
async fn redis_judges_as_memory_does() {
    let Some(server) = Server::started().await else { return };
    let instance = server.instance(json!({}));
    let policies = json!({
        "callers": { "callers": { "ada": { "rate": "2/d" }, "bob": { "rate": "1/d" } } },
        "tenants": { "when": { "header": { "x-tenant": "a" } }, "rate": "9/d", "burst": 5, "cost": 2, "key": "header:x-tenant" },
        "both": { "rate": "4/d", "key": ["principal", "header:x-tenant"] },
    });
    let of = |store: &str| limiter(&instance, json!({ "rate": "9/d", "store": store, "policies": policies }));
    let (memory, redis) = (told(&of("memory")).await, told(&of("redis")).await);
    assert_eq!(memory, redis);
    assert!(memory.iter().any(|(passed, _)| *passed) && memory.iter().any(|(passed, _)| !passed));
}

#[tokio::test]
async fn replies_say_what_is_left() {
    let Some(server) = Server::started().await else { return };
    let limiter = limiter(&server.instance(json!({})), json!({ "rate": "5/h", "fields": "always" }));
    let (mut call, mut reply) = (call(), Reply::new("ok"));
    assert!(matches!(decided(&limiter, &mut call).await, Verdict::Continue));
    limiter.after(&call, &mut reply);
    assert_eq!(left(reply.headers()), r#""default";r=4"#);
    assert_eq!(reply.headers()["ratelimit-policy"], r#""default";q=5;w=3600"#);
}

#[tokio::test]
async fn redis_is_not_told_who_calls() {
    let Some(server) = Server::started().await else { return };
    let policies = json!({ "known": { "key": "principal", "rate": "9/h", "callers": { "bob": { "rate": "1/h" } } } });
    let limiter = limiter(&server.instance(json!({})), json!({ "rate": "9/h", "policies": policies }));
    passes(&limiter, [known("ada"), known("bob"), known("ada"), call()]).await;
    let keys = server.keys().await;
    let of = |policy: &str| {
        keys.iter().filter(|key| key.starts_with(&format!("chassis:{{shop}}:rate-limit:-:{policy}:"))).count()
    };
    // By address: one. By who it is: two callers and an address.
    assert_eq!((keys.len(), of("default"), of("known")), (4, 1, 3), "{keys:?}");
    assert!(keys.iter().all(|key| !key.contains("ada") && !key.contains("bob")), "{keys:?}");
}

#[tokio::test]
async fn who_only_looks_asks_nothing() {
    let Some(server) = Server::started().await else { return };
    let instance = server.instance(json!({}));
    let limiter = limiter(&instance, json!({ "rate": "1/h" }));
    let Verdict::Wait(waiting) = limiter.before(&mut call()) else { panic!("it does not wait for Redis") };
    assert_eq!(waiting.what(), Some("Redis counts it for all instances, and is not asked here"));
    drop(waiting);
    assert_eq!((limiter.peek(&call()), server.keys().await.len()), (vec![], 0));
    assert_eq!(instance.measured("chassis.redis.questions", Some("answered")), 0.0);
}

#[tokio::test]
async fn while_redis_is_away_each_instance_has_its_part() {
    let Some(mut server) = Server::started().await else { return };
    let (instance, log) = (server.instance(json!({})), Page::default());
    let _logging = tracing::subscriber::set_default(log.subscriber());
    let limiter = limiter(&instance, json!({ "rate": "10/h", "replicas": 3 }));
    assert_eq!(passed(&limiter, 12).await, 10);
    server.kill();
    assert_eq!(passed(&limiter, 12).await, 3);
    let fault = refusal(&limiter, call()).await;
    assert_eq!(fault.headers()["ratelimit-policy"], r#""default";q=10;w=10800"#);
    assert_eq!(instance.measured("chassis.redis.away", None), 1.0);
    server.start_again().await;
    until(async || passed(&limiter, 1).await == 1).await;
    assert_eq!((passed(&limiter, 12).await, instance.measured("chassis.redis.away", None)), (9, 0.0));
    let said = |words: &str| log.text().matches(words).count();
    assert_eq!([said("Redis is away"), said("Redis is back")], [1, 1], "{}", log.text());
}

#[tokio::test]
async fn no_part_is_too_small_for_the_dearest_call() {
    let policies =
        json!({ "never": { "rate": "0/s", "when": { "path": "/never" } }, "dear": { "rate": "8/h", "cost": 5 } });
    let instance = Instance::new(json!({ "url": "redis://127.0.0.1:1", "retry": "1h" })).unwrap();
    let limiter = limiter(&instance, json!({ "rate": "2/h", "replicas": 100, "policies": policies }));
    assert_eq!(passes(&limiter, [call(), call()]).await, [true, false]);
}

#[tokio::test]
async fn calls_are_refused_while_redis_is_away_where_that_is_said() {
    let instance = Instance::new(json!({ "url": "redis://127.0.0.1:1", "retry": "7s" })).unwrap();
    let limiter = limiter(&instance, json!({ "rate": "10/h", "on-outage": "deny" }));
    for _ in 0..2 {
        let fault = refusal(&limiter, call()).await;
        assert_eq!((fault.code(), fault.retry_after()), (Code::Unavailable, Some(Duration::from_secs(7))));
    }
    let outcome = |outcome| instance.measured("chassis.redis.questions", Some(outcome));
    assert_eq!([outcome("failed"), outcome("unasked")], [1.0, 1.0]);
}

#[test]
fn without_a_redis_the_key_that_asks_for_it_is_named() {
    let instance = Instance::new(json!({})).unwrap();
    let conf = typed(json!({ "rate": "1/s", "store": "redis" })).unwrap();
    let error = RateLimit::build(conf, &instance.context()).err().unwrap();
    assert_eq!(error.to_string(), "`store`: there is no Redis to ask");
}
