//! What users of other chassis rely on, and what went wrong there: the behaviour cases D04 to D15. That the limit of an
//! operation comes before that of its schema (D03), and that one that is not enforced refuses nothing (D07), is proved with
//! a whole service.

use super::*;
use crate::invocation::Mark;

fn marked(mark: &str) -> Invocation {
    let mut call = call();
    call.call.locals.set(Mark(mark.into()));
    call
}

fn count(passed: Vec<bool>) -> usize {
    passed.into_iter().filter(|passed| *passed).count()
}

#[tokio::test(start_paused = true)]
async fn d04_where_nothing_is_configured_nothing_is_refused() {
    assert_eq!(count(passes(&limiter(json!({})), (0..5_000).map(|_| call()))), 5_000);
}

#[tokio::test(start_paused = true)]
async fn d05_a_configured_caller_has_its_own_limit_and_others_share_the_global_one() {
    let callers = json!({ "ada": { "rate": "5/h" } });
    let limiter = limiter(json!({ "rate": "100/h", "key": "global", "callers": callers }));
    assert_eq!(count(passes(&limiter, (0..20).map(|_| known("ada")))), 5);
    let others = (0..200).map(|at| if at % 2 == 0 { known("bob") } else { call() });
    assert_eq!(count(passes(&limiter, others)), 100);
    assert_eq!(passes(&limiter, [known("ada"), known("bob"), call()]), [false; 3]);
}

#[tokio::test(start_paused = true)]
async fn a_caller_of_another_scheme_that_has_the_same_name_is_one_of_the_others() {
    let callers = json!({ "billing": { "rate": "2/h", "scheme": "api-key" }, "ada": { "rate": "1/h" } });
    let limiter = limiter(json!({ "rate": "5/h", "key": "global", "callers": callers }));
    let by = |scheme: &str, subject: &str| {
        let mut call = call();
        let identity = Identity { subject: subject.to_owned(), scheme: scheme.to_owned(), ..Identity::default() };
        call.call.principal = Some(Principal::new(identity));
        call
    };
    assert_eq!(count(passes(&limiter, (0..9).map(|_| by("jwt", "billing")))), 5);
    assert_eq!(count(passes(&limiter, (0..9).map(|_| by("api-key", "billing")))), 2);
    assert_eq!(passes(&limiter, [by("jwt", "ada"), by("basic", "ada")]), [true, false], "any scheme is meant");
}

#[tokio::test(start_paused = true)]
async fn d06_a_limit_of_zero_refuses_every_call() {
    let refused = limiter(json!({ "rate": "0/s" }));
    assert_eq!(count(passes(&refused, (0..10).map(|_| call()))), 0);
    assert_eq!(refusal(&refused, call()).status().as_u16(), 429);
}

#[tokio::test(start_paused = true)]
async fn d10_a_higher_rate_never_has_a_smaller_burst() {
    let burst = |rate: &str| count(passes(&limiter(json!({ "rate": rate })), (0..50).map(|_| call())));
    let bursts: Vec<_> = (1..20).map(|rate| burst(&format!("{rate}/s"))).collect();
    assert!(bursts.is_sorted() && bursts[4] >= bursts[3], "{bursts:?}");
}

#[tokio::test(start_paused = true)]
async fn d11_a_burst_of_two_lets_two_calls_pass_at_once() {
    let limiter = limiter(json!({ "rate": "10/s", "burst": 2 }));
    assert_eq!(passes(&limiter, [call(), call(), call()]), [true, true, false]);
}

#[tokio::test(start_paused = true)]
async fn d12_without_a_burst_there_is_one() {
    assert_eq!(passes(&limiter(json!({ "rate": "10/s" })), [call()]), [true]);
}

#[tokio::test(start_paused = true)]
async fn d13_a_rate_of_zero_means_the_same_wherever_it_is_said() {
    let nowhere = [
        json!({ "rate": "0/s" }),
        json!({ "policies": { "a": { "rate": "0/s" } } }),
        json!({ "rate": "0/s", "burst": 5 }),
        json!({ "policies": { "a": { "rate": "0/s", "burst": 5 } } }),
        json!({ "rate": "5/s", "policies": { "a": { "rate": "0/h", "key": "global" } } }),
        json!({ "rate": "5/s", "callers": { "ada": { "rate": "0/m" } } }),
    ];
    for conf in nowhere {
        assert_eq!(passes(&limiter(conf.clone()), [known("ada"), known("ada")]), [false, false], "{conf}");
    }
}

#[tokio::test(start_paused = true)]
async fn d14_calls_without_a_mark_can_be_limited_alone_or_as_one() {
    let unmarked = limiter(json!({ "policies": { "rest": { "rate": "1/h", "when": { "mark": ["none"] } } } }));
    let calls = || [call(), call(), marked("gold"), marked("gold")];
    assert_eq!(passes(&unmarked, calls()), [true, false, true, true]);
    let each = limiter(json!({ "rate": "1/h", "key": "mark" }));
    assert_eq!(passes(&each, calls()), [true, false, true, false]);
}

/// D15: sixty-four threads make the buckets of all policies at the same time.
#[test]
fn d15_however_many_make_a_bucket_one_burst_passes() {
    const THREADS: usize = 64;
    let policies = json!({ "each": { "rate": "50/d" }, "all": { "rate": "1000/d", "key": "operation" } });
    for conf in [json!({ "rate": "50/d" }), json!({ "policies": policies })] {
        let (limiter, barrier) = (limiter(conf), Barrier::new(THREADS));
        let arrived = call().call.arrived;
        let come = || {
            let mut calls = [(); 4].map(|()| from("192.0.2.1:1"));
            calls.iter_mut().for_each(|call| call.call.arrived = arrived);
            barrier.wait();
            count(passes(&limiter, calls))
        };
        let passed: usize = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(come)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(passed, 50);
    }
}
