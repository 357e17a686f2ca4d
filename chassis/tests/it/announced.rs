//! Schemas that are mounted while the service runs, and what configuration can say of them before.

use chassis::catalog::Catalog;
use chassis::prelude::*;
use serde::Deserialize;

use crate::rig::{refusal, saying, service};

const LATE: &str = "\
expect: [late]
protocols: { rest-inner: { listen: ':0', schemas: [late] } }
chain: { provider: { quiet: [] } }
operations: { 'late.*': { timeout: 1s }, late.one: { chain: quiet } }
";

/// What a schema that is mounted later is made with.
#[derive(Debug, Deserialize, chassis::generated::schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "chassis::generated::schemars")]
struct Late {
    #[serde(deserialize_with = "word")]
    text: String,
}

/// Reads one word: more than a JSON Schema says.
fn word<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.contains(' ') { Err(serde::de::Error::custom("one word is expected")) } else { Ok(text) }
}

#[tokio::test]
async fn a_schema_that_is_announced_can_be_spoken_of_before_it_is_mounted() {
    let app = service(LATE).expect_mounted("late").start().await.unwrap();
    let late = || app.get("/late").at("rest-inner").send();
    assert_eq!(late().await.status(), 404);
    app.running().handle().mount([saying("late.one", "/late", "one")]).unwrap();
    assert_eq!((late().await.text(), app.get("/late").send().await.status().as_u16()), ("one".to_owned(), 404));
    assert_eq!(app.spy("gate").passed(), 2, "the calls that matched nothing, and no other");
    let snapshot = app.running().provider().snapshot();
    let target = snapshot.targets.iter().find(|target| target.operation.id == "late.one").unwrap();
    assert_eq!(target.timeout, Some(std::time::Duration::from_secs(1)));
    assert_eq!(target.operation.listeners, ["rest-inner"]);
}

#[tokio::test]
async fn a_schema_that_is_not_announced_is_unknown_wherever_it_is_named() {
    let error = refusal(service(LATE)).await;
    for place in [
        "test-2.yaml:1:10: expect[0]",
        "test-2.yaml:2:52: protocols.rest-inner.schemas[0]",
        "operations.late.*",
        "operations.late.one",
    ] {
        assert!(error.contains(place), "{place} in {error}");
    }
}

#[tokio::test]
async fn a_schema_that_is_announced_with_its_conf_is_made_with_what_yaml_says() {
    let announced = |yaml: &str| service(yaml).expect_mounted_with::<Late>("late");
    let app = announced("schemas: { late: { text: hello } }").start().await.unwrap();
    assert_eq!(app.running().handle().conf::<Late>("late").unwrap().text, "hello");
    let error = refusal(announced("schemas: { late: { text: two words } }")).await;
    assert!(error.starts_with("test-2.yaml:1:26: schemas.late.text: one word is expected\n"), "{error}");
    let error = refusal(announced("schemas: { late: { text: a, colour: red } }")).await;
    assert!(error.contains("schemas.late.colour: this key is not known"), "{error}");
    let error = refusal(service("schemas: { late: { text: a } }").expect_mounted("late")).await;
    assert!(error.contains("schemas.late: this takes no configuration"), "{error}");
}

#[tokio::test]
async fn listeners_stay_what_they_are_whatever_is_mounted() {
    let names: Vec<&str> = Catalog::linked().unwrap().schemas.iter().map(|entry| entry.head.name).collect();
    let all = format!("protocols: {{ rest-all: {{ listen: ':0', schemas: [{}] }} }}", names.join(", "));
    let app = service(&all).start().await.unwrap();
    let entry = app.running().provider().entry("rest-all").unwrap();
    app.running().handle().mount([saying("late.one", "/late", "one")]).unwrap();
    let request = http::Request::get("/origins").body(Body::empty()).unwrap();
    assert_eq!(entry.call(request, Peer::Local).await.status(), 200);
    assert!(app.running().provider().entry("rest").is_none(), "nobody listens there");
}
