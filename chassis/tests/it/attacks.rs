//! Callers who lie, and callers who send what is dear to look at. What is tried on tokens, bodies and sockets alone is
//! proved where these are read.

use std::collections::{BTreeMap, HashMap};

use chassis::prelude::*;
use chassis::testing::{Answer, TestApp};
use serde_json::Value;

use crate::rig::{saying, service, started};

/// Takes names that callers choose.
#[schema("/names")]
struct Names;

#[operations]
impl Names {
    /// Counts those of the query, hashed.
    #[get("/hashed", public)]
    fn hashed(&self, Query(names): Query<HashMap<String, String>>) -> String {
        names.len().to_string()
    }

    /// Counts those of the query, sorted.
    #[get("/sorted", public)]
    fn sorted(&self, Query(names): Query<BTreeMap<String, String>>) -> String {
        names.len().to_string()
    }

    /// Counts those of a document.
    #[post("/", public)]
    fn document(&self, Json(names): Json<HashMap<String, Value>>) -> String {
        names.len().to_string()
    }
}

/// Names of which all have one hash, where that multiplies by 31: `Aa` and `BB` have the same there.
fn names(count: usize) -> Vec<String> {
    let bits = count.next_power_of_two().ilog2();
    let name = |number: usize| (0..bits).map(|bit| if number >> bit & 1 == 0 { "Aa" } else { "BB" }).collect();
    (0..count).map(name).collect()
}

async fn limited(policy: &str) -> TestApp {
    let yaml = "chain: { provider: { default: [gate, rate-limit] } }\nhandlers: { rate-limit: { ";
    let app = service(&format!("{yaml}{policy} }} }}")).mount_operations([saying("wares.list", "/wares", "all")]);
    app.start().await.unwrap()
}

fn passed(answers: &[Answer]) -> usize {
    answers.iter().filter(|answer| answer.status().is_success()).count()
}

#[tokio::test(start_paused = true)]
async fn who_forges_where_it_comes_from_is_counted_as_who_it_is() {
    let app = limited("rate: 3/h, trusted-proxies: [10.0.0.0/8]").await;
    for field in ["x-forwarded-for", "forwarded", "x-real-ip", "true-client-ip", "cf-connecting-ip", "via"] {
        let mut answers = Vec::new();
        for number in 0..10 {
            let call = app.get("/wares").from("192.0.2.7".parse().unwrap());
            answers.push(call.header(field, &format!("10.0.0.1, 198.51.100.{number}")).send().await);
        }
        assert_eq!(passed(&answers), 3, "{field}");
        app.advance(std::time::Duration::from_secs(3600)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn behind_a_trusted_proxy_a_caller_cannot_prepend_another() {
    let app = limited("rate: 3/h, trusted-proxies: [10.0.0.0/8]").await;
    let mut answers = Vec::new();
    for number in 0..10 {
        let call = app.get("/wares").from("10.0.0.1".parse().unwrap());
        answers.push(call.header("x-forwarded-for", &format!("198.51.100.{number}, 192.0.2.7")).send().await);
    }
    assert_eq!(passed(&answers), 3);
}

#[tokio::test(start_paused = true)]
async fn made_up_keys_are_refused_sooner_and_take_no_room() {
    let app = limited("rate: 1/h, key: 'header:x-tenant', max-keys: 1000").await;
    let mut answers = Vec::new();
    for name in names(4096) {
        answers.push(app.get("/wares").header("x-tenant", &name).send().await);
    }
    assert!((900..1100).contains(&passed(&answers)), "{}", passed(&answers));
    let known = app.get("/wares").header("x-tenant", "another").send().await;
    assert_eq!(known.status(), 429, "nobody gets a limit of its own while there is no room");
}

#[tokio::test]
async fn names_of_one_hash_are_taken_as_far_as_there_may_be_so_many() {
    let app = started("protocols: { rest: { max-headers: 100, max-target-bytes: 8KiB, max-body: 64KiB } }").await;
    let query = names(400).iter().map(|name| format!("{name}=&")).collect::<String>();
    for path in ["/names/hashed", "/names/sorted"] {
        assert_eq!(app.get(&format!("{path}?{query}")).send().await.text(), "400");
        assert_eq!(app.get(&format!("{path}?{query}{query}")).send().await.status(), 414);
    }
    let document = |count| {
        Value::from(names(count).into_iter().map(|name| (name, Value::Null)).collect::<serde_json::Map<_, _>>())
    };
    assert_eq!(app.post("/names").json(&document(1024)).send().await.text(), "1024");
    assert_eq!(app.post("/names").json(&document(4096)).send().await.status(), 413);
    let headed = |count| names(count).iter().fold(app.get("/names/hashed"), |call, name| call.header(name, ""));
    assert_eq!(headed(90).send().await.text(), "0");
    assert_eq!(headed(128).send().await.status(), 431);
}

#[tokio::test]
async fn a_document_is_no_deeper_than_it_may_be() {
    let app = started("").await;
    let deep = |depth: usize| format!("{{\"a\":{}1{}}}", "[".repeat(depth), "]".repeat(depth));
    let sent = async |depth| {
        let call = app.post("/names").header("content-type", "application/json").body(deep(depth));
        call.send().await.status().as_u16()
    };
    assert_eq!((sent(100).await, sent(100_000).await), (200, 400));
}
