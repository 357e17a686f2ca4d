//! Which operation answers, and how that changes while calls are in flight.

use std::sync::Arc;
use std::sync::mpsc::channel;

use axum::Router;
use axum::extract::{Extension, RawQuery, Request};
use axum::routing::{any, get};
use chassis::app::{App, mount_router};
use chassis::cli::Package;
use chassis::conf::Sources;
use chassis::operation::{Access, Text};
use chassis::prelude::*;
use chassis::schema::{Endpoint, Mounted};
use chassis::testing::{TestApp, principal};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::Semaphore;

use crate::rig::{SIGNALS, answering, refusal, saying, service, started};

#[tokio::test]
async fn operations_come_and_go_while_the_service_runs() {
    let app = started("").await;
    let handle = app.running().handle();
    assert_eq!(app.get("/late").send().await.status(), 404);
    handle.mount([saying("late.one", "/late", "one")]).unwrap();
    assert_eq!(app.get("/late").send().await.text(), "one");
    handle.mount([saying("late.one", "/later", "two")]).unwrap();
    assert_eq!(
        (app.get("/late").send().await.status().as_u16(), app.get("/later").send().await.text()),
        (404, "two".to_owned())
    );
    handle.retain(|operation| operation.schema != "late").unwrap();
    assert_eq!(app.get("/later").send().await.status(), 404);
    assert_eq!(app.get("/origins").send().await.status(), 200);
}

#[tokio::test]
async fn a_service_that_serves_can_be_given_more() {
    let _turn = SIGNALS.lock().await;
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("given-more.sock");
    let listen = format!("unix:{}", socket.display());
    let listening = format!("protocols: {{ rest: {{ listen: '{listen}' }} }}\nadmin: {{ listen: 127.0.0.1:0 }}");
    let sets = vec!["chain.provider.default=[gate]".to_owned()];
    let sources = Sources { texts: vec![("test".to_owned(), listening)], sets, ..Sources::default() };
    let (tell, told) = channel();
    let app = App::new(Package { name: "it", version: "0.0.0" }).when_started(move |handle| {
        handle.mount([saying("late.one", "/late", "given")]).unwrap();
        tell.send(()).unwrap();
    });
    let serving = tokio::spawn(app.prepare(&sources).unwrap().serve());
    tokio::task::spawn_blocking(move || told.recv()).await.unwrap().unwrap();
    let mut stream = UnixStream::connect(&socket).await.unwrap();
    stream.write_all(b"GET /late HTTP/1.1\r\nhost: it\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("given"), "{answer}");
    serving.abort();
}

#[tokio::test]
async fn what_is_mounted_by_hand_is_served_where_a_listener_lists_it() {
    let listeners = "protocols: { rest-inner: { listen: ':0', schemas: [hand] } }\nexpect: [hand, origin]";
    let app = service(listeners).mount_operations([saying("hand.one", "/hand", "one")]).start().await.unwrap();
    assert_eq!(app.get("/hand").send().await.status(), 404);
    let inner = app.running().provider().entry("rest-inner").unwrap();
    let call = |path: &str| inner.call(Request::get(path).body(Body::empty()).unwrap(), Peer::Local);
    assert_eq!((call("/hand").await.status().as_u16(), call("/origins").await.status().as_u16()), (200, 404));
}

#[tokio::test]
async fn a_schema_that_is_not_mounted_cannot_be_listed() {
    let service = service("protocols: { rest-inner: { listen: ':0', schemas: [hnad] } }");
    let error = refusal(service.mount_operations([saying("hand.one", "/hand", "one")])).await;
    assert!(error.starts_with("test-2.yaml:1:52: protocols.rest-inner.schemas[0]: "), "{error}");
    assert!(error.contains("did you mean `hand`?"), "{error}");
}

/// Answers with its text when it is let.
struct Gated(&'static str, Arc<Semaphore>);

impl Endpoint for Gated {
    fn call<'a>(&'a self, _: &'a mut Invocation) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            let _permit = self.1.acquire().await;
            Reply::new(self.0)
        })
    }
}

#[tokio::test]
async fn a_call_in_flight_ends_on_what_it_began_with() {
    let doors = Arc::new(Semaphore::new(0));
    let gated = |text| {
        let operation = saying("gated.one", "/gated", "").operation;
        Mounted { operation, endpoint: Arc::new(Gated(text, Arc::clone(&doors))) }
    };
    let app = service("").mount_operations([gated("old")]).start().await.unwrap();
    let old = tokio::spawn(app.get("/gated").send());
    tokio::task::yield_now().await;
    app.running().handle().mount([gated("new")]).unwrap();
    let new = tokio::spawn(app.get("/gated").send());
    tokio::task::yield_now().await;
    doors.add_permits(2);
    assert_eq!((old.await.unwrap().text(), new.await.unwrap().text()), ("old".to_owned(), "new".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn what_was_counted_is_still_counted_after_a_swap() {
    let app =
        started("chain: { provider: { default: [gate, rate-limit] } }\nhandlers: { rate-limit: { rate: 2/h } }").await;
    assert_eq!(app.get("/origins").send().await.status(), 200);
    app.running().handle().mount([saying("late.one", "/late", "one")]).unwrap();
    assert_eq!(app.get("/late").send().await.status(), 200);
    assert_eq!(app.get("/origins").send().await.status(), 429);
}

#[tokio::test]
async fn a_mount_that_is_wrong_changes_nothing() {
    let app = started("").await;
    let handle = app.running().handle();
    let mut lost = saying("late.lost", "/lost", "");
    lost.operation.chain = Some(Text::Borrowed("nowhere"));
    let error = handle.mount([saying("late.one", "/late", "one"), lost]).unwrap_err();
    assert!(error.to_string().contains("`late.lost` asks for chain `nowhere`"), "{error}");
    let error = handle.mount([saying("late.one", "/origins", "")]).unwrap_err();
    assert!(error.to_string().contains("late.one"), "{error}");
    let twice = [saying("late.same", "/x", "x"), saying("late.same", "/y", "y")];
    let error = handle.mount(twice).unwrap_err();
    assert!(error.to_string().contains("two operations have the id `late.same`"), "{error}");
    assert_eq!(app.get("/late").send().await.status(), 404);
    assert_eq!(app.get("/origins").send().await.text(), "linked");
}

/// An operation before which only `auth` stands, which is told nothing about tokens.
fn strict(id: &str, template: &str, access: Access) -> Mounted {
    let mut mounted = saying(id, template, "");
    mounted.operation.chain = Some(Text::Borrowed("strict"));
    mounted.operation.access = access;
    mounted
}

#[tokio::test]
async fn what_is_refused_at_the_start_is_refused_while_the_service_runs() {
    let conf = "chain: { provider: { strict: [auth] } }";
    let [open, closed] = [("late.open", Access::Public), ("late.closed", Access::Auth)];
    let operation = |(id, access): (&str, Access)| strict(id, &format!("/{id}"), access);
    let at_start = refusal(service(conf).mount_operations([operation(open.clone()), operation(closed.clone())])).await;
    let app = service(conf).mount_operations([operation(open)]).start().await.unwrap();
    let handle = app.running().handle();
    let error = handle.mount([operation(closed)]).unwrap_err().to_string();
    assert!(error.contains("nobody could call `late.closed`, whose access is auth"), "{error}");
    assert_eq!(error, at_start);
    assert_eq!(app.get("/late.open").send().await.status(), 200);
    handle.mount([strict("late.more", "/late.more", Access::Public)]).unwrap();
    assert_eq!(app.get("/late.more").send().await.status(), 200);
}

fn nested() -> Router {
    Router::new()
        .route("/", any(|request: Request| async move { format!("root {}", request.method()) }))
        .route(
            "/who",
            get(|caller: Option<Extension<Principal>>| async move {
                caller.map_or("nobody".to_owned(), |caller| caller.0.subject().to_owned())
            }),
        )
        .route("/a/b", any(|request: Request| async move { format!("{} {}", request.method(), request.uri()) }))
        .route("/query", get(|RawQuery(query): RawQuery| async move { query.unwrap_or_default() }))
        .route("/read", any(|body: String| async move { body }))
}

async fn with_router(access: Access) -> TestApp {
    service("").mount_operations(mount_router("legacy", "/v1", &access, nested())).start().await.unwrap()
}

#[tokio::test]
async fn a_router_reads_no_more_than_its_calls_may_have_and_says_why_not() {
    let conf = "chain: { provider: { default: [gate, limit-body] } }\nhandlers: { limit-body: { max: 8B } }";
    let router = mount_router("legacy", "/v1", &Access::Public, nested());
    let app = service(conf).mount_operations(router).start().await.unwrap();
    let sent = |pieces: &'static [Result<&str, Code>]| {
        let pieces = pieces.iter().map(|piece| piece.map_err(|code| Fault::new(code, "It broke.")));
        app.post("/v1/read").body(Body::from_stream(futures_util::stream::iter(pieces))).send()
    };
    assert_eq!(sent(&[Ok("1234"), Ok("5678")]).await.text(), "12345678");
    assert_eq!(sent(&[Ok("12345"), Ok("6789")]).await.code().as_deref(), Some("content-too-large"));
    assert_eq!(sent(&[Ok("1234"), Err(Code::RequestTimeout)]).await.code().as_deref(), Some("request-timeout"));
}

#[tokio::test]
async fn a_router_answers_below_its_prefix_whatever_the_method() {
    let app = with_router(Access::Public).await;
    for method in ["GET", "POST", "PURGE", "OPTIONS"] {
        let answer = app.call(method, "/v1/a/b?c=d&e").send().await;
        assert_eq!(answer.text(), format!("{method} /a/b?c=d&e"));
    }
    assert_eq!(app.get("/v1").send().await.text(), "root GET");
    assert_eq!(app.put("/v1/").send().await.text(), "root PUT");
    assert_eq!(app.get("/v1/query?a=%20").send().await.text(), "a=%20");
    assert_eq!(app.get("/v1/nowhere").send().await.status(), 404);
    assert_eq!(app.get("/v1x").send().await.code().as_deref(), Some("not-found"));
}

#[tokio::test]
async fn a_router_stands_behind_the_chain_and_sees_the_caller() {
    let app = with_router(Access::Auth).await;
    assert_eq!(app.get("/v1/who").send().await.refused_by().as_deref(), Some("gate"));
    assert_eq!(app.get("/v1/who").principal(principal("ada")).send().await.text(), "ada");
    let app = with_router(Access::Public).await;
    assert_eq!(app.get("/v1/who").send().await.text(), "nobody");
}

/// Is asked for things by path.
#[schema("/things")]
struct Things;

#[operations]
impl Things {
    /// Finds one.
    #[get("/{id}", public)]
    fn find(&self, Path(id): Path<String>) -> String {
        id
    }

    /// Replaces one.
    #[put("/{id}", public)]
    fn replace(&self, Path(_): Path<String>) -> NoContent {
        NoContent
    }
}

#[tokio::test]
async fn calls_that_match_nothing_pass_the_chain_for_them() {
    let app = started("chain: { provider: { unmatched: [request-id] } }").await;
    let calls =
        [("GET", "/nowhere", 404), ("DELETE", "/things/a", 405), ("OPTIONS", "/things/a", 204), ("GET", "/%zz", 400)];
    for (at, (method, path, status)) in calls.into_iter().enumerate() {
        let answer = app.call(method, path).send().await;
        assert_eq!(answer.status().as_u16(), status, "{method} {path}");
        assert!(answer.header("x-request-id").is_some(), "{method} {path}");
        assert_eq!(app.spy("request-id").passed(), at + 1);
    }
    assert_eq!(app.spy("gate").passed(), 0);
}

#[tokio::test]
async fn a_path_says_its_methods_and_a_head_is_a_get_without_body() {
    let app = started("").await;
    for method in ["DELETE", "OPTIONS"] {
        let answer = app.call(method, "/things/a").send().await;
        assert_eq!(answer.header("allow"), Some("GET, PUT"), "{method}");
    }
    let head = app.call("HEAD", "/things/abc").send().await;
    assert_eq!((head.status().as_u16(), head.bytes().len(), head.header("content-length")), (200, 0, Some("3")));
}

#[tokio::test]
async fn parameters_are_decoded_once_and_what_cannot_be_is_refused() {
    let app = started("").await;
    let find = async |path: &str| {
        let answer = app.get(path).send().await;
        (answer.status().as_u16(), answer.text())
    };
    assert_eq!(find("/things/a%2Fb").await, (200, "a/b".to_owned()));
    assert_eq!(find("/things/a%252Fb").await, (200, "a%2Fb".to_owned()));
    assert_eq!(find("/things/%C3%A9+").await, (200, "é+".to_owned()));
    for (path, words) in [
        ("/things/%zz", "a `%` that two hexadecimal digits do not follow"),
        ("/things/%F", "a `%` that two hexadecimal digits do not follow"),
        ("/things/%FF", "not UTF-8"),
        ("/things/a%00b", "a NUL"),
    ] {
        let (status, text) = find(path).await;
        assert_eq!(status, 400, "{path} {text}");
        assert!(text.contains("\"code\":\"invalid-argument\"") && text.contains(words), "{text}");
    }
}

#[tokio::test]
async fn a_slash_at_the_end_means_something_where_yaml_says_so() {
    assert_eq!(started("").await.get("/things/a/").send().await.status(), 200);
    let strict = started("routing: { trailing-slash: strict }").await;
    assert_eq!(strict.get("/things/a/").send().await.status(), 404);
    assert_eq!(strict.get("/things/a").send().await.status(), 200);
}

#[tokio::test]
async fn each_listener_serves_the_schemas_that_yaml_gives_it() {
    let yaml = "protocols: { rest: {}, rest-admin: { listen: \"127.0.0.1:0\", schemas: [things] } }";
    let app = started(yaml).await;
    assert_eq!(app.get("/things/a").send().await.status(), 404);
    assert_eq!(app.get("/origins").send().await.status(), 200);
    assert_eq!(app.get("/things/a").at("rest-admin").send().await.status(), 200);
    assert_eq!(app.get("/origins").at("rest-admin").send().await.status(), 404);
}

#[tokio::test]
async fn a_tail_and_an_expression_match_what_they_say() {
    let app = service("")
        .mount_operations([
            answering("files.any", "*", "/files/{rest:*}", |call| {
                Reply::new(call.param("rest").unwrap_or("none".into()).into_owned())
            }),
            saying("files.number", "/files/{id:[0-9]+}", "number"),
            saying("files.json", "/files/{id}.json", "json"),
            saying("files.cancel", "/files/{id}:cancel", "cancel"),
        ])
        .start()
        .await
        .unwrap();
    for (path, text) in [
        ("/files/a/b", "a/b"),
        ("/files/17", "number"),
        ("/files/a.json", "json"),
        ("/files/a:cancel", "cancel"),
        ("/files/a", "a"),
    ] {
        assert_eq!(app.get(path).send().await.text(), text, "{path}");
    }
}
