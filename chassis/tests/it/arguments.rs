//! Where arguments come from, and what callers read when they do not fit.

use axum::extract::RawQuery;
use axum::response::IntoResponse;
use chassis::prelude::*;
use chassis::testing::{TestApp, principal};
use http_body_util::BodyExt;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::components::Tally;
use crate::rig::started;

/// What a form or a query says.
#[derive(Debug, Deserialize, Serialize)]
struct Choice {
    size: u8,
    #[serde(default)]
    tag: Vec<String>,
}

/// A header field.
#[derive(Debug, Deserialize)]
struct Tenant {
    x_tenant: Option<u8>,
}

/// Takes everything.
#[schema("/takes")]
struct Takes;

#[operations]
impl Takes {
    /// Takes a caller that may be unknown.
    #[get("/caller", public)]
    async fn caller(&self, caller: Option<Principal>) -> String {
        caller.map_or("nobody".to_owned(), |caller| caller.subject().to_owned())
    }

    /// Takes a component.
    #[get("/component", public)]
    async fn component(&self, tally: Component<Tally>) -> String {
        tally.name().to_owned()
    }

    /// Takes a header field and the query.
    #[get("/fields", public)]
    async fn fields(&self, Header(tenant): Header<Tenant>, Query(choice): Query<Choice>) -> String {
        format!("{:?} {} {:?}", tenant.x_tenant, choice.size, choice.tag)
    }

    /// Takes a form.
    #[post("/form", public)]
    async fn form(&self, Form(choice): Form<Choice>) -> Json<Choice> {
        Json(choice)
    }

    /// Takes text.
    #[post("/text", public)]
    async fn text(&self, text: String) -> String {
        text
    }

    /// Takes bytes.
    #[post("/bytes", public)]
    async fn bytes(&self, bytes: Bytes) -> String {
        bytes.len().to_string()
    }

    /// Takes a stream.
    #[post("/stream", public)]
    async fn stream(&self, mut body: Body) -> Result<String, Fault> {
        let mut frames = 0;
        while let Some(frame) = body.frame().await {
            let _ = frame.map_err(Fault::from)?;
            frames += 1;
        }
        Ok(frames.to_string())
    }

    /// Takes what axum takes, and answers what axum answers.
    #[get("/foreign", public)]
    async fn foreign(&self, RawQuery(query): RawQuery) -> impl IntoResponse {
        (StatusCode::ACCEPTED, [("x-query", query.unwrap_or_default())], "foreign")
    }
}

async fn takes() -> TestApp {
    started("chain: { provider: { default: [gate, limit-body] } }\nhandlers: { limit-body: { max: 16B } }").await
}

#[tokio::test]
async fn a_caller_may_be_unknown_where_the_argument_says_so() {
    let app = takes().await;
    assert_eq!(app.get("/takes/caller").send().await.text(), "nobody");
    assert_eq!(app.get("/takes/caller").principal(principal("ada")).send().await.text(), "ada");
}

#[tokio::test]
async fn a_component_is_an_argument() {
    assert_eq!(takes().await.get("/takes/component").send().await.text(), "tally");
}

#[tokio::test]
async fn fields_and_query_are_read_into_types() {
    let app = takes().await;
    let answer = app.get("/takes/fields?size=3&tag=a&tag=b").header("x-tenant", "7").send().await;
    assert_eq!(answer.text(), r#"Some(7) 3 ["a", "b"]"#);
    let wrong = app.get("/takes/fields?size=300").send().await;
    assert_eq!(wrong.status(), 400);
    assert!(wrong.text().contains(r#""in":"query","pointer":"/size""#), "{}", wrong.text());
    let wrong = app.get("/takes/fields?size=3").header("x-tenant", "many").send().await;
    assert!(wrong.text().contains(r#""in":"header","pointer":"/x-tenant""#), "{}", wrong.text());
}

#[tokio::test]
async fn bodies_are_read_as_their_type_says() {
    let app = takes().await;
    let form = app.post("/takes/form").header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(form.body("size=1&tag=x").send().await.text(), r#"{"size":1,"tag":["x"]}"#);
    assert_eq!(app.post("/takes/text").body("hello").send().await.text(), "hello");
    assert_eq!(app.post("/takes/text").body(&b"\xff"[..]).send().await.status(), 400);
    assert_eq!(app.post("/takes/bytes").body("hello").send().await.text(), "5");
    let pieces = futures_util::stream::iter(["a", "b", "c"].map(Ok::<_, std::io::Error>));
    assert_eq!(app.post("/takes/stream").body(Body::from_stream(pieces)).send().await.text(), "3");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_whatever_reads_it() {
    let app = takes().await;
    let large = || {
        let pieces = futures_util::stream::iter(["0123456789"; 2].map(Ok::<_, std::io::Error>));
        Body::from_stream(pieces)
    };
    for path in ["/takes/text", "/takes/bytes", "/takes/stream"] {
        let answer = app.post(path).body(large()).send().await;
        assert_eq!((answer.status().as_u16(), answer.code().as_deref()), (413, Some("content-too-large")), "{path}");
        let said = app.post(path).header("content-length", "20").body("0123456789 123456789").send().await;
        assert_eq!((said.status().as_u16(), said.refused_by().as_deref()), (413, Some("limit-body")), "{path}");
    }
    assert_eq!(app.post("/takes/form").json(&json!({})).send().await.status(), 415);
}

#[tokio::test]
async fn what_axum_takes_and_answers_works() {
    let answer = takes().await.get("/takes/foreign?a=b").send().await;
    assert_eq!(
        (answer.status().as_u16(), answer.header("x-query"), answer.text()),
        (202, Some("a=b"), "foreign".to_owned())
    );
}
