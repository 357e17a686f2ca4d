//! What makes some calls different: what they cost, who sends them, and what they are keyed by.

use super::*;

/// A call of this operation.
fn of(schema: &'static str, name: &str) -> Invocation {
    let operation = Operation::new(schema, name, "GET", "/");
    fixture::with_operation(fixture::request("GET", "/"), operation, Params::default())
}

#[tokio::test(start_paused = true)]
async fn operations_may_cost_more_less_or_nothing() {
    let costs = json!({ "report.*": 4, "report.status": 0, "*": 2 });
    let limiter = limiter(json!({ "rate": "10/h", "key": "global", "costs": costs }));
    let remaining = || limiter.peek(&of("report", "make"))[0].1.remaining;
    // A status report is never refused, and is not limited at all.
    assert_eq!((remaining(), limiter.peek(&of("report", "status"))), (6, vec![]));
    assert_eq!(passes(&limiter, [of("report", "make"), of("report", "make")]), [true, true]);
    assert_eq!(passes(&limiter, [of("report", "make"), of("other", "one"), of("other", "one")]), [false, true, false]);
    assert_eq!(passes(&limiter, [of("report", "status")]), [true]);
    // What matches no operation costs what `cost` says.
    assert_eq!(passes(&limiter, [call()]), [false]);
}

#[tokio::test(start_paused = true)]
async fn each_policy_has_a_cost_of_its_own() {
    let policies =
        json!({ "a": { "rate": "6/h", "cost": 3 }, "b": { "rate": "6/h", "cost": 0 }, "c": { "rate": "6/h" } });
    let limiter = limiter(json!({ "policies": policies }));
    assert_eq!(passes(&limiter, [call(), call(), call()]), [true, true, false]);
    let left: Vec<_> = limiter.peek(&call()).into_iter().map(|(name, decision)| (name, decision.remaining)).collect();
    assert_eq!(left, [("a", 0), ("c", 3)]);
}

#[tokio::test(start_paused = true)]
async fn only_calls_that_fit_count_against_a_policy() {
    let policies = json!({ "writes": { "rate": "1/h", "when": { "method": ["POST"] } } });
    let limiter = limiter(json!({ "policies": policies }));
    let post = || fixture::call(fixture::request("POST", "/"));
    assert_eq!(passes(&limiter, [call(), call(), post(), post(), call()]), [true, true, true, false, true]);
}

#[tokio::test(start_paused = true)]
async fn a_path_parameter_is_counted_by_its_value_however_it_is_spelled() {
    let limiter = limiter(json!({ "rate": "1/h", "key": "param:name" }));
    let greet = |path: &str| fixture::matched("/greetings/{name}", fixture::request("GET", path));
    let calls = ["/greetings/ada", "/greetings/%61da", "/greetings/bob", "/greetings/b%6Fb"].map(greet);
    assert_eq!(passes(&limiter, calls), [true, false, true, false]);
    // Where the path has none, the address counts.
    assert_eq!(passes(&limiter, [from("192.0.2.1:1"), from("192.0.2.1:1"), from("192.0.2.2:1")]), [true, false, true]);
}

#[tokio::test(start_paused = true)]
async fn keys_can_be_combined() {
    let limiter = limiter(json!({ "rate": "1/h", "key": ["principal", "operation"] }));
    let by = |subject: &str, name: &str| {
        let mut call = of("greeting", name);
        call.call.principal = known(subject).call.principal;
        call
    };
    let calls = [by("ada", "a"), by("ada", "a"), by("ada", "b"), by("bob", "a"), by("bob", "a"), of("greeting", "a")];
    assert_eq!(passes(&limiter, calls), [true, false, true, true, false, true]);
}

#[tokio::test(start_paused = true)]
async fn parts_of_combined_keys_are_never_taken_for_each_other() {
    let limiter = limiter(json!({ "rate": "1/h", "key": ["header:x-a", "header:x-b"] }));
    let both = |a: &'static str, b: &'static str| {
        fixture::call(Request::builder().header("x-a", a).header("x-b", b).body(Body::empty()).unwrap())
    };
    let calls = [both("a", "bc"), both("ab", "c"), both("abc", ""), both("bc", "a"), both("a", "bc")];
    assert_eq!(passes(&limiter, calls), [true, true, true, true, false]);
}

#[tokio::test(start_paused = true)]
async fn a_policy_may_limit_only_those_it_names() {
    let limiter = limiter(json!({ "callers": { "ada": { "rate": "10/h", "burst": 1 } } }));
    assert_eq!(
        passes(&limiter, [known("ada"), known("ada"), known("bob"), known("bob"), call()]),
        [true, false, true, true, true]
    );
    let fault = refusal(&limiter, known("ada"));
    let (_, by) = fault.evidence().find(|(name, _)| *name == "key").unwrap();
    assert_eq!(
        (by, field(&fault.headers(), "ratelimit-policy").as_deref()),
        (&json!("caller"), Some(r#""default";q=10;w=3600"#))
    );
}

#[test]
fn what_must_be_known_of_callers_is_asked_for_at_its_key() {
    let keys = |conf: Value| {
        let conf = crate::conf::typed(conf).unwrap();
        RateLimit::requires(&conf).into_iter().map(|requirement| requirement.key).collect::<Vec<_>>()
    };
    assert_eq!(keys(json!({ "key": "principal" })), [] as [&str; 0]);
    assert_eq!(keys(json!({ "rate": "1/s", "key": ["operation", "principal"] })), ["key"]);
    assert_eq!(keys(json!({ "callers": { "ada": { "rate": "1/s" } } })), ["callers"]);
    assert_eq!(keys(json!({ "policies": { "a": { "rate": "1/s", "key": "principal" } } })), ["policies"]);
    assert_eq!(keys(json!({ "policies": { "a": { "callers": { "ada": { "rate": "1/s" } } } } })), ["policies"]);
}

#[test]
fn what_must_be_known_of_marks_is_asked_for_at_its_key() {
    let keys = |conf: Value| {
        let required = RateLimit::requires(&crate::conf::typed(conf).unwrap());
        assert!(required.iter().all(|requirement| requirement.fact == fact::MARK), "{required:?}");
        required.into_iter().map(|requirement| requirement.key).collect::<Vec<_>>()
    };
    let policy = |policy: Value| keys(json!({ "policies": { "a": policy } }));
    assert_eq!(keys(json!({ "key": "mark" })), [] as [&str; 0]);
    assert_eq!(keys(json!({ "rate": "1/s", "key": ["operation", "mark"] })), ["key"]);
    assert_eq!(policy(json!({ "rate": "1/s", "key": "mark" })), ["policies"]);
    assert_eq!(policy(json!({ "rate": "1/s", "when": { "method": ["GET"] } })), [] as [&str; 0]);
}

#[test]
fn a_path_parameter_that_no_operation_has_is_refused() {
    let mut operation = Operation::new("greeting", "hello", "GET", "/greetings/{name}");
    operation.parameters.push("name".into());
    let error = |conf: Value| {
        let conf = crate::conf::typed(conf).unwrap();
        RateLimit::suits(&conf, &[&operation]).err().map(|error| error.to_string())
    };
    assert_eq!(error(json!({ "rate": "1/s", "key": ["param:name", "peer"] })), None);
    let wrong = error(json!({ "policies": { "a": { "rate": "1/s", "key": "param:nam" } } }));
    assert_eq!(wrong.as_deref(), Some("`policies.a.key`: no operation that this limits has a path parameter `nam`"));
}

#[test]
fn what_policies_say_wrong_is_said_with_their_key() {
    let error = |conf| built::<RateLimit>(conf).err().map(|error| error.to_string()).unwrap_or_default();
    let policy = |policy: Value| error(json!({ "policies": { "a": policy } }));
    assert_eq!(policy(json!({})), "`policies.a`: this policy limits nothing");
    assert_eq!(policy(json!({ "burst": 5 })), "`policies.a.burst`: a burst has no meaning without a rate");
    assert!(policy(json!({ "rate": "1/s", "key": "user" })).starts_with("`policies.a.key`: unknown key `user`"));
    assert!(policy(json!({ "rate": "1/s", "key": ["peer", "peer"] })).starts_with("`policies.a.key[1]`: "));
    assert!(
        policy(json!({ "rate": "1/s", "when": { "method": ["a b"] } })).starts_with("`policies.a.when.method[0]`: ")
    );
    let dear = "never passes: no more than 3 go at once";
    assert_eq!(policy(json!({ "rate": "3/s", "cost": 4 })), format!("`policies.a.cost`: a call that costs 4 {dear}"));
    let costs = json!({ "greeting.*": 5, "greeting.hello": 2 });
    let expected = format!("`policies.a.costs.greeting.*`: a call that costs 5 {dear}");
    assert_eq!(policy(json!({ "rate": "3/s", "costs": costs })), expected);
    assert_eq!(
        policy(json!({ "rate": "3/s", "costs": { "hello": 1 } })),
        "`policies.a.costs.hello`: `hello` is no pattern of operations"
    );
    let callers = json!({ "ada": { "rate": "3/s" } });
    let expected = format!("`policies.a.callers.ada.burst`: a call that costs 4 {dear}");
    assert_eq!(policy(json!({ "rate": "9/s", "cost": 4, "callers": callers })), expected);
    let long = json!({ "ada": { "rate": "1/d", "burst": 1_000_000 } });
    assert!(policy(json!({ "callers": long })).starts_with("`policies.a.callers.ada.burst`: 1000000 calls"));
    let twice = error(json!({ "rate": "1/s", "policy": "a", "policies": { "a": { "rate": "1/s" } } }));
    assert_eq!(twice, "`policies.a`: two policies are named `a`");
    assert!(
        error(json!({ "policies": { "t\u{e4}glich": { "rate": "1/s" } } }))
            .starts_with("`policies.t\u{e4}glich`: a policy is named")
    );
}
