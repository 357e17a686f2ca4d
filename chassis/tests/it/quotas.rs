//! Of several limits that configuration says of an operation the most specific holds; of several policies all do.

use chassis::testing::TestApp;

use crate::rig::{refusal, saying, service};

async fn greeting(yaml: &str) -> TestApp {
    let chain = "chain: { provider: { default: [gate, rate-limit] } }";
    let app = service(chain).conf(yaml).mount_operations([saying("greeting.hello", "/greetings/{name}", "hello")]);
    app.start().await.unwrap()
}

async fn passed(app: &TestApp, calls: usize) -> usize {
    let mut passed = 0;
    for _ in 0..calls {
        passed += usize::from(app.get("/greetings/ada").send().await.status().is_success());
    }
    passed
}

/// The behaviour case D03, under the names of chassis.
#[tokio::test(start_paused = true)]
async fn the_limit_of_an_operation_comes_before_that_of_its_schema_and_that_before_the_common_one() {
    let operation = "greeting.hello: { handlers: { rate-limit: { rate: 1/h } } }";
    let schema = "greeting.*: { handlers: { rate-limit: { rate: 2/h } } }";
    for (said, expected) in [(format!("{operation}, {schema}"), 1), (schema.to_owned(), 2), (String::new(), 3)] {
        let yaml = format!("handlers: {{ rate-limit: {{ rate: 3/h }} }}\noperations: {{ {said} }}");
        assert_eq!(passed(&greeting(&yaml).await, 5).await, expected, "{said}");
    }
}

/// The behaviour case D07.
#[tokio::test(start_paused = true)]
async fn a_limit_that_is_not_enforced_refuses_nothing() {
    assert_eq!(passed(&greeting("handlers: { rate-limit: { rate: 0/s, shadow: true } }").await, 5).await, 5);
    assert_eq!(passed(&greeting("handlers: { rate-limit: { rate: 0/s, enforce: 0% } }").await, 5).await, 5);
    assert_eq!(passed(&greeting("handlers: { rate-limit: { rate: 0/s } }").await, 5).await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_names_the_policy_and_lists_all() {
    let app = greeting(
        "handlers: { rate-limit: { rate: 9/h, policies: { names: { rate: 1/m, key: [peer, 'param:name'] } } } }",
    )
    .await;
    assert_eq!(passed(&app, 2).await, 1);
    let refused = app.get("/greetings/ada").send().await;
    assert_eq!((refused.status().as_u16(), refused.refused_by().as_deref()), (429, Some("rate-limit")));
    assert_eq!(refused.header("ratelimit-policy"), Some(r#""default";q=9;w=3600, "names";q=1;w=60"#));
    assert_eq!(refused.header("ratelimit"), Some(r#""default";r=8, "names";r=0;t=60"#));
    assert!(refused.text().contains(r#""policy":"names""#), "{}", refused.text());
    assert_eq!(app.get("/greetings/bob").send().await.status().as_u16(), 200);
}

#[tokio::test]
async fn what_is_wrong_with_redis_is_said_once_whoever_asks_for_it() {
    let yaml = "redis: { url: nowhere }
chain: { provider: { default: [gate, rate-limit] } }
handlers: { rate-limit: { rate: 5/h, store: redis } }";
    let error = refusal(service(yaml)).await;
    assert!(error.starts_with("test-2.yaml:1:15: redis.url: "), "{error}");
    assert!(error.ends_with("The configuration has 1 problem."), "{error}");
    let nowhere = refusal(service(&yaml.replace("redis: { url: nowhere }", ""))).await;
    assert!(nowhere.contains("handlers.rate-limit.store: "), "{nowhere}");
}
