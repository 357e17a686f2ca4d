//! On which calls a handler runs, and on which it acts.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chassis::clock::Clock;
use chassis::metrics::text::{Format, spell};
use chassis::operation::Access;
use chassis::prelude::*;
use chassis::testing::TestApp;
use serde_json::{Value, json};

use crate::rig::{answering, refusal, saying, service, warned};

/// Refuses every call.
#[handler("wall")]
struct Wall;

/// Leaves a header field on every reply.
#[handler("trail")]
struct Trail;

/// Refuses every call after a moment.
#[handler("slow-wall")]
struct SlowWall;

macro_rules! takes_nothing {
    ($($handler:ident)*) => { $(
        impl Configure for $handler {
            type Conf = ();

            fn build((): (), _: &BuildContext<'_>) -> Result<Self, BuildError> {
                Ok(Self)
            }
        }
    )* };
}

takes_nothing! { Wall Trail SlowWall }

/// Anything but this text.
#[operator("not-eq")]
struct NotEq(String);

impl Operator for NotEq {
    type Conf = String;
    const DENIES: bool = true;

    fn build(conf: String) -> Result<Self, BuildError> {
        if conf.is_empty() {
            return Err(BuildError::new("", "every text is another").with_help("write a text"));
        }
        Ok(Self(conf))
    }

    fn holds(&self, text: &str) -> bool {
        assert_ne!(text, "boom", "as asked");
        text != self.0
    }
}

/// Versions within these bounds.
#[operator("since")]
struct Since(Bounds);

/// Bounds of versions.
#[conf]
struct Bounds {
    /// The first one.
    first: u32,
    /// The last one.
    last: Option<u32>,
}

impl Operator for Since {
    type Conf = Bounds;

    fn build(conf: Bounds) -> Result<Self, BuildError> {
        Ok(Self(conf))
    }

    fn holds(&self, text: &str) -> bool {
        let fits = |version: u32| version >= self.0.first && self.0.last.is_none_or(|last| version <= last);
        text.parse().is_ok_and(fits)
    }
}

fn refusing() -> Fault {
    Fault::new(Code::PermissionDenied, "No.").with_policy("brick").with_evidence("height", 3).with_remedy("climb")
}

impl Handler for Wall {
    fn before(&self, _: &mut Invocation) -> Verdict {
        refusing().into()
    }

    fn after(&self, _: &Invocation, reply: &mut Reply) {
        reply.headers_mut().insert("x-wall", "seen".parse().unwrap());
    }
}

impl Handler for SlowWall {
    fn before(&self, _: &mut Invocation) -> Verdict {
        Verdict::wait(tokio::task::yield_now(), |_, ()| refusing().into())
    }
}

impl Handler for Trail {
    fn after(&self, _: &Invocation, reply: &mut Reply) {
        reply.headers_mut().insert("x-trail", "1".parse().unwrap());
    }
}

async fn app(yaml: &str) -> TestApp {
    service(yaml).mount_operations([saying("hand.said", "/said", "said")]).start().await.unwrap()
}

#[tokio::test]
async fn a_handler_is_left_out_of_the_calls_that_it_is_not_for() {
    let app = app("{ chain: { provider: { default: [gate, trail, wall] } }, handlers: { \
                   wall: { when: { header: { x-tenant: gold } } }, trail: { when: [{ query: { trail: { present: true } } }] } } }")
    .await;
    let passed = app.get("/said").send().await;
    assert_eq!((passed.status(), passed.header("x-wall"), passed.header("x-trail")), (StatusCode::OK, None, None));
    assert_eq!(app.get("/said?trail").send().await.header("x-trail"), Some("1"));
    let refused = app.get("/said").header("x-tenant", "gold").send().await;
    assert_eq!((refused.status(), refused.refused_by().as_deref()), (StatusCode::FORBIDDEN, Some("wall")));
}

#[tokio::test]
async fn what_a_shadow_refuses_goes_on_and_is_kept() {
    for wall in ["wall", "slow-wall"] {
        let yaml = format!(
            "{{ chain: {{ provider: {{ default: [gate, {wall}] }} }}, handlers: {{ {wall}: {{ shadow: true }} }} }}"
        );
        let app = app(&yaml).await;
        let passed = app.get("/said").send().await;
        // It did not let the call pass, so it does not see the reply.
        assert_eq!((passed.status(), passed.header("x-wall")), (StatusCode::OK, None), "{wall}");
        let kept = app.running().provider().receipts().all();
        assert_eq!(kept.len(), 1);
        assert_eq!((kept[0].handler.as_deref(), kept[0].enforced), (Some(wall), false));
    }
}

/// A service whose operation answers how often it was called, behind a handler that wraps it.
async fn counting(handler: &str, conf: &str) -> TestApp {
    let yaml = format!(
        "{{ chain: {{ provider: {{ default: [gate, {handler}] }} }}, handlers: {{ {handler}: {{ {conf} }} }} }}"
    );
    let called = Arc::new(AtomicUsize::new(0));
    let operations = ["GET", "POST"].map(|method| {
        let called = Arc::clone(&called);
        let count = move |_: &Invocation| Reply::new((called.fetch_add(1, Ordering::SeqCst) + 1).to_string());
        answering(&format!("hand.{}", method.to_lowercase()), method, "/counted", count)
    });
    service(&yaml).mount_operations(operations).start().await.unwrap()
}

/// The number that is counted under this name and these labels.
fn counted(app: &TestApp, series: &str) -> u64 {
    let text = spell(&app.metrics().families(), Format::Prometheus);
    let found = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    found.unwrap_or_else(|| panic!("no {series} in\n{text}")).parse().unwrap()
}

#[tokio::test]
async fn a_shadow_does_again_what_is_sent_again_and_says_what_it_would_have_said() {
    let app = counting("idempotency", "shadow: true, required: true").await;
    let send = |key: Option<&'static str>, body: &'static str| {
        let call = app.post("/counted").body(body);
        key.into_iter().fold(call, |call, key| call.header("idempotency-key", key)).send()
    };
    for (at, (key, body)) in
        [(None, "a"), (Some("no string"), "a"), (Some("\"k\""), "a"), (Some("\"k\""), "a"), (Some("\"k\""), "b")]
            .into_iter()
            .enumerate()
    {
        let answer = send(key, body).await;
        let is_replayed = answer.header("idempotent-replayed").is_some();
        assert_eq!((answer.text(), is_replayed), ((at + 1).to_string(), false), "{key:?} {body}");
    }
    let spared: Vec<_> = app.running().provider().receipts().all();
    let mut statuses: Vec<_> = spared.iter().map(|kept| (kept.status, kept.enforced)).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [(400, false), (400, false), (422, false)]);
    // The replay as well.
    assert_eq!(counted(&app, r#"chassis_handler_refused_total{handler="idempotency"}"#), 4);
    assert_eq!(counted(&app, r#"chassis_handler_enforced_total{handler="idempotency"}"#), 0);
    assert_eq!(counted(&app, r#"chassis_idempotency_calls_total{result="replayed"}"#), 1);
}

#[tokio::test]
async fn a_shadow_of_a_cache_keeps_and_gives_nothing() {
    let app = counting("cache", "keep: 1m, control: 'private, max-age=60', shadow: true").await;
    for times in ["1", "2", "3"] {
        let answer = app.get("/counted").header("if-none-match", "*").send().await;
        assert_eq!((answer.status(), answer.text().as_str()), (StatusCode::OK, times));
        for field in ["etag", "age", "cache-control"] {
            assert_eq!(answer.header(field), None, "{field}");
        }
    }
    assert_eq!(counted(&app, r#"chassis_cache_calls_total{result="hit"}"#), 2);
    assert_eq!(counted(&app, r#"chassis_cache_calls_total{result="miss"}"#), 1);
    // Once for each call, however much it would have done to it.
    assert_eq!(counted(&app, r#"chassis_handler_refused_total{handler="cache"}"#), 3);
    assert_eq!(counted(&app, r#"chassis_handler_enforced_total{handler="cache"}"#), 0);
}

#[tokio::test]
async fn a_share_of_what_wraps_counts() {
    let app = counting("cache", "keep: 1m, enforce: 25%").await;
    app.get("/counted").send().await;
    let mut kept = 0;
    for _ in 0..400 {
        kept += usize::from(app.get("/counted").send().await.header("age").is_some());
    }
    assert!((60..=140).contains(&kept), "{kept} of 400");
    assert_eq!(counted(&app, r#"chassis_handler_refused_total{handler="cache"}"#), 400);
    assert_eq!(counted(&app, r#"chassis_handler_enforced_total{handler="cache"}"#), kept as u64);
}

#[tokio::test]
async fn what_wraps_and_cannot_decide_without_acting_is_refused_as_a_shadow() {
    for said in ["shadow: true", "enforce: 5%", "when: { method: [GET] }, enforce: 5%"] {
        let yaml = format!(
            "{{ chain: {{ provider: {{ default: [gate, middleware] }} }}, handlers: {{ middleware: {{ {said} }} }} }}"
        );
        let refused = refusal(service(&yaml).mount_operations([saying("hand.said", "/said", "said")])).await;
        assert!(
            refused.contains("`middleware` wraps the rest of the chain: it cannot decide without acting"),
            "{refused}"
        );
        assert!(refused.contains("; `when` works with it"), "{refused}");
    }
}

/// What a shadow of a handler that acts on calls leaves of a `POST` with a body and of a preflight.
async fn shadowed(handler: &str, conf: &str) -> TestApp {
    let yaml = format!(
        "{{ chain: {{ provider: {{ default: [{handler}, gate] }} }}, handlers: {{\n\
         {handler}: {{ {conf}shadow: true }} }} }}"
    );
    let said = |invocation: &Invocation| Reply::new(format!("{:?}", invocation.headers().get("x-given")));
    service(&yaml).mount_operations([answering("hand.said", "POST", "/said", said)]).start().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_shadow_of_a_handler_that_acts_leaves_calls_and_replies_as_they_are() {
    for (handler, conf, ended) in [
        ("limit-body", "max: 2B, ", 1),
        ("fault-injection", "delay: { time: 1h }, abort: { status: 503 }, ", 1),
        ("set-header", "request: { set: { x-given: '1' } }, reply: { set: { x-own: '1' } }, mirror: [x-sent], ", 0),
        ("request-id", "header: x-given, ", 0),
        ("security-headers", "", 0),
        ("cors", "origins: ['https://app.example'], ", 0),
        ("deadline", "max: 1ms, ", 0),
        ("rate-limit", "rate: 1/h, key: global, fields: always, ", 0),
        ("csrf", "", 1),
    ] {
        let (app, clock) = (shadowed(handler, conf).await, Clock::system());
        let began = clock.now();
        let call = app.post("/said").header("x-sent", "1").header("origin", "https://app.example");
        let call = call.header("sec-fetch-site", "cross-site").header("content-length", "8");
        let answer = call.body("too much").send().await;
        assert_eq!((answer.status(), answer.text().as_str()), (StatusCode::OK, "None"), "{handler}");
        for field in ["x-own", "x-sent", "x-given", "x-content-type-options", "vary", "ratelimit"] {
            assert_eq!(answer.header(field), None, "{handler}");
        }
        assert_eq!(clock.now().duration_since(began), Duration::ZERO, "{handler}");
        assert_eq!(
            counted(&app, &format!(r#"chassis_handler_refused_total{{handler="{handler}"}}"#)),
            ended,
            "{handler}"
        );
    }
}

#[tokio::test]
async fn a_shadow_of_cors_grants_nothing_and_counts_what_it_would_have_answered() {
    let app = shadowed("cors", "origins: ['https://app.example'], ").await;
    let preflight = app.call("OPTIONS", "/said").header("origin", "https://app.example");
    let answer = preflight.header("access-control-request-method", "POST").send().await;
    assert_eq!((answer.status(), answer.header("access-control-allow-origin")), (StatusCode::NO_CONTENT, None));
    assert_eq!(counted(&app, r#"chassis_handler_refused_total{handler="cors"}"#), 1);
    assert_eq!(counted(&app, r#"chassis_handler_enforced_total{handler="cors"}"#), 0);
}

#[tokio::test]
async fn a_share_of_refusals_counts() {
    let app = app("{ chain: { provider: { default: [gate, wall] } }, handlers: { wall: { enforce: 25% } } }").await;
    let refused = AtomicUsize::new(0);
    for _ in 0..400 {
        let answer = app.get("/said").send().await;
        refused.fetch_add(usize::from(answer.status() == StatusCode::FORBIDDEN), Ordering::Relaxed);
    }
    let refused = refused.into_inner();
    assert!((60..=140).contains(&refused), "{refused} of 400");
}

#[tokio::test]
async fn a_refusal_leads_from_its_caller_to_the_figures_that_decided() {
    let app = app("{ chain: { provider: { default: [gate, wall] } } }").await;
    let answer = app.get("/said?secret=1").send().await;
    let problem: Value = answer.json();
    assert_eq!((&problem["handler"], &problem["policy"]), (&json!("wall"), &json!("brick")));
    assert!(problem.get("height").is_none(), "{problem}");
    let kept = app.running().provider().receipts().find(problem["refusal"].as_str().unwrap()).unwrap();
    assert_eq!((kept.evidence["height"].as_u64(), kept.remedy.as_deref()), (Some(3), Some("climb")));
    assert_eq!((kept.path.as_str(), problem["revision"].as_str()), ("/said", Some(kept.revision.as_str())));
    let revision = app.running().provider().snapshot().revision.clone();
    assert_eq!(Arc::<str>::from(kept.revision.as_str()), revision);
}

#[tokio::test]
async fn nobody_relies_on_a_handler_that_may_let_pass() {
    let mut mounted = saying("hand.said", "/said", "said");
    mounted.operation.access = Access::Auth;
    let yaml = "handlers: { gate: { shadow: true } }";
    let refused = refusal(service(yaml).mount_operations([mounted])).await;
    assert!(refused.contains("nothing in chain `default` enforces the access of `hand.said`"), "{refused}");
    let help = "`gate` is listed, but nobody can rely on it because of `shadow` (test-2.yaml:1:29): remove that";
    assert!(refused.contains(help), "{refused}");
}

#[tokio::test]
async fn terms_that_make_no_sense_are_refused_at_their_keys() {
    let yaml = "{ chain: { provider: { default: [gate, wall, trail] } }, handlers: {\n\
                wall: { shadow: true, enforce: 5% },\n\
                trail: { when: { header: { cookie: { regex: '(' } } } } } }";
    let refused = refusal(service(yaml).mount_operations([saying("hand.said", "/said", "said")])).await;
    assert!(refused.contains("test-2.yaml:2:32: handlers.wall.enforce: `shadow: true` says already"), "{refused}");
    assert!(
        refused.contains("test-2.yaml:3:45: handlers.trail.when.header.cookie.regex: `(` is no expression"),
        "{refused}"
    );
}

/// It would be for all calls.
#[tokio::test]
async fn a_key_without_a_value_is_no_condition() {
    for (when, key) in [
        ("[{ path: /said, header: { x-tenant: } }]", "[0].header.x-tenant"),
        ("{ header: { x-tenant: } }", ".header.x-tenant"),
        ("{ method: [GET], path: }", ".path"),
        ("{ path: { prefix: } }", ".path.prefix"),
        ("{ query: { q: { custom: { not-eq: } } } }", ".query.q.custom.not-eq"),
        ("{ operation: }", ".operation"),
    ] {
        let yaml = format!(
            "{{ chain: {{ provider: {{ default: [gate, trail] }} }}, handlers: {{ trail: {{ when: {when} }} }} }}"
        );
        let refused = refusal(service(&yaml).mount_operations([saying("hand.said", "/said", "said")])).await;
        let name = key.rsplit('.').next().unwrap();
        assert!(refused.contains(&format!("when{key}: `{name}` has no value")), "{refused}");
    }
    for when in ["[{ path: null }]", ""] {
        let yaml = format!(
            "{{ chain: {{ provider: {{ default: [gate, trail] }} }}, handlers: {{ trail: {{ when: {when} }} }} }}"
        );
        let refused = refusal(service(&yaml).mount_operations([saying("hand.said", "/said", "said")])).await;
        assert!(refused.contains("has no value"), "{refused}");
    }
    let app = app("{ chain: { provider: { default: [gate, trail] } }, handlers: { trail: { when: { path: null } } } }");
    assert_eq!(app.await.get("/said").send().await.header("x-trail"), Some("1"));
}

#[tokio::test]
async fn c24_an_operator_of_the_service_can_be_used_in_every_condition() {
    let app = app("{ chain: { provider: { default: [gate, marker, trail, wall] } }, handlers: { \
                   marker: { rules: [{ mark: other, when: { header: { user: { custom: { not-eq: jason } } } } }] }, \
                   trail: { when: { mark: [other] } }, \
                   wall: { when: { query: { v: { custom: { since: { first: 2 } }, not: '9' } } } } } }")
    .await;
    let trail = |user: &'static str| app.get("/said").header("user", user).send();
    assert_eq!(trail("peter").await.header("x-trail"), Some("1"));
    assert_eq!(trail("jason").await.header("x-trail"), None);
    assert_eq!(app.get("/said").send().await.header("x-trail"), None, "a field that is not there fits nothing");
    let several = app.get("/said").header("user", "jason").header("user", "peter").send().await;
    assert_eq!(several.header("x-trail"), None, "nobody gets rid of it by sending another");
    assert_eq!(app.get("/said?v=1&v=2").send().await.status(), 403, "one of several is enough");
    for (version, status) in [("1", 200), ("2", 403), ("10", 403), ("9", 200), ("x", 200)] {
        assert_eq!(app.get(&format!("/said?v={version}")).send().await.status(), status, "{version}");
    }
}

#[tokio::test]
async fn an_operator_of_the_service_that_panics_ends_no_call_on_which_its_step_may_not_act() {
    for (terms, status) in [("", 500), ("shadow: true, ", 200)] {
        let yaml = format!(
            "{{ chain: {{ provider: {{ default: [gate, wall] }} }}, handlers: {{ \
             wall: {{ {terms}when: {{ header: {{ x: {{ custom: {{ not-eq: a }} }} }} }} }} }} }}"
        );
        let app = app(&yaml).await;
        let answer = app.get("/said").header("x", "boom").send().await;
        assert_eq!((answer.status().as_u16(), app.running().provider().panics()), (status, 1), "{terms}");
    }
}

#[tokio::test]
async fn no_spelling_of_a_path_passes_an_operator_of_the_service_by() {
    let app = app("{ chain: { provider: { default: [gate, wall] } }, handlers: { \
                   wall: { when: { path: { custom: { not-eq: /said } } } } } }")
    .await;
    for path in ["/said", "/said/", "/%73aid/"] {
        assert_eq!(app.get(path).send().await.status(), 200, "{path}");
    }
    assert_eq!(app.get("/other").send().await.refused_by().as_deref(), Some("wall"));
}

#[tokio::test]
async fn what_is_wrong_with_an_operator_of_the_service_is_said_at_its_place() {
    for (custom, said) in [
        ("not-eq: ''", "custom.not-eq: every text is another"),
        ("not-eq: [a]", "custom.not-eq: "),
        ("not-eqq: a", "custom.not-eqq: there is no operator `not-eqq`\n"),
        ("since: { first: one }", "custom.since.first: "),
        ("since: { last: 1 }", "custom.since.first: the key `first` is missing"),
    ] {
        let yaml = format!(
            "{{ chain: {{ provider: {{ default: [gate, trail] }} }}, handlers: {{\n\
             trail: {{ when: {{ header: {{ x: {{ custom: {{ {custom} }} }} }} }} }} }} }}"
        );
        let refused = refusal(service(&yaml).mount_operations([saying("hand.said", "/said", "said")])).await;
        assert!(refused.contains("test-2.yaml:2:"), "{refused}");
        assert!(refused.contains(&format!("handlers.trail.when.header.x.{said}")), "{refused}");
    }
}

#[tokio::test]
async fn a_mark_is_given_before_it_is_asked_for() {
    let yaml = |chain: &str| {
        format!(
            "{{ chain: {{ provider: {{ default: [{chain}] }} }}, handlers: {{\n\
             marker: {{ rules: [{{ mark: bulk, when: {{ method: [GET] }} }}] }}, wall: {{ when: {{ mark: [bulk] }} }} }} }}"
        )
    };
    let refused = refusal(service(&yaml("gate, wall, marker")).mount_operations([saying("hand.said", "/said", "s")]));
    let refused = refused.await;
    assert!(refused.contains("handlers.wall.when: `wall` needs `mark` for this"), "{refused}");
    assert!(refused.contains("move `wall` behind `marker`"), "{refused}");
    let app = app(&yaml("gate, marker, wall")).await;
    assert_eq!(app.get("/said").send().await.refused_by().as_deref(), Some("wall"));
}

/// Whether a call takes too long is known when it is over.
#[tokio::test(start_paused = true)]
async fn a_shadow_of_a_deadline_counts_what_it_would_have_ended() {
    let yaml = "chain: { provider: { default: [gate, deadline, fault-injection] } }\n\
                handlers: { deadline: { max: 100ms, shadow: true }, \
                fault-injection: { delay: { time: 300ms }, when: { header: { x-slow: { present: true } } } } }";
    let app = app(yaml).await;
    let spared = || {
        let page = spell(&app.metrics().families(), Format::Prometheus);
        let of_deadline = |line: &&str| line.starts_with("chassis_request_spared_total{handler=\"deadline\"");
        page.lines().find(of_deadline).and_then(|line| line.rsplit(' ').next()).map(str::to_owned)
    };
    assert_eq!((app.get("/said").send().await.status().as_u16(), spared()), (200, None));
    assert_eq!(app.get("/said").header("x-slow", "1").send().await.status().as_u16(), 200);
    assert_eq!(spared().as_deref(), Some("1"));
}

/// What lets calls pass without acting on them gives nothing that others can count on.
#[tokio::test]
async fn nothing_counts_on_a_step_that_may_not_act() {
    for terms in ["shadow: true", "enforce: 25%"] {
        let yaml = format!(
            "chain: {{ provider: {{ default: [gate, marker, wall] }} }}\n\
             handlers: {{ marker: {{ {terms}, rules: [{{ mark: bulk, when: {{ method: [GET] }} }}] }}, wall: {{ when: {{ mark: [bulk] }} }} }}"
        );
        let refused = refusal(service(&yaml).mount_operations([saying("hand.said", "/said", "said")])).await;
        let key = terms.split(':').next().unwrap();
        let why = format!("nothing before it in chain `default` provides that on every call: `marker` has `{key}`");
        assert!(refused.contains(&why), "{refused}");
    }
}

#[tokio::test]
async fn a_mark_that_is_asked_for_can_be_had() {
    let yaml = |marker: &str, asking: &str| {
        format!(
            "chain: {{ provider: {{ default: [gate, marker, wall, rate-limit] }} }}\n\
             handlers:\n  marker: {marker}\n  {asking}\n"
        )
    };
    let said = |yaml: String| service(&yaml).mount_operations([saying("hand.said", "/said", "said")]);
    let rules = "{ rules: [{ mark: bulk, when: { method: [GET] } }] }";
    let refused = refusal(said(yaml(rules, "wall: { when: [{ mark: [none] }, { mark: [bulky] }] }"))).await;
    insta::assert_snapshot!(refused, @"
    test-2.yaml:4:45: handlers.wall.when[1].mark[0]: nothing before it marks a call `bulky`
      4 |   wall: { when: [{ mark: [none] }, { mark: [bulky] }] }
        |                                             ^^^^^
      help: did you mean `bulk`?

    The configuration has 1 problem.
    ");
    let refused =
        refusal(said(yaml(rules, "rate-limit: { policies: { p: { rate: 1/s, when: { mark: [x] } } } }"))).await;
    assert!(
        refused.contains("handlers.rate-limit.policies.p.when.mark[0]: nothing before it marks a call `x`"),
        "{refused}"
    );
    let some = said(yaml(rules, "wall: { when: { mark: [bulky, bulk] } }")).start().await;
    assert_eq!(some.unwrap().get("/said").send().await.refused_by().as_deref(), Some("wall"));
    assert!(said(yaml("{ trust-header: x-mark }", "wall: { when: { mark: [bulky] } }")).start().await.is_ok());
}

/// What a condition says of its own handler it says of the policies of one, too.
#[tokio::test]
async fn a_policy_asks_for_a_mark_behind_whoever_gives_it() {
    let yaml = "chain: { provider: { default: [gate, rate-limit] } }\n\
                handlers: { rate-limit: { policies: { p: { rate: 1/s, when: { mark: [bulk] } } } } }";
    let refused = refusal(service(yaml).mount_operations([saying("hand.said", "/said", "said")])).await;
    assert!(refused.contains("handlers.rate-limit.policies.p.when: `rate-limit` needs `mark` for this"), "{refused}");
}

/// A mark that only some operations can have is one.
#[tokio::test]
async fn a_mark_that_some_operations_have_can_be_asked_for_by_all() {
    let yaml = "chain: { provider: { default: [gate, marker, wall] } }\n\
                handlers: { wall: { when: { mark: [rare] } } }\n\
                operations: { hand.said: { handlers: { marker: { rules: [{ mark: rare, when: {} }] } } } }";
    let operations = [saying("hand.said", "/said", "said"), saying("hand.other", "/other", "other")];
    let app = service(yaml).mount_operations(operations).start().await.unwrap();
    assert_eq!(app.get("/said").send().await.refused_by().as_deref(), Some("wall"));
    assert_eq!(app.get("/other").send().await.status(), StatusCode::OK);
}

/// A list that two chains share is met if one of them gives a mark.
#[tokio::test]
async fn a_chain_without_marks_shares_what_is_said_of_those_with_one() {
    let yaml = |marked: &str| {
        format!(
            "chain: {{ provider: {{ default: [gate, rate-limit], marked: [{marked}] }} }}\n\
             handlers: {{ marker: {{ rules: [{{ mark: bulk, when: {{}} }}] }}, \
             rate-limit: {{ policies: {{ p: {{ rate: 0/s, when: {{ mark: [bulk] }} }} }} }} }}\n\
             operations: {{ hand.bulk: {{ chain: marked }} }}"
        )
    };
    let operations = || [saying("hand.said", "/said", "said"), saying("hand.bulk", "/bulk", "bulk")];
    let app = service(&yaml("gate, marker, rate-limit")).mount_operations(operations()).start().await.unwrap();
    assert_eq!(app.get("/said").send().await.status(), StatusCode::OK);
    assert_eq!(app.get("/bulk").send().await.refused_by().as_deref(), Some("rate-limit"));
    // Nor is it forgotten that the list could be met when the last operation goes that meets it.
    app.running().handle().retain(|operation| operation.id != "hand.bulk").unwrap();
    assert_eq!(app.get("/said").send().await.status(), StatusCode::OK);
    let refused = refusal(service(&yaml("gate, rate-limit, marker")).mount_operations(operations())).await;
    for chain in ["default", "marked"] {
        assert!(refused.contains(&format!("nothing before it in chain `{chain}` provides that")), "{refused}");
    }
}

/// Operations that come later may have any mark.
#[tokio::test]
async fn a_mark_may_be_had_by_what_is_mounted_later() {
    let yaml = "chain: { provider: { default: [gate, wall], marked: [gate, marker, wall] } }\n\
                handlers: { wall: { when: { mark: [late] } } }\n\
                operations: { 'late.*': { chain: marked, handlers: { marker: { rules: [{ mark: late, when: {} }] } } } }";
    let app = service(yaml).expect_mounted("late").mount_operations([saying("hand.said", "/said", "said")]);
    let app = app.start().await.unwrap();
    assert_eq!(app.get("/said").send().await.status(), StatusCode::OK);
    app.running().handle().mount([saying("late.one", "/late", "late")]).unwrap();
    assert_eq!(app.get("/late").send().await.refused_by().as_deref(), Some("wall"));
    app.running().handle().retain(|operation| operation.id != "late.one").unwrap();
    assert_eq!(app.get("/said").send().await.status(), StatusCode::OK);
}

/// Nobody says of a mark that nothing gives it because what gives it is wrong itself.
#[tokio::test]
async fn a_marker_whose_terms_are_wrong_is_one_problem() {
    let yaml = "chain: { provider: { default: [gate, marker, wall] } }\n\
                handlers: { marker: { rules: [{ mark: other, when: {} }] }, wall: { when: { mark: [bulk] } } }\n\
                operations: { hand.said: { handlers: { marker: { \
                when: { path: { regex: '(' } }, rules: [{ mark: bulk, when: {} }] } } } }";
    let operations = [saying("hand.said", "/said", "said"), saying("hand.other", "/other", "other")];
    let refused = refusal(service(yaml).mount_operations(operations)).await;
    assert!(refused.contains("marker.when.path.regex") && refused.contains("1 problem."), "{refused}");
}

/// Services share what they say of policies, rules and costs.
#[test]
fn what_is_said_of_operations_that_another_service_has_is_only_idle() {
    for (said, place) in [
        ("rate-limit: { rate: 9/s, costs: { hand.sad: 2 } }", r#"handlers.rate-limit.costs."hand.sad""#),
        (
            "rate-limit: { policies: { p: { rate: 9/s, when: { operation: [report.*] } } } }",
            "handlers.rate-limit.policies.p.when.operation[0]",
        ),
        (
            "overload: { rules: [{ criticality: sheddable, when: { operation: [report.*] } }] }",
            "handlers.overload.rules[0].when.operation[0]",
        ),
        ("overload: { exempt: { operation: [report.*] } }", "handlers.overload.exempt.operation[0]"),
        (
            "marker: { rules: [{ mark: bulk, when: { operation: [report.*] } }] }",
            "handlers.marker.rules[0].when.operation[0]",
        ),
    ] {
        let chain = "chain: { provider: { default: [gate, marker, overload, rate-limit] } }";
        let own = warned(&format!("{chain}\nhandlers: {{ {said} }}"));
        assert!(own.iter().any(|warning| warning.starts_with(place)), "{place}: {own:?}");
        let one = warned(&format!("{chain}\noperations: {{ hand.said: {{ handlers: {{ {said} }} }} }}"));
        assert!(one.iter().any(|warning| warning.contains(place)), "{place}: {one:?}");
    }
}

#[test]
fn a_scheme_by_which_auth_knows_nobody_is_warned_of() {
    let callers = "{ billing: { rate: 1/s, scheme: apikey } }";
    for (said, place) in [("callers", "callers"), ("policies: { p: { callers", "policies.p.callers")] {
        let close = if place == said { "" } else { " } }" };
        let yaml = format!(
            "chain: {{ provider: {{ default: [gate, rate-limit] }} }}\n\
             handlers: {{ rate-limit: {{ {said}: {callers}{close} }} }}"
        );
        let warned = warned(&yaml);
        let place = format!("handlers.rate-limit.{place}.billing.scheme (test:2:");
        let is_told = |warning: &String| warning.starts_with(&place) && warning.ends_with("; did you mean `api-key`?");
        assert!(warned.iter().any(is_told), "{warned:?}");
    }
}

#[tokio::test]
async fn a_handler_that_would_run_for_no_operation_is_refused() {
    for said in ["handlers: { SAID }", "operations: { hand.said: { handlers: { SAID } } }"] {
        let yaml = said.replace("SAID", "wall: { when: [{ operation: [hand.sad] }] }");
        let refused = refusal(service(&yaml).mount_operations([saying("hand.said", "/said", "said")])).await;
        assert!(refused.contains("handlers.wall.when[0].operation[0]: `hand.sad` is no operation"), "{refused}");
    }
}

/// What is said about a handler that nobody lists is read all the same.
#[tokio::test]
async fn what_is_wrong_with_a_handler_that_no_call_passes_is_said() {
    for (said, at) in [
        ("handlers: { ip-allow: { allow: [10.0.0.0/33] } }", "handlers.ip-allow.allow[0]"),
        ("handlers: { ip-allow: { when: { peer: [localhost] } } }", "handlers.ip-allow.when.peer[0]"),
        ("handlers: { ip-allow: { when: { method: [get] } } }", "handlers.ip-allow.when.method[0]"),
        ("operations: { hand.said: { handlers: { ip-allow: { deny: [there] } } } }", "handlers.ip-allow.deny[0]"),
        (
            "chain: { provider: { spare: [ip-allow] } }\nhandlers: { ip-allow: { deny: [there] } }",
            "handlers.ip-allow.deny[0]",
        ),
    ] {
        let refused = refusal(service(said).mount_operations([saying("hand.said", "/said", "said")])).await;
        assert!(refused.contains(at) && refused.contains("1 problem."), "{said}: {refused}");
    }
}
