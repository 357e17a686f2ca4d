//! Several policies: a call passes all of them or costs nothing.

use std::collections::HashMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// What is left of each policy for calls like this one.
fn left(limiter: &RateLimit, call: &Invocation) -> Vec<u64> {
    let now = limiter.since(call.call.arrived);
    limiter.limits.iter().map(|limit| limit.choose(call).unwrap().standing(now).remaining).collect()
}

#[tokio::test(start_paused = true)]
async fn a_call_that_one_policy_refuses_costs_nothing_with_the_others() {
    let policies = json!({ "a": { "rate": "5/h" }, "b": { "rate": "2/h", "key": "global" }, "c": { "rate": "9/h" } });
    let limiter = limiter(json!({ "rate": "7/h", "policies": policies }));
    assert_eq!(passes(&limiter, (0..5).map(|_| call())), [true, true, false, false, false]);
    assert_eq!(left(&limiter, &call()), [5, 3, 0, 7]);
    assert_eq!(refused(&limiter, ["default", "a", "b", "c"]), [0, 0, 3, 0]);
}

#[tokio::test(start_paused = true)]
async fn the_policy_that_refuses_longest_says_when_to_come_back() {
    let policies =
        json!({ "day": { "rate": "2/d" }, "minute": { "rate": "3/m", "burst": 2 }, "hour": { "rate": "9/h" } });
    let limiter = limiter(json!({ "retry-jitter": "0s", "policies": policies }));
    passes(&limiter, [call(), call()]);
    let fault = refusal(&limiter, call());
    assert_eq!((fault.policy(), fault.retry_after()), (Some("day"), Some(Duration::from_hours(12))));
    let headers = fault.headers();
    let quotas = r#""day";q=2;w=86400, "hour";q=9;w=3600, "minute";q=3;w=60"#;
    assert_eq!(field(&headers, "ratelimit-policy").as_deref(), Some(quotas));
    let left = r#""day";r=0;t=43200, "hour";r=7, "minute";r=0;t=20"#;
    assert_eq!(field(&headers, "ratelimit").as_deref(), Some(left));
    let problem = serde_json::to_value(fault.problem(None, None)).unwrap();
    assert_eq!((&problem["violated-policies"], &problem["policy"]), (&json!(["day", "minute"]), &json!("day")));
    assert_eq!(refused(&limiter, ["day", "hour", "minute"]), [1, 0, 1]);
    let evidence: HashMap<_, _> = fault.evidence().collect();
    assert_eq!((evidence["limit"], evidence["burst"]), (&json!("2/d"), &json!(2)));
    let minute = json!([{ "policy": "minute", "remaining": 0, "limit": "3/m", "burst": 2, "cost": 1, "key": "peer" }]);
    assert_eq!(evidence["others"], &minute);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_speaks_of_no_time_after_the_one_to_come_back_at() {
    let policies = json!({ "second": { "rate": "1/s", "burst": 1 }, "minute": { "rate": "3/m", "burst": 3 } });
    let limiter = limiter(json!({ "retry-jitter": "0s", "policies": policies, "fields": "always" }));
    passes(&limiter, [call()]);
    let fault = refusal(&limiter, call());
    assert_eq!(fault.retry_after(), Some(Duration::from_secs(1)));
    assert_eq!(field(&fault.headers(), "ratelimit").as_deref(), Some(r#""minute";r=2, "second";r=0;t=1"#));
}

#[tokio::test(start_paused = true)]
async fn who_never_passes_is_told_no_time_whatever_other_policies_say() {
    let policies = json!({ "never": { "rate": "0/s" }, "seldom": { "rate": "1/d" } });
    let fault = refusal(&limiter(json!({ "policies": policies })), call());
    assert_eq!((fault.policy(), fault.retry_after()), (Some("never"), None));
    assert_eq!(fault.remedy(), Some("It passes when the `rate` of policy `never` is above 0."));
}

#[tokio::test(start_paused = true)]
async fn operators_see_the_figures_and_never_the_key() {
    let policies =
        json!({ "each": { "rate": "1/m", "key": ["principal", "header:x-tenant"] }, "all": { "rate": "9/s" } });
    let limiter = limiter(json!({ "policies": policies }));
    let come = || {
        let mut call = with("x-tenant", "secret-tenant");
        call.call.principal = known("secret-subject").call.principal;
        call
    };
    passes(&limiter, [come()]);
    let fault = refusal(&limiter, come());
    let evidence: Vec<_> = fault.evidence().map(|(name, value)| (name.to_owned(), value.clone())).collect();
    let expected =
        json!({ "remaining": 0, "limit": "1/m", "burst": 1, "cost": 1, "key": "principal, header:x-tenant" });
    assert_eq!(Value::Object(evidence.into_iter().collect()), expected);
    assert_eq!(fault.remedy(), Some("It passes after 60 s, or with a higher `rate` or `burst` of policy `each`."));
    let told = serde_json::to_string(&fault.problem(None, None)).unwrap();
    assert!(!told.contains("secret") && !format!("{:?}", fault.headers()).contains("secret"));
}

#[tokio::test(start_paused = true)]
async fn replies_list_what_is_left_of_all_policies() {
    let policies = json!({ "burst": { "rate": "5/s" } });
    let limiter = limiter(json!({ "rate": "100/h", "fields": "always", "policies": policies }));
    let (mut call, mut reply) = (call(), Reply::new("ok"));
    assert!(matches!(limiter.before(&mut call), Verdict::Continue));
    limiter.after(&call, &mut reply);
    assert_eq!(field(reply.headers(), "ratelimit").as_deref(), Some(r#""default";r=99;t=36, "burst";r=4;t=1"#));
    let policies = r#""default";q=100;w=3600, "burst";q=5;w=1"#;
    assert_eq!(field(reply.headers(), "ratelimit-policy").as_deref(), Some(policies));
}

/// A full table judges by buckets that keys share: also then a refused call costs nothing elsewhere.
#[tokio::test(start_paused = true)]
async fn where_keys_share_buckets_a_refusal_costs_nothing_either() {
    let policies = json!({ "each": { "rate": "1/h" }, "all": { "rate": "1000/h", "key": "global" } });
    let limiter = limiter(json!({ "max-keys": 2, "policies": policies }));
    let calls: Vec<_> = (0..200).map(|host| from(&format!("192.0.2.{host}:1"))).collect();
    let passed = passes(&limiter, calls).into_iter().filter(|passed| *passed).count() as u64;
    // Which buckets they share is up to a secret hash: now and then all of them leave one out.
    assert!((2 + 1..=2 + 16).contains(&passed), "{passed}");
    let all = limiter.limits.iter().find(|limit| limit.name == "all").unwrap();
    let now = limiter.since(call().call.arrived);
    assert!(all.choose(&call()).unwrap().standing(now).remaining == 1000 - passed);
}

/// Whoever is refused by their own quota takes nothing from the common one, not even for a moment: all that is in it
/// goes to those who pass.
#[test]
fn calls_that_are_refused_never_stand_in_the_way_of_others() {
    const THREADS: usize = 16;
    const EACH: usize = 50;
    let policies = json!({
        "all": { "rate": format!("{}/d", THREADS / 2 * EACH), "key": "global" },
        "each": { "rate": format!("{EACH}/d") },
        "none": { "rate": "0/s", "when": { "header": { "x-bad": { "present": true } } } },
    });
    let (limiter, barrier) = (limiter(json!({ "policies": policies })), Barrier::new(THREADS));
    let arrived = call().call.arrived;
    let come = |thread: usize| {
        let address = format!("192.0.2.{}:1", thread / 2);
        let mut calls = Vec::new();
        for _ in 0..EACH * (1 + thread % 2) {
            let mut call = if thread.is_multiple_of(2) { call() } else { with("x-bad", "1") };
            (call.call.arrived, call.call.peer) = (arrived, Peer::Ip(address.parse::<SocketAddr>().unwrap()));
            calls.push(call);
        }
        barrier.wait();
        passes(&limiter, calls).into_iter().filter(|passed| *passed).count()
    };
    let passed: Vec<usize> = thread::scope(|scope| {
        let come = &come;
        let threads: Vec<_> = (0..THREADS).map(|at| scope.spawn(move || come(at))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let expected: Vec<_> = (0..THREADS).map(|thread| EACH * usize::from(thread % 2 == 0)).collect();
    assert_eq!(passed, expected);
}

/// Threads fight for what is left: what each policy counted in the end is what passed.
#[test]
fn what_was_counted_is_what_passed_however_many_come_at_once() {
    const THREADS: usize = 16;
    let policies = json!({
        "all": { "rate": "300/d", "key": "global" },
        "each": { "rate": "70/d" },
        "tenants": { "rate": "90/d", "key": "header:x-tenant" },
    });
    let (limiter, barrier) = (limiter(json!({ "policies": policies })), Barrier::new(THREADS));
    let arrived = call().call.arrived;
    let caller = |peer: usize, tenant: usize| {
        let mut call = with("x-tenant", ["a", "b", "c"][tenant]);
        let address = format!("192.0.2.{peer}:1").parse::<SocketAddr>().unwrap();
        (call.call.arrived, call.call.peer) = (arrived, Peer::Ip(address));
        call
    };
    let come = |thread: usize| {
        let who = (thread % 5, thread % 3);
        let calls: Vec<_> = (0..100).map(|_| caller(who.0, who.1)).collect();
        barrier.wait();
        let passed = passes(&limiter, calls).into_iter().filter(|passed| *passed).count() as u64;
        (who, passed)
    };
    let passed: Vec<_> = thread::scope(|scope| {
        let come = &come;
        let threads: Vec<_> = (0..THREADS).map(|at| scope.spawn(move || come(at))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let sum = |counts: &dyn Fn((usize, usize)) -> bool| -> u64 {
        passed.iter().filter(|(who, _)| counts(*who)).map(|(_, passed)| passed).sum()
    };
    for (peer, tenant) in [(0, 0), (1, 1), (2, 2), (3, 0), (4, 1)] {
        let counted = [sum(&|_| true), sum(&|who| who.0 == peer), sum(&|who| who.1 == tenant)];
        assert_eq!(left(&limiter, &caller(peer, tenant)), [300 - counted[0], 70 - counted[1], 90 - counted[2]]);
    }
}

/// What the policies of a property are keyed by.
const KEYS: [&str; 3] = ["peer", "header:x-tenant", "global"];

fn some_policies() -> impl Strategy<Value = Vec<(u64, u64, usize, u64)>> {
    vec((1_u64..20, 1_u64..8, 0..KEYS.len(), 1_u64..3), 2..5)
}

proptest! {
    /// Against one map for each policy that never forgets: all are tested, then all are counted, or none.
    #[test]
    fn all_policies_count_a_call_or_none(
        policies in some_policies(), calls in vec((0_usize..3, 0_usize..3, 0_u64..400), 1..120),
    ) {
        let name = |at: usize| format!("p{at}");
        let said: serde_json::Map<_, _> = policies.iter().enumerate().map(|(at, (rate, burst, key, cost))| {
            let burst = burst.max(cost);
            (name(at), json!({ "rate": format!("{rate}/s"), "burst": burst, "key": KEYS[*key], "cost": cost }))
        }).collect();
        let limiter = limiter(json!({ "policies": said }));
        let gcras: Vec<_> = policies.iter().map(|(rate, burst, _, cost)| {
            Gcra::new(crate::conf::Rate::per_second(*rate), Some(*burst.max(cost))).unwrap()
        }).collect();
        let mut tats = HashMap::<(usize, usize), u64>::new();
        let (mut now, begin) = (0, limiter.epoch);
        for (peer, tenant, advance) in calls {
            now += advance * 1_000_000;
            let mut call = with("x-tenant", ["a", "b", "c"][tenant]);
            let address = format!("192.0.2.{peer}:1").parse::<SocketAddr>().unwrap();
            (call.call.peer, call.call.arrived) = (Peer::Ip(address), begin + Duration::from_nanos(now));
            let at = |index: usize| (index, [peer, tenant, 0][policies[index].2]);
            let tat = |tats: &HashMap<_, _>, index| tats.get(&at(index)).copied().unwrap_or(0);
            let expected = (0..policies.len()).all(|index| gcras[index].conforms(tat(&tats, index), now, policies[index].3));
            if expected {
                for index in 0..policies.len() {
                    let next = gcras[index].commit(tat(&tats, index), now, policies[index].3);
                    tats.insert(at(index), next);
                }
            }
            let standing: Vec<_> = (0..policies.len()).map(|index| gcras[index].check(tat(&tats, index), now, 0).remaining).collect();
            prop_assert_eq!(matches!(limiter.before(&mut call), Verdict::Continue), expected);
            prop_assert_eq!(left(&limiter, &call), standing);
        }
    }
}
