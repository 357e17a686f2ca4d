//! Another service decides about callers.

use std::sync::{Arc, Mutex};

use super::*;
use crate::outgoing::tests::{Server, reply};

const HEADER: (&str, &str) = ("x-api-key", KEY);

/// A service that always says the same, and what it was told.
async fn service(status: &'static str) -> (Server, Arc<Mutex<Vec<String>>>) {
    let heads = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&heads);
    let server = Server::start(move |head| {
        kept.lock().unwrap().push(head.to_owned());
        reply(status, "", "why")
    });
    (server.await, heads)
}

fn asking(address: &str, changes: Value) -> Value {
    // However slow the machine is: what is to come too late says so.
    let mut external = json!({ "url": format!("{address}/check"), "timeout": "1m" });
    merge(&mut external, changes);
    json!({ "api-keys": { "file": "keys" }, "external": external })
}

async fn status(auth: &Auth) -> u16 {
    called(auth, Access::Auth, "/greetings?a=b", &[HEADER]).await.err().map_or(200, |fault| fault.status().as_u16())
}

#[tokio::test]
async fn it_lets_pass_and_refuses() {
    for (answer, expected) in [
        ("200 OK", 200),
        ("204 No Content", 200),
        ("401 Unauthorized", 401),
        ("403 Forbidden", 403),
        ("302 Found", 503),
        ("404 Not Found", 503),
        ("500 Internal Server Error", 503),
    ] {
        let (server, _) = service(answer).await;
        assert_eq!(status(&auth(asking(&server.address, json!({})))).await, expected, "{answer}");
        assert_eq!(server.count(), 1);
    }
    let (server, _) = service("401 Unauthorized").await;
    let fault = called(&auth(asking(&server.address, json!({}))), Access::Auth, "/", &[HEADER]).await.unwrap_err();
    assert_eq!(told(&fault), (401, vec!["ApiKey realm=\"chassis\"".to_owned()]));
}

#[tokio::test]
async fn it_learns_of_the_call_and_of_nothing_else() {
    let (server, heads) = service("200 OK").await;
    let auth = auth(asking(&server.address, json!({ "headers": ["Cookie"] })));
    let fields = [HEADER, ("cookie", "a=b"), ("x-auth-subject", "root"), ("x-other", "secret-too")];
    assert_eq!(called(&auth, Access::Auth, "/greetings?a=b", &fields).await.unwrap(), "api-key:billing");
    let head = heads.lock().unwrap()[0].to_ascii_lowercase();
    assert!(head.starts_with("get /check http/1.1\r\n"), "{head}");
    for line in [
        "x-forwarded-method: get",
        "x-forwarded-uri: /greetings?a=b",
        "x-operation: greeting.list",
        "x-auth-subject: billing",
        "x-auth-scheme: api-key",
        "x-auth-scopes: read",
        "x-auth-roles: machine",
        "cookie: a=b",
    ] {
        assert!(head.contains(&format!("\r\n{line}\r\n")), "{line} in {head}");
    }
    assert!(!head.contains("secret") && !head.contains("root") && !head.contains(KEY), "{head}");
}

#[tokio::test]
async fn it_does_not_learn_of_the_key() {
    let (server, heads) = service("200 OK").await;
    let mut conf = asking(&server.address, json!({}));
    conf["api-keys"]["query"] = json!("key");
    let auth = auth(conf);
    assert!(called(&auth, Access::Auth, "/greetings?key=secret&a=b", &[]).await.is_ok());
    let head = heads.lock().unwrap()[0].to_ascii_lowercase();
    assert!(head.contains("\r\nx-forwarded-uri: /greetings?a=b\r\n") && !head.contains(KEY), "{head}");
}

#[tokio::test]
async fn only_calls_that_would_pass_otherwise_are_asked_about() {
    let (server, _) = service("200 OK").await;
    let auth = auth(asking(&server.address, json!({})));
    assert_eq!(refused(&auth, &[]).await.0, 401);
    assert_eq!(refused(&auth, &[("x-api-key", "other")]).await.0, 401);
    let roles = Access::Roles(vec!["admin".into()].into());
    assert_eq!(told(&called(&auth, roles, "/", &[HEADER]).await.unwrap_err()).0, 403);
    assert!(called(&auth, Access::Public, "/", &[HEADER]).await.is_ok());
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn a_failure_refuses_unless_it_is_to_let_pass() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("http://{}", silent.local_addr().unwrap());
    for address in ["http://127.0.0.1:1", &silent] {
        let (strict, process) = build(asking(address, json!({ "timeout": "50ms" }))).unwrap();
        let fault = called(&strict, Access::Auth, "/", &[HEADER]).await.unwrap_err();
        assert_eq!((fault.status().as_u16(), fault.retry_after().is_some()), (503, true));
        let shown = format!("{:?}", process.metrics.families());
        assert!(shown.contains("chassis.auth.external.answers"), "{shown}");
        let lenient = auth(asking(address, json!({ "timeout": "50ms", "on-failure": "allow" })));
        assert_eq!(status(&lenient).await, 200);
    }
    let (server, _) = service("403 Forbidden").await;
    let lenient = auth(asking(&server.address, json!({ "on-failure": "allow" })));
    assert_eq!(status(&lenient).await, 403, "a refusal is no failure");
}

#[tokio::test]
async fn questions_wait_for_their_turn_no_longer_than_for_an_answer() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", silent.local_addr().unwrap());
    let auth = auth(asking(&address, json!({ "timeout": "50ms", "at-once": 1 })));
    let outcomes = futures_util::future::join_all((0..5).map(|_| status(&auth))).await;
    assert_eq!(outcomes, [503; 5]);
}

#[test]
fn what_is_wrong_is_said_with_the_whole_key() {
    let wrong = |conf: Value| build(conf).err().unwrap().to_string();
    let open = wrong(asking("http://authz.example", json!({})));
    assert!(open.starts_with("`external.url`: `http://authz.example/check` is not encrypted"), "{open}");
    let name = |name: &str| wrong(asking("http://127.0.0.1:1", json!({ "headers": [name] })));
    assert_eq!(name("a b"), "`external.headers`: `a b` is no name of a header field");
    assert_eq!(name("X-Auth-Subject"), "`external.headers`: `x-auth-subject` is what the service is told by us");
    let never = wrong(asking("http://127.0.0.1:1", json!({ "timeout": "0s", "on-failure": "allow" })));
    assert_eq!(never, "`external.timeout`: nobody answers in no time");
    assert_eq!(name("Host"), "`external.headers`: `host` belongs to the connection of the caller");
}
