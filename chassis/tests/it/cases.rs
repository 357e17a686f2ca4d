//! What users of other chassis rely on, and what went wrong there, as far as it takes a whole service to show it:
//! `docs/cases.md` lists all of it.

use std::time::Duration;

use chassis::prelude::*;
use chassis::testing::TestApp;

use crate::rig::{answering, refusal, saying, service};

/// Refuses calls that ask for it, without saying more than it must.
#[handler("refuser")]
struct Refuser;

impl Configure for Refuser {
    type Conf = ();

    fn build((): (), _: &BuildContext<'_>) -> Result<Self, BuildError> {
        Ok(Self)
    }
}

impl Handler for Refuser {
    fn before(&self, invocation: &mut Invocation) -> Verdict {
        let code = match invocation.uri().query() {
            Some("who") => Code::Unauthenticated,
            Some("odd") => return Fault::internal("the cause of the refusal").into(),
            _ => return Verdict::Continue,
        };
        Fault::new(code, "Not you.").into()
    }
}

async fn started(yaml: &str) -> TestApp {
    let builder = TestApp::builder("it").conf(yaml).mount_operations([
        saying("wares.find", "/wares/{id}", "here"),
        saying("wares.list", "/wares", "all"),
        saying("orders.list", "/orders", "all"),
    ]);
    builder.start().await.expect("this service starts")
}

#[tokio::test]
async fn calls_are_traced_where_no_chain_is_configured() {
    // The schemas of these tests need `gate`: the operation that is looked at passes the chain that nobody wrote.
    let app = started(
        "chain: { provider: { own: [gate] } }\noperations: { '*.*': { chain: own }, wares.list: { chain: default } }",
    )
    .await;
    assert_eq!(app.get("/wares").send().await.text(), "all");
    assert_eq!((app.spy("tracing").seen(), app.spy("gate").seen()), (1, 0));
}

#[tokio::test]
async fn a_call_passes_an_empty_chain() {
    for empty in ["[]", "[ ]", "{ extends: default, remove: [gate] }"] {
        let app = started(&format!(
            "chain: {{ provider: {{ default: [gate], bare: {empty} }} }}\noperations: {{ wares.list: {{ chain: bare }} }}"
        ))
        .await;
        assert_eq!(app.get("/wares").send().await.text(), "all", "{empty}");
        assert_eq!(app.spy("gate").seen(), 0, "{empty}");
    }
}

#[tokio::test]
async fn a_handler_that_is_not_there_is_named_with_its_chain() {
    for (chain, handlers) in [("default", "[x]"), ("own", "[gate, x]"), ("unmatched", "['']"), ("own", "[',']")] {
        let error = refusal(service(&format!("chain: {{ provider: {{ {chain}: {handlers} }} }}"))).await;
        let name = handlers.trim_matches(['[', ']']).rsplit(' ').next().unwrap_or_default().trim_matches('\'');
        assert!(error.contains(&format!("chain.provider.{chain}[")), "{error}");
        assert!(error.contains(&format!("there is no handler `{name}`")), "{error}");
    }
}

#[tokio::test]
async fn an_operation_without_a_chain_of_its_own_passes_the_default_one() {
    let app = started(
        "chain: { provider: { default: [gate], own: [gate, stamp] } }\noperations: { orders.list: { chain: own } }",
    )
    .await;
    app.get("/wares").send().await;
    assert_eq!((app.spy("gate").seen(), app.spy("stamp").seen()), (1, 0));
    app.get("/orders").send().await;
    assert_eq!((app.spy("gate").seen(), app.spy("stamp").seen()), (2, 1));
}

#[tokio::test]
async fn what_stands_behind_a_refusal_does_not_run() {
    let called = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = std::sync::Arc::clone(&called);
    let counting = answering("wares.count", "GET", "/count", move |_| {
        counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Reply::new("counted")
    });
    let app = service("chain: { provider: { default: [gate, refuser, stamp] } }").mount_operations([counting]);
    let app = app.start().await.unwrap();
    let refused = app.get("/count?who").send().await;
    assert_eq!((refused.status().as_u16(), refused.refused_by().as_deref()), (401, Some("refuser")));
    assert_eq!((app.spy("stamp").seen(), called.load(std::sync::atomic::Ordering::Relaxed)), (0, 0));
    assert_eq!(app.get("/count").send().await.text(), "counted");
}

#[tokio::test]
async fn a_refusal_that_has_no_status_of_its_own_is_500_and_tells_no_cause() {
    let app = service("chain: { provider: { default: [gate, refuser] } }");
    let app = app.mount_operations([saying("wares.list", "/wares", "all")]).start().await.unwrap();
    let refused = app.get("/wares?odd").send().await;
    assert_eq!((refused.status().as_u16(), refused.code().as_deref()), (500, Some("internal")));
    assert!(!refused.text().contains("the cause"), "{}", refused.text());
    assert_eq!(app.running().provider().panics(), 0);
}

const FAILING: &str = "chain: { provider: { default: [gate, fault-injection] } }\n";

async fn failed(app: &TestApp, path: &str) -> bool {
    app.get(path).send().await.status() == 500
}

#[tokio::test]
async fn faults_are_for_the_schema_that_is_named_and_no_other() {
    let yaml = "operations: { 'wares.*': { handlers: { fault-injection: { abort: { status: 500 } } } } }";
    let app = started(&format!("{FAILING}{yaml}")).await;
    assert!(failed(&app, "/wares").await && failed(&app, "/wares/1").await);
    assert_eq!(app.get("/orders").send().await.text(), "all");
}

#[tokio::test]
async fn a_fault_of_all_operations_is_switched_off_for_one_by_a_share_of_nothing() {
    let off = "handlers: { fault-injection: { abort: { share: 0% } } }";
    for common in [
        "handlers: { fault-injection: { abort: { status: 500 } } }\noperations: { ",
        "operations: { 'wares.*': { handlers: { fault-injection: { abort: { status: 500 } } } }, ",
    ] {
        let app = started(&format!("{FAILING}{common}wares.list: {{ {off} }} }}")).await;
        assert!(!failed(&app, "/wares").await, "{common}");
        assert!(failed(&app, "/wares/1").await, "{common}");
    }
}

/// `delay` may be absent and says what it needs where it is there; what one operation says of it needs not say that again.
#[tokio::test]
async fn a_delay_of_all_operations_is_switched_off_for_one_by_a_share_of_nothing() {
    let yaml = "handlers: { fault-injection: { delay: { time: 30s } } }
operations: { wares.list: { handlers: { fault-injection: { delay: { share: 0% } } } } }";
    let app = started(&format!("{FAILING}{yaml}")).await;
    assert_eq!(app.get("/wares").send().await.text(), "all");
    let late = tokio::time::timeout(Duration::from_millis(50), app.get("/wares/1").send()).await;
    assert!(late.is_err(), "it is late");
}

#[tokio::test]
async fn a_fault_of_one_operation_is_switched_on_though_its_schema_has_none() {
    let yaml = "operations: { 'wares.*': { handlers: { fault-injection: { abort: { status: 500, share: 0% } } } }, wares.list: { handlers: { fault-injection: { abort: { share: 100% } } } } }";
    let app = started(&format!("{FAILING}{yaml}")).await;
    assert!(failed(&app, "/wares").await && !failed(&app, "/wares/1").await);
}

#[tokio::test]
async fn ten_thousand_paths_to_one_operation_take_no_more_room_than_one() {
    let app = started(
        "chain: { provider: { default: [tracing, metrics, overload, concurrency, rate-limit, gate] } }
handlers: { metrics: { self-time: 100% }, rate-limit: { rate: 1000000/s, key: operation } }",
    )
    .await;
    let series = || app.metrics().families().iter().map(|family| family.series.len()).sum::<usize>();
    let call = async |id: &str| {
        assert_eq!(app.get(&format!("/wares/{id}")).send().await.text(), "here");
        assert_eq!(app.get(&format!("/nothing/{id}")).send().await.status(), 404);
    };
    call("first").await;
    let before = series();
    for id in 0..10_000 {
        call(&id.to_string()).await;
    }
    assert_eq!(series(), before);
}

#[tokio::test]
async fn no_spelling_of_a_path_leads_to_an_operation_past_a_condition() {
    let yaml = "chain: { provider: { default: [gate, rate-limit] } }
handlers: { rate-limit: { policies: { wares: { rate: 0/s, when: { path: /wares } } } } }";
    let (app, strict) = (started(yaml).await, started(&format!("{yaml}\nrouting: {{ trailing-slash: strict }}")).await);
    for (sent, lax, exact) in [
        ("/wares", 429, 429),
        ("/%77ares", 429, 429),
        ("/w%61re%73?a=b", 429, 429),
        ("/wares/", 429, 404),
        ("/ware%73/", 429, 404),
        ("//wares", 404, 404),
        ("/wares//", 404, 404),
        ("/wares%2F", 404, 404),
        ("/wares/7", 200, 200),
    ] {
        assert_eq!(app.get(sent).send().await.status().as_u16(), lax, "{sent}");
        assert_eq!(strict.get(sent).send().await.status().as_u16(), exact, "{sent}, strict");
    }
}

#[tokio::test]
async fn what_is_measured_is_shown_to_operators_and_not_where_calls_come_in() {
    let app = started("chain: { provider: { default: [metrics, gate] } }").await;
    assert_eq!(app.get("/metrics").send().await.status(), 404);
    assert_eq!(app.get("/wares").send().await.text(), "all");
}
