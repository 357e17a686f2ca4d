//! Proves what questions promise, against a real Redis.

use serde_json::json;
use tokio::net::TcpListener;

use super::fixture::{Instance, Server, until};
use super::*;
use crate::background::Works;
use crate::conf::source::InMemory;
use crate::invocation::fixture::Page;

/// Says what it was given.
const ECHO: &str = "return { KEYS[1], ARGV[1] }";

fn client(instance: &Instance) -> Client {
    instance.process.redis.client("store", &instance.context()).unwrap()
}

async fn asked(client: &Client) -> Result<Vec<Vec<u8>>, Away> {
    client.ask(&Script::new(ECHO), &["key".to_owned()], &[b"a\0\xff".to_vec()]).await
}

fn answer() -> Result<Vec<Vec<u8>>, Away> {
    Ok(vec![b"key".to_vec(), b"a\0\xff".to_vec()])
}

fn outcomes(instance: &Instance) -> [f64; 4] {
    ["answered", "failed", "late", "unasked"].map(|outcome| instance.measured("chassis.redis.questions", Some(outcome)))
}

#[tokio::test]
async fn a_question_is_answered_whether_or_not_redis_knows_the_script() {
    let Some(server) = Server::started().await else { return };
    let instance = server.instance(json!({}));
    let client = client(&instance);
    assert_eq!([asked(&client).await, asked(&client).await], [answer(), answer()]);
    server.says("SCRIPT FLUSH").await.unwrap();
    assert_eq!(asked(&client).await, answer());
    assert_eq!((outcomes(&instance), client.is_away()), ([3.0, 0.0, 0.0, 0.0], false));
}

#[tokio::test]
async fn a_redis_that_is_away_is_not_asked_and_comes_back_by_itself() {
    let Some(mut server) = Server::started().await else { return };
    let instance = server.instance(json!({ "retry": "10m" }));
    let (client, log) = (client(&instance), Page::default());
    let _logging = tracing::subscriber::set_default(log.subscriber());
    assert_eq!(asked(&client).await, answer());
    server.kill();
    for _ in 0..3 {
        assert!(asked(&client).await.is_err() && client.is_away());
    }
    assert_eq!((outcomes(&instance), instance.measured("chassis.redis.away", None)), ([1.0, 1.0, 0.0, 2.0], 1.0));

    let soon = server.instance(json!({}));
    let client = self::client(&soon);
    assert_eq!(asked(&client).await, Err(Away::Unanswered));
    server.start_again().await;
    until(async || asked(&client).await == answer()).await;
    assert_eq!((client.is_away(), soon.measured("chassis.redis.away", None)), (false, 0.0));
    let said = |words: &str| log.text().matches(words).count();
    assert_eq!([said("Redis is away"), said("Redis is back")], [2, 1], "{}", log.text());
}

#[tokio::test]
async fn a_redis_that_was_away_while_nobody_asked_is_asked_at_once() {
    let Some(mut server) = Server::started().await else { return };
    let instance = server.instance(json!({ "retry": "10m" }));
    let client = client(&instance);
    assert_eq!(asked(&client).await, answer());
    server.kill();
    server.start_again().await;
    assert_eq!((asked(&client).await, client.is_away()), (answer(), false));
    assert_eq!(outcomes(&instance), [2.0, 0.0, 0.0, 0.0]);
}

#[tokio::test]
async fn a_question_waits_no_longer_than_it_may() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}", silent.local_addr().unwrap());
    let instance = Instance::new(json!({ "url": url, "timeout": "10ms" })).unwrap();
    let client = client(&instance);
    assert_eq!([asked(&client).await, asked(&client).await], [Err(Away::Unanswered), Err(Away::Unasked)]);
    assert_eq!(outcomes(&instance), [0.0, 0.0, 1.0, 1.0]);
}

#[tokio::test]
async fn who_asks_proves_who_it_is_and_a_wrong_proof_is_not_told() {
    let Some(server) = Server::started_with(&["--requirepass", "s3cr/et"]).await else { return };
    let instance =
        |login: &str| server.instance(json!({ "url": format!("redis://{login}@127.0.0.1:{}/1", server.port) }));
    let log = Page::default();
    let _logging = tracing::subscriber::set_default(log.subscriber());
    assert_eq!(asked(&client(&instance(":s3cr%2Fet"))).await, answer());
    assert_eq!(asked(&client(&instance("default:s3cr%2Fet"))).await, answer());
    assert_eq!(asked(&client(&instance(":oth3r"))).await, Err(Away::Unanswered));
    assert!(log.text().contains("Redis is away") && !log.text().contains("oth3r"), "{}", log.text());
}

#[tokio::test]
async fn an_encrypted_redis_is_believed_when_it_is_vouched_for() {
    let keys = concat!(env!("CARGO_MANIFEST_DIR"), "/src/outgoing/tests/keys/");
    let (own, key) = (format!("{keys}server.pem"), format!("{keys}server.key.pem"));
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = plain.local_addr().unwrap().port().to_string();
    drop(plain);
    let options = ["--tls-port", &port, "--tls-cert-file", &own, "--tls-key-file", &key, "--tls-ca-cert-file", &own];
    let Some(_server) = Server::started_with(&[&options[..], &["--tls-auth-clients", "no"]].concat()).await else {
        return;
    };
    let ca = include_bytes!("../outgoing/tests/keys/ca.pem").to_vec();
    let conf = |host: &str| json!({ "url": format!("rediss://{host}:{port}"), "ca": "ca.pem", "timeout": "10s" });
    let files = || InMemory::default().with("ca.pem", ca.clone());
    let believed = Instance::with_files(conf("127.0.0.1"), files()).unwrap();
    assert_eq!(asked(&client(&believed)).await, answer());
    let another = Instance::with_files(conf("localhost"), files()).unwrap();
    assert_eq!(asked(&client(&another)).await, Err(Away::Unanswered));
}

#[tokio::test]
async fn the_process_connects_when_it_starts() {
    let Some(server) = Server::started().await else { return };
    let instance = server.instance(json!({}));
    let (_one, _other) = (client(&instance), client(&instance));
    let works = instance.process.background.take_works();
    assert_eq!(works.len(), 1);
    let mut running = Works::default();
    running.begin(works);
    // Who asks that is one of them.
    let connected =
        async || server.says("CLIENT LIST").await.unwrap().lines().filter(|line| line.starts_with("id=")).count();
    until(async || connected().await == 2).await;
    running.end().await;
}

#[tokio::test]
async fn a_redis_that_was_away_at_the_start_is_found_by_the_first_call_that_tries() {
    let Some(mut server) = Server::started().await else { return };
    server.kill();
    let instance = server.instance(json!({}));
    let (client, mut running) = (client(&instance), Works::default());
    running.begin(instance.process.background.take_works());
    until(async || instance.measured("chassis.redis.away", None) == 1.0).await;
    server.start_again().await;
    until(async || asked(&client).await == answer()).await;
    assert_eq!(outcomes(&instance)[..3], [1.0, 0.0, 0.0]);
}

#[test]
fn what_is_no_address_is_refused_without_being_repeated() {
    for url in ["", "secret", "http://u:secret@host", "redis://", "redis://u:secret@host:x", "rediss://u:secret@h/one"]
    {
        let error = Instance::new(json!({ "url": url })).err().unwrap();
        assert_eq!((&*error.at, &*error.message), ("url", "this is no address of a Redis"), "{url}");
        assert!(!error.help.unwrap().contains("secret"));
    }
    for key in ["timeout", "retry"] {
        let error = Instance::new(json!({ "url": "redis://host", key: "0s" })).err().unwrap();
        assert_eq!(error.at, key);
    }
}

#[test]
fn who_asks_for_a_redis_that_is_not_there_is_told_so() {
    let instance = Instance::new(json!({})).unwrap();
    let error = instance.process.redis.client("store", &instance.context()).err().unwrap();
    assert_eq!(error.to_string(), "`store`: there is no Redis to ask");
    assert!(error.help.unwrap().starts_with("set `redis.url`"));
}

#[test]
fn a_digest_is_the_same_in_all_instances_with_one_secret() {
    let digest = |secret: Option<&str>, parts: &[&[u8]]| {
        let instance = Instance::new(json!({ "url": "redis://127.0.0.1", "secret": secret })).unwrap();
        client(&instance).digest(parts)
    };
    assert_eq!(digest(None, &[b"ada"]), digest(None, &[b"ada"]));
    assert_eq!(digest(Some("a"), &[b"ada"]), digest(Some("a"), &[b"ada"]));
    assert_ne!(digest(Some("a"), &[b"ada"]), digest(Some("b"), &[b"ada"]));
    assert_ne!(digest(None, &[b"ab", b"c"]), digest(None, &[b"a", b"bc"]));
}
