//! Preflights pass the chain of the operation that they ask about.

use axum::Router;
use axum::routing::any;
use chassis::app::mount_router;
use chassis::operation::{Access, Text};
use chassis::prelude::*;
use chassis::schema::Mounted;
use chassis::testing::{Answer, TestApp, TestAppBuilder};

use crate::rig::{answering, refusal, service};

/// What these services say: one origin may call what passes `default`, another what passes `partners`, and nobody what
/// passes `inner`.
const CONF: &str = "
chain:
  provider: { default: [cors, gate], partners: [request-id, cors, gate], inner: [gate] }
handlers: { cors: { origins: ['https://app.example'] } }
operations:
  notes.write: { chain: partners, handlers: { cors: { origins: ['https://partner.example'] } } }
  notes.wipe: { chain: inner }
";

/// An operation for known callers at `/notes`.
fn known(id: &str, method: &'static str, template: &str) -> Mounted {
    let mut mounted = answering(id, method, template, |_| Reply::new("done"));
    mounted.operation.access = Access::Auth;
    mounted
}

fn notes() -> TestAppBuilder {
    let operations = [("notes.list", "GET"), ("notes.write", "POST"), ("notes.wipe", "DELETE")];
    service(CONF).mount_operations(operations.map(|(id, method)| known(id, method, "/notes/{page}")))
}

async fn started(builder: TestAppBuilder) -> TestApp {
    builder.start().await.unwrap_or_else(|error| panic!("{error}"))
}

async fn asked(app: &TestApp, path: &str, method: &str, origin: &str) -> Answer {
    app.call("OPTIONS", path).header("origin", origin).header("access-control-request-method", method).send().await
}

/// Whether pages of this origin may make the call.
async fn granted(app: &TestApp, method: &str, origin: &str) -> bool {
    let answer = asked(app, "/notes/1", method, origin).await;
    assert_eq!(answer.status(), 204);
    let allowed = answer.header("access-control-allow-origin") == Some(origin);
    assert_eq!(allowed, answer.header("access-control-allow-methods").is_some());
    allowed
}

#[tokio::test]
async fn each_operation_grants_what_its_own_chain_and_configuration_say() {
    let app = started(notes()).await;
    for (method, app_may, partner_may) in
        [("GET", true, false), ("HEAD", true, false), ("POST", false, true), ("DELETE", false, false)]
    {
        assert_eq!(granted(&app, method, "https://app.example").await, app_may, "{method}");
        assert_eq!(granted(&app, method, "https://partner.example").await, partner_may, "{method}");
    }
}

#[tokio::test]
async fn handlers_before_the_one_that_answers_see_a_preflight_and_those_behind_it_do_not() {
    let app = started(notes()).await;
    let answer = asked(&app, "/notes/1", "POST", "https://partner.example").await;
    assert!(answer.header("x-request-id").is_some());
    let gate = app.spy("gate");
    assert_eq!((app.spy("request-id").passed(), gate.passed(), gate.stopped()), (1, 0, 0));
}

#[tokio::test]
async fn what_no_chain_of_its_own_grants_is_answered_with_the_methods_of_the_path() {
    let app = started(notes()).await;
    let answer = asked(&app, "/notes/1", "DELETE", "https://app.example").await;
    assert_eq!((answer.status().as_u16(), answer.header("allow")), (204, Some("GET, POST, DELETE")));
    assert_eq!((answer.header("vary"), app.spy("cors").stopped(), app.spy("gate").passed()), (None, 0, 1));
}

/// It would pass all those behind `cors` by, however that is configured.
#[tokio::test]
async fn a_preflight_that_nobody_may_answer_passes_those_behind_as_one_that_matches_nothing() {
    for terms in ["shadow: true", "when: { header: { x-page: { present: true } } }"] {
        let yaml = format!(
            "{{ chain: {{ provider: {{ default: [request-id, cors, gate] }} }}, \
             handlers: {{ cors: {{ origins: ['https://app.example'], {terms} }} }} }}"
        );
        let app = started(service(&yaml).mount_operations([known("notes.list", "GET", "/notes/{page}")])).await;
        let answer = asked(&app, "/notes/1", "GET", "https://app.example").await;
        assert_eq!((answer.status().as_u16(), answer.header("allow")), (204, Some("GET")), "{terms}");
        assert_eq!(answer.header("access-control-allow-origin"), None, "{terms}");
        let (before, behind) = (app.spy("request-id"), app.spy("gate"));
        assert_eq!((before.passed(), behind.passed(), behind.stopped()), (1, 1, 0), "{terms}");
    }
}

/// What stands in both chains is passed once.
#[tokio::test]
async fn the_rest_of_a_preflight_is_what_calls_pass_that_match_nothing() {
    let yaml = "{ chain: { provider: { default: [cors, gate], unmatched: [request-id, cors] } }, \
                handlers: { cors: { origins: ['https://app.example'], shadow: true } } }";
    let app = started(service(yaml).mount_operations([known("notes.list", "GET", "/notes/{page}")])).await;
    let answer = asked(&app, "/notes/1", "GET", "https://app.example").await;
    assert_eq!((answer.status().as_u16(), answer.header("x-request-id").is_some()), (204, true));
    assert_eq!((app.spy("gate").passed(), app.spy("request-id").passed()), (0, 1));
}

#[tokio::test]
async fn a_preflight_about_nothing_passes_the_chain_of_unmatched_calls() {
    let app = started(notes()).await;
    for (path, method) in [("/nowhere", "GET"), ("/notes/1", "PURGE"), ("/notes/1", "not a method")] {
        let answer = asked(&app, path, method, "https://app.example").await;
        assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.example"), "{path} {method}");
    }
}

#[tokio::test]
async fn other_options_calls_are_no_preflights() {
    let app = started(notes()).await;
    for field in ["origin", "access-control-request-method"] {
        let answer = app.call("OPTIONS", "/notes/1").header(field, "POST").send().await;
        assert_eq!((answer.status().as_u16(), answer.header("allow").is_some()), (204, true));
        assert_eq!(app.spy("cors").stopped(), 0);
    }
}

#[tokio::test]
async fn an_operation_for_options_answers_itself_through_its_own_chain() {
    let mut own = answering("notes.options", "OPTIONS", "/notes/{page}", |_| Reply::new("own"));
    own.operation.chain = Some(Text::Borrowed("inner"));
    let app = started(notes().mount_operations([own])).await;
    assert_eq!(asked(&app, "/notes/1", "GET", "https://app.example").await.text(), "own");
}

#[tokio::test]
async fn an_operation_for_any_method_answers_only_where_it_is_asked_about() {
    let router = Router::new().fallback(any(|| async { "router" }));
    let mounted = mount_router("rest", "/", &Access::Public, router);
    let inner = mounted.into_iter().map(|mut mounted| {
        mounted.operation.chain = Some(Text::Borrowed("inner"));
        mounted
    });
    let app = started(notes().mount_operations(inner)).await;
    assert!(granted(&app, "GET", "https://app.example").await);
    assert!(!granted(&app, "DELETE", "https://app.example").await);
    assert_eq!(asked(&app, "/elsewhere", "GET", "https://app.example").await.text(), "router");
    assert_eq!(asked(&app, "/notes/1", "PURGE", "https://app.example").await.text(), "router");
}

#[tokio::test]
async fn a_preflight_that_access_would_refuse_first_is_refused_at_start() {
    let yaml = "chain: { provider: { default: [gate, cors] } }";
    insta::assert_snapshot!(refusal(service(yaml)).await, @"
    test-2.yaml:1:38: chain.provider.default[1]: `cors` answers preflights, and `gate` before it in chain `default` lets none through: browsers send no credentials with them
      1 | chain: { provider: { default: [gate, cors] } }
        |                                      ^^^^
      help: move `cors` before `gate`

    The configuration has 1 problem.
    ");
}
