//! Asks an issuer over HTTP.

use super::*;
use crate::outgoing::tests::{Server, reply};

/// An issuer that answers these paths with these bodies; `SELF` in them stands for its address.
async fn issuer(pages: Vec<(&'static str, String)>) -> Server {
    let listener = Arc::new(Mutex::new(String::new()));
    let known = Arc::clone(&listener);
    let server = Server::start(move |head| {
        let path = head.split(' ').nth(1).unwrap();
        let page = pages.iter().find(|(known, _)| *known == path);
        let page = page.map(|(_, page)| page.replace("SELF", &known.lock().unwrap()));
        match page.as_deref().map(|page| page.split_once(' ').unwrap()) {
            Some(("302", to)) => reply("302 Found", &format!("location: {to}\r\n"), ""),
            Some((_, page)) => reply("200 OK", "cache-control: max-age=700\r\n", page),
            None => reply("404 Not Found", "", ""),
        }
    })
    .await;
    *listener.lock().unwrap() = server.address.clone();
    server
}

/// What comes of asking with these keys; `SELF` stands for the address of the server.
async fn fetched(server: &Server, changes: Value) -> Result<Published, String> {
    let text = changes.to_string().replace("SELF", &server.address);
    let mut conf = conf_with(&serde_json::from_str(&text).unwrap());
    if changes.get("discovery").is_some() {
        conf.keys.url = None;
    }
    let web = Web::build(&conf).map_err(|error| error.to_string())?;
    web.fetch().await
}

async fn reason(server: &Server, changes: Value) -> String {
    let error = fetched(server, changes).await.err().unwrap();
    error.replace(&server.address, "SELF")
}

fn document(issuer: &str, keys: &str) -> String {
    format!("200 {}", json!({ "issuer": issuer, "jwks_uri": keys }))
}

const DOCUMENT: &str = "/.well-known/openid-configuration";

#[tokio::test]
async fn keys_are_taken_from_their_address() {
    let server = issuer(vec![("/keys", format!("200 {}", published(&["a"])))]).await;
    let fetched = fetched(&server, json!({ "url": "SELF/keys" })).await.unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&fetched.content).unwrap(), published(&["a"]));
    assert_eq!(fetched.max_age, Some(Duration::from_secs(700)));
}

#[tokio::test]
async fn a_discovery_document_leads_to_the_keys_of_its_issuer() {
    let keys = ("/keys", format!("200 {}", published(&["a"])));
    let server = issuer(vec![keys.clone(), (DOCUMENT, document(ISSUER, "SELF/keys"))]).await;
    for place in ["SELF", "SELF/"] {
        let fetched = fetched(&server, json!({ "discovery": place })).await.unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&fetched.content).unwrap(), published(&["a"]));
    }
    assert_eq!(server.count(), 4);

    let server = issuer(vec![keys.clone(), (DOCUMENT, document("https://other.example", "SELF/keys"))]).await;
    let other = reason(&server, json!({ "discovery": "SELF" })).await;
    let expected = format!("SELF{DOCUMENT} is of the issuer `https://other.example`, not of `{ISSUER}`");
    assert_eq!((other, server.count()), (expected, 1));

    let server = issuer(vec![(DOCUMENT, document(ISSUER, "http://id.example/keys"))]).await;
    let open = reason(&server, json!({ "discovery": "SELF" })).await;
    assert!(open.starts_with("`jwks_uri`: `http://id.example/keys` is not encrypted"), "{open}");

    let server = issuer(vec![(DOCUMENT, "200 {}".to_owned())]).await;
    let none = reason(&server, json!({ "discovery": "SELF" })).await;
    assert!(none.starts_with(&format!("SELF{DOCUMENT} is no discovery document: missing field")), "{none}");
}

#[tokio::test]
async fn what_is_no_set_of_keys_is_said() {
    let server = issuer(vec![("/moved", "302 SELF/keys".to_owned()), ("/keys", "200 {}".to_owned())]).await;
    let moved = reason(&server, json!({ "url": "SELF/moved" })).await;
    assert_eq!(moved, "SELF/moved answered 302 Found, and no redirect is followed: configure where it leads");
    assert_eq!(reason(&server, json!({ "url": "SELF/other" })).await, "SELF/other answered 404 Not Found");
    assert_eq!(server.count(), 2);
    let server = issuer(vec![("/keys", format!("200 {}", "a".repeat(300 << 10)))]).await;
    assert_eq!(
        reason(&server, json!({ "url": "SELF/keys" })).await,
        "SELF/keys: the answer has more than 262144 bytes"
    );
    let gone = json!({ "url": "http://127.0.0.1:1/keys" });
    assert!(reason(&server, gone).await.starts_with("http://127.0.0.1:1/keys: "));
}

#[tokio::test]
async fn an_issuer_elsewhere_is_asked_encrypted() {
    let server = issuer(vec![]).await;
    let open = reason(&server, json!({ "url": "http://id.example/keys" })).await;
    assert!(open.starts_with("`keys.url`: `http://id.example/keys` is not encrypted"), "{open}");
    let open = reason(&server, json!({ "discovery": "http://id.example" })).await;
    assert!(open.starts_with("`keys.discovery`: `http://id.example/.well-known"), "{open}");
}

#[tokio::test]
async fn a_whole_issuer_changes_its_key() {
    let keys = Arc::new(Mutex::new(published(&["a"])));
    let now = Arc::clone(&keys);
    let server = Server::start(move |_| reply("200 OK", "", &now.lock().unwrap().to_string())).await;
    let conf = conf_with(&json!({ "url": format!("{}/keys", server.address) }));
    let mut rig = Rig::built(|context| Tokens::build(&conf, context)).unwrap();
    for first in rig.background().take_first() {
        first.work.await.unwrap();
    }
    rig.works.begin(rig.process.background.take_works());
    assert!(rig.passes(&token_by("a")).await);
    *keys.lock().unwrap() = published(&["b"]);
    assert_eq!(rig.call(&token_by("b")).await, (Ok(()), true));
    assert_eq!(rig.call(&token_by("a")).await, (UNAUTHORIZED, false));
    assert_eq!(server.count(), 2);
}

#[test]
fn keys_are_said_to_be_in_one_place() {
    let wrong = |keys: Value| {
        let conf = conf(json!({ "keys": keys }));
        let outcome = Rig::built(|context| Tokens::build(&conf, context));
        outcome.err().unwrap().to_string()
    };
    assert_eq!(wrong(json!({})), "`keys`: nothing says where the keys are");
    let both = json!({ "file": "keys", "url": "https://id.example/keys" });
    assert_eq!(wrong(both), "`keys`: the keys are said to be in several places: `file` and `url`");
}
