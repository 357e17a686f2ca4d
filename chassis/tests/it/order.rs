//! The order of chains is proved before anything starts; these are the texts that operators read.

use chassis::operation::{Access, Text};
use chassis::prelude::*;
use chassis::schema::Mounted;

use crate::rig::{refusal, saying, service};

/// Counts calls of known callers.
#[handler("meter", requires("principal"))]
struct Meter;

/// Stands in front of `gate`.
#[handler("porch", before("gate"))]
struct Porch;

impl Configure for Meter {
    type Conf = ();

    fn build((): (), _: &BuildContext<'_>) -> Result<Self, BuildError> {
        Ok(Self)
    }
}

impl Configure for Porch {
    type Conf = ();

    fn build((): (), _: &BuildContext<'_>) -> Result<Self, BuildError> {
        Ok(Self)
    }
}

impl Handler for Meter {}
impl Handler for Porch {}

/// Knows its callers.
#[schema("/known")]
struct Known;

#[operations]
impl Known {
    /// Says who calls.
    #[get("/", public)]
    fn who(&self, caller: Principal) -> String {
        caller.subject().to_owned()
    }
}

/// Why a service with this YAML does not start.
async fn error(yaml: &str) -> String {
    refusal(service(yaml)).await
}

/// An operation that passes the chain `thin`.
fn thin() -> Mounted {
    let mut mounted = saying("hand.thin", "/thin", "thin");
    mounted.operation.chain = Some(Text::Borrowed("thin"));
    mounted
}

#[tokio::test]
async fn access_that_nothing_enforces_is_refused() {
    let mut mounted = thin();
    mounted.operation.access = Access::Scopes(vec![Text::Borrowed("a:read")].into());
    let service = service("chain: { provider: { thin: [request-id] } }").mount_operations([mounted]);
    insta::assert_snapshot!(refusal(service).await, @"
    test-2.yaml:1:22: chain.provider.thin: nothing in chain `thin` enforces the access of `hand.thin`, which is `scopes(a:read)` (made at run time)
      1 | chain: { provider: { thin: [request-id] } }
        |                      ^^^^
      help: list `auth` or `gate` in chain.provider.thin

    The configuration has 1 problem.
    ");
}

#[tokio::test]
async fn a_principal_that_nothing_provides_is_refused() {
    let yaml = "chain: { provider: { thin: [request-id] } }\noperations: { known.who: { chain: thin } }";
    insta::assert_snapshot!(error(yaml).await, @"
    test-2.yaml:1:22: chain.provider.thin: `known.who` takes `caller: Principal`, and nothing in chain `thin` provides `principal` (chassis/tests/it/order.rs:44:8)
      1 | chain: { provider: { thin: [request-id] } }
        |                      ^^^^
      help: list `auth` or `gate` in chain.provider.thin

    The configuration has 1 problem.
    ");
}

#[tokio::test]
async fn a_handler_listed_twice_is_refused() {
    insta::assert_snapshot!(error("chain: { provider: { default: [gate, request-id, gate] } }").await, @"
    test-2.yaml:1:50: chain.provider.default[2]: chain `default` lists `gate` twice, and it has no effect a second time
      1 | chain: { provider: { default: [gate, request-id, gate] } }
        |                                                  ^^^^
      help: remove one of the two `gate`

    The configuration has 1 problem.
    ");
}

#[tokio::test]
async fn an_id_is_given_only_where_the_span_is_there_to_take_it() {
    let error = error("chain: { provider: { default: [request-id, tracing, gate] } }").await;
    assert!(error.contains("`request-id` must stand after `tracing` in chain `default`"), "{error}");
    let right = service("chain: { provider: { default: [tracing, request-id, gate] } }");
    assert!(right.mount_operations([saying("a.b", "/", "c")]).start().await.is_ok());
}

#[tokio::test]
async fn a_handler_that_needs_what_comes_later_is_refused() {
    insta::assert_snapshot!(error("chain: { provider: { default: [meter, gate] } }").await, @"
    test-2.yaml:1:32: chain.provider.default[0]: `meter` in chain `default` needs `principal`, and nothing before it provides that
      1 | chain: { provider: { default: [meter, gate] } }
        |                                ^^^^^
      help: move `gate` before `meter`

    The configuration has 1 problem.
    ");
}

#[tokio::test]
async fn a_handler_that_needs_what_is_not_there_is_refused() {
    insta::assert_snapshot!(error("chain: { provider: { thin: [meter] } }").await, @"
    test-2.yaml:1:29: chain.provider.thin[0]: `meter` in chain `thin` needs `principal`, and nothing before it provides that
      1 | chain: { provider: { thin: [meter] } }
        |                             ^^^^^
      help: list `auth` or `gate` in chain.provider.thin

    The configuration has 1 problem.
    ");
}

#[tokio::test]
async fn a_handler_that_is_configured_to_need_what_comes_later_is_refused_at_that_value() {
    let yaml = "
chain: { provider: { default: [rate-limit, gate], late: [gate, rate-limit], none: [rate-limit] } }
handlers: { rate-limit: { rate: 9/s } }
operations:
  known.*: { handlers: { rate-limit: { key: principal } } }
  fails.known: { chain: late, handlers: { rate-limit: { key: principal } } }
  fails.rich: { chain: none, handlers: { rate-limit: { key: principal } } }";
    insta::assert_snapshot!(error(yaml).await, @"
    test-2.yaml:5:45: operations.known.*.handlers.rate-limit.key: `rate-limit` needs `principal` for this, and nothing before it in chain `default` provides that
      5 |   known.*: { handlers: { rate-limit: { key: principal } } }
        |                                             ^^^^^^^^^
      help: move `rate-limit` behind `gate` in chain.provider.default, or write another value here

    test-2.yaml:7:61: operations.fails.rich.handlers.rate-limit.key: `rate-limit` needs `principal` for this, and nothing before it in chain `none` provides that
      7 |   fails.rich: { chain: none, handlers: { rate-limit: { key: principal } } }
        |                                                             ^^^^^^^^^
      help: list `auth` or `gate` in chain.provider.none, before `rate-limit`, or write another value here

    The configuration has 2 problems.
    ");
}

#[tokio::test]
async fn what_is_shared_by_operations_is_said_once_and_not_of_calls_that_match_none() {
    let wrong = "
chain: { provider: { default: [rate-limit, gate] } }
handlers: { rate-limit: { rate: 9/s, key: principal } }";
    assert!(error(wrong).await.ends_with("The configuration has 1 problem."));
    let right = wrong.replace("[rate-limit, gate]", "[gate, rate-limit], unmatched: [rate-limit]");
    assert!(service(&right).start().await.is_ok());
}

#[tokio::test]
async fn a_handler_at_the_wrong_place_is_refused() {
    insta::assert_snapshot!(error("chain: { provider: { default: [gate, porch] } }").await, @"
    test-2.yaml:1:38: chain.provider.default[1]: `porch` must stand before `gate` in chain `default`
      1 | chain: { provider: { default: [gate, porch] } }
        |                                      ^^^^^
      help: move `porch` before `gate`

    The configuration has 1 problem.
    ");
}

#[tokio::test]
async fn what_is_kept_is_given_only_when_all_have_been_asked_who_decide() {
    insta::assert_snapshot!(error("chain: { provider: { default: [cache, ip-allow, gate, rate-limit] } }").await, @"
    test-2.yaml:1:32: chain.provider.default[0]: `cache` must stand after `ip-allow`, `rate-limit` in chain `default`: it may answer without asking those behind it
      1 | chain: { provider: { default: [cache, ip-allow, gate, rate-limit] } }
        |                                ^^^^^
      help: move `cache` after `rate-limit`

    The configuration has 1 problem.
    ");
    let free = ["cache", "concurrency", "deadline", "fault-injection", "limit-body", "overload"];
    let pages =
        include_str!("../../src/handlers.rs").lines().filter_map(|line| line.split("mod ").nth(1)?.strip_suffix(';'));
    let names: Vec<_> = pages.map(|name| name.replace('_', "-")).filter(|name| !free.contains(&&**name)).collect();
    assert!(names.len() > 12, "{names:?}");
    for name in names {
        let error = error(&format!("chain: {{ provider: {{ default: [gate, cache, {name}] }} }}")).await;
        assert!(error.contains(&format!("`cache` must stand after `{name}`")), "{error}");
    }
}

#[tokio::test]
async fn what_is_about_the_operation_alone_may_be_spared_by_what_is_kept() {
    let yaml = "chain: { provider: { default: [gate, cache, deadline, overload, concurrency, limit-body] } }";
    assert_eq!(service(yaml).start().await.map(drop).map_err(|error| error.to_string()), Ok(()));
}

#[tokio::test]
async fn a_chain_that_is_not_there_is_named_with_who_asks_for_it() {
    insta::assert_snapshot!(refusal(service("chain: { provider: { thick: [gate] } }").mount_operations([thin()])).await, @"
    test-1.yaml:1:10: chain.provider: `hand.thin` asks for chain `thin`, which does not exist (made at run time)
      1 | chain: { provider: { default: [gate] } }
        |          ^^^^^^^^
      help: write it under chain.provider, or use one of `default`, `thick`, `unmatched`

    The configuration has 1 problem.
    ");
    insta::assert_snapshot!(error("operations: { known.who: { chain: defualt } }").await, @"
    test-2.yaml:1:35: operations.known.who.chain: there is no chain `defualt`
      1 | operations: { known.who: { chain: defualt } }
        |                                   ^^^^^^^
      help: did you mean `default`?

    The configuration has 1 problem.
    ");
}

#[tokio::test]
async fn an_edit_without_its_anchor_is_refused() {
    let yaml = "chain: { provider: { own: { extends: default, add: [{ handler: request-id, after: gaet }] } } }";
    insta::assert_snapshot!(error(yaml).await, @"
    test-2.yaml:1:83: chain.provider.own.add[0].after: there is no handler `gaet`
      1 | chain: { provider: { own: { extends: default, add: [{ handler: request-id, after: gaet }] } } }
        |                                                                                   ^^^^
      help: did you mean `gate`?

    The configuration has 1 problem.
    ");
}

#[tokio::test]
async fn a_misspelt_handler_is_one_problem_also_where_a_chain_is_edited() {
    let yaml = "
chain:
  provider:
    default: [gtae]
    own: { extends: default, add: [{ handler: request-id, after: gate }] }";
    insta::assert_snapshot!(error(yaml).await, @"
    test-2.yaml:4:15: chain.provider.default[0]: there is no handler `gtae`
      4 |     default: [gtae]
        |               ^^^^
      help: did you mean `gate`?

    The configuration has 1 problem.
    ");
}

#[tokio::test]
async fn what_a_chain_takes_over_is_wrong_where_it_is_written() {
    let yaml = "chain: { provider: { default: [gate, gate], own: { extends: default, add: [{ handler: meter }] } } }";
    let said = error(yaml).await;
    assert!(said.contains("chain.provider.default[1]: chain `default` lists `gate` twice"), "{said}");
    assert!(said.ends_with("The configuration has 1 problem."), "{said}");
}

#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once() {
    let yaml = "
chain:
  provider:
    default: [gate, gate]
    thin: [meter]
timeout: soon
unknown: 1
operations: { known.hwo: { timeout: 1s } }";
    insta::assert_snapshot!(error(yaml).await, @"
    test-2.yaml:4:21: chain.provider.default[1]: chain `default` lists `gate` twice, and it has no effect a second time
      4 |     default: [gate, gate]
        |                     ^^^^
      help: remove one of the two `gate`

    test-2.yaml:5:12: chain.provider.thin[0]: `meter` in chain `thin` needs `principal`, and nothing before it provides that
      5 |     thin: [meter]
        |            ^^^^^
      help: list `auth` or `gate` in chain.provider.thin

    test-2.yaml:6:10: timeout: `soon` is not a length of time
      6 | timeout: soon
        |          ^^^^
      help: write it as `250ms`, `2s`, `5m` or `1m30s`

    test-2.yaml:7:1: unknown: this key is not known
      7 | unknown: ***
        | ^^^^^^^
      help: the keys here are `admin`, `chain`, `components`, `drain`, `expect`, `handlers`, `log`, `operations`, `protocols`, `redis`, `routing`, `runtime`, `schemas`, `service`, `start`, `telemetry`, `timeout`

    test-2.yaml:8:15: operations.known.hwo: `known.hwo` is no operation
      8 | operations: { known.hwo: { timeout: 1s } }
        |               ^^^^^^^^^
      help: did you mean `known.who`?

    The configuration has 5 problems.
    ");
}

#[tokio::test]
async fn what_a_handler_finds_wrong_is_said_once_at_its_value() {
    let yaml = "
chain: { provider: { default: [gate, stamp] } }
handlers: { stamp: { text: \"a\\nb\" } }";
    insta::assert_snapshot!(error(yaml).await, @r#"
    test-2.yaml:3:28: handlers.stamp.text: this cannot stand in a header field
      3 | handlers: { stamp: { text: "a\nb" } }
        |                            ^^^^^^^

    The configuration has 1 problem.
    "#);
}

#[tokio::test]
async fn an_edited_chain_runs_in_its_order() {
    let yaml = "
chain:
  provider:
    own: { extends: default, add: [{ handler: porch, before: gate }, { handler: meter, after: gate }] }
operations: { known.who: { chain: own } }";
    let app = service(yaml).start().await.unwrap();
    let answer = app.get("/known").principal(chassis::testing::principal("ada")).send().await;
    assert_eq!(answer.text(), "ada");
    assert_eq!((app.spy("porch").passed(), app.spy("meter").passed()), (1, 1));
}
