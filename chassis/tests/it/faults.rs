//! What callers read when a call fails (RFC 9457), and what they never read.

use std::time::Duration;

use chassis::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::rig::{answering, service, started};

/// What is sent.
#[derive(Deserialize)]
struct Sent {
    count: u8,
}

/// Fails in every way.
#[schema("/fails")]
struct Fails;

#[operations]
impl Fails {
    /// Fails inside.
    #[get("/inside", public)]
    async fn inside(&self) -> Result<NoContent, Fault> {
        Err(Fault::internal("the password is hunter2"))
    }

    /// Fails with everything a Fault has.
    #[get("/rich", public)]
    async fn rich(&self) -> Result<NoContent, Fault> {
        Err(Fault::new(Code::Conflict, "It is taken.")
            .with_cause("the row is 7")
            .with_type("https://errors.example/taken")
            .with_retry_after(Duration::from_millis(1500))
            .with_extension("holder", "bob"))
    }

    /// Needs to know.
    #[get("/known", public)]
    async fn known(&self, _caller: Principal) -> NoContent {
        NoContent
    }

    /// Takes JSON.
    #[post("/json", public)]
    async fn json(&self, Json(sent): Json<Sent>) -> String {
        sent.count.to_string()
    }
}

#[tokio::test]
async fn a_fault_is_a_problem_document_with_all_its_members() {
    let app = started("chain: { provider: { default: [tracing, gate] } }").await;
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
    let answer = app.get("/fails/rich").header("traceparent", parent).send().await;
    assert_eq!(answer.status(), 409);
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(answer.header("retry-after"), Some("2"));
    let expected = json!({
        "type": "https://errors.example/taken",
        "title": "Conflict",
        "status": 409,
        "detail": "It is taken.",
        "code": "conflict",
        "operation": "fails.rich",
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
        "holder": "bob",
    });
    assert_eq!(answer.json::<Value>(), expected);
}

#[tokio::test]
async fn what_is_internal_stays_inside() {
    let answer = started("").await.get("/fails/inside").send().await;
    let expected = json!({
        "type": "about:blank",
        "title": "Internal Server Error",
        "status": 500,
        "detail": "The service failed to answer this call.",
        "code": "internal",
        "operation": "fails.inside",
    });
    assert_eq!((answer.status().as_u16(), answer.json::<Value>()), (500, expected));
}

#[tokio::test]
async fn standards_that_want_a_header_field_get_it() {
    let app = started(
        "chain: { provider: { default: [gate, rate-limit], unmatched: [] } }\nhandlers: { rate-limit: { rate: 2/h } }",
    )
    .await;
    let unknown = app.get("/fails/known").send().await;
    assert_eq!((unknown.status().as_u16(), unknown.header("www-authenticate")), (401, Some("Bearer")));
    let wrong = app.post("/fails/json").header("content-type", "text/plain").body("1").send().await;
    assert_eq!((wrong.status().as_u16(), wrong.header("accept")), (415, Some("application/json")));
    let limited = app.get("/fails/known").send().await;
    assert_eq!((limited.status().as_u16(), limited.refused_by().as_deref()), (429, Some("rate-limit")));
    assert!(limited.header("retry-after").is_some_and(|after| after.parse::<u32>().is_ok_and(|after| after >= 1800)));
    let method = app.put("/fails/json").send().await;
    assert_eq!((method.status().as_u16(), method.header("allow")), (405, Some("POST")));
}

#[tokio::test]
async fn a_fault_carries_what_handlers_put_on_replies() {
    let app = service(
        "chain: { provider: { default: [cors, request-id, gate] } }\nhandlers: { cors: { origins: [\"https://a.example\"] } }",
    );
    let panics = answering("hand.panics", "GET", "/panics", |_| panic!("secret"));
    let app = app.mount_operations([panics]).start().await.unwrap();
    for (method, path, status) in
        [("GET", "/panics", 500), ("GET", "/nowhere", 404), ("PATCH", "/panics", 405), ("GET", "/fails/known", 401)]
    {
        let answer =
            app.call(method, path).header("origin", "https://a.example").header("x-request-id", "r-1").send().await;
        assert_eq!(answer.status().as_u16(), status);
        let fields = (answer.header("x-request-id"), answer.header("access-control-allow-origin"));
        assert_eq!(fields, (Some("r-1"), Some("https://a.example")), "{method} {path}");
    }
    let preflight = app
        .call("OPTIONS", "/fails/json")
        .header("origin", "https://a.example")
        .header("access-control-request-method", "POST")
        .send()
        .await;
    assert_eq!(
        (preflight.status().as_u16(), preflight.header("access-control-allow-origin")),
        (204, Some("https://a.example"))
    );
}

#[tokio::test]
async fn a_caller_that_wants_html_still_gets_the_problem_document() {
    let answer = started("").await.get("/nowhere").header("accept", "text/html").send().await;
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
}

#[tokio::test]
async fn every_value_that_does_not_fit_is_named() {
    let app = started("").await;
    let answer = app.post("/fails/json").json(&json!({ "count": 300 })).send().await;
    assert_eq!(answer.status(), 422);
    let problem: Value = answer.json();
    assert_eq!(
        (&problem["violations"][0]["in"], &problem["violations"][0]["pointer"]),
        (&json!("body"), &json!("/count"))
    );
}
