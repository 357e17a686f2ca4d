//! What a chain promises whatever handlers and operations do: one answer, one `after`, nothing internal outside.

use std::time::Duration;

use axum::middleware::from_fn;
use chassis::chain::{Layered, Rest};
use chassis::prelude::*;
use http::HeaderValue;
use serde_json::Value;
use tower::layer::util::{Identity, Stack};
use tower::util::MapResponseLayer;

use crate::rig::{answering, saying, service, started};

/// Panics where the call asks for it.
#[handler("bomb")]
struct Bomb;

impl Configure for Bomb {
    type Conf = ();

    fn build((): (), _: &BuildContext<'_>) -> Result<Self, BuildError> {
        Ok(Self)
    }
}

fn goes_off(invocation: &Invocation, place: &str) {
    assert!(invocation.headers().get("x-bomb").is_none_or(|at| at != place), "secret of the {place}");
}

impl Handler for Bomb {
    fn before(&self, invocation: &mut Invocation) -> Verdict {
        goes_off(invocation, "before");
        Verdict::Continue
    }

    fn after(&self, invocation: &Invocation, _: &mut Reply) {
        goes_off(invocation, "after");
    }
}

/// Writes on the reply that it came by.
#[handler("stamp", repeatable)]
struct Stamp {
    text: HeaderValue,
}

/// What is written.
#[conf]
struct StampConf {
    /// The text.
    #[conf(default = "stamp")]
    text: String,
}

impl Configure for Stamp {
    type Conf = StampConf;

    fn build(conf: StampConf, _: &BuildContext<'_>) -> Result<Self, BuildError> {
        let text = conf.text.parse().map_err(|_| BuildError::new("text", "this cannot stand in a header field"))?;
        Ok(Self { text })
    }
}

impl Handler for Stamp {
    fn after(&self, _: &Invocation, reply: &mut Reply) {
        reply.headers_mut().append("x-stamps", self.text.clone());
    }
}

/// Writes before and after the others.
#[handler("seal")]
struct Seal;

impl Configure for Seal {
    type Conf = ();

    fn build((): (), _: &BuildContext<'_>) -> Result<Self, BuildError> {
        Ok(Self)
    }
}

impl Handler for Seal {
    fn after(&self, _: &Invocation, reply: &mut Reply) {
        reply.headers_mut().append("x-stamps", HeaderValue::from_static("seal"));
    }
}

/// Tries again once.
#[handler("again", wrap)]
struct Again;

impl Configure for Again {
    type Conf = ();

    fn build((): (), _: &BuildContext<'_>) -> Result<Self, BuildError> {
        Ok(Self)
    }
}

impl Wrap for Again {
    fn wrap<'a>(&'a self, invocation: &'a mut Invocation, next: Next<'a>) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            let reply = next.run(invocation).await;
            if reply.status() == StatusCode::SERVICE_UNAVAILABLE { next.run(invocation).await } else { reply }
        })
    }
}

type Change = MapResponseLayer<fn(http::Response<Body>) -> http::Response<Body>>;

/// A layer of tower in a chain.
#[handler("layered", wrap)]
struct InLayer(Layered<Stack<Change, Identity>>);

impl Configure for InLayer {
    type Conf = ();

    fn build((): (), _: &BuildContext<'_>) -> Result<Self, BuildError> {
        let change: fn(_) -> _ = |mut response: http::Response<Body>| {
            response.headers_mut().insert("x-layer", HeaderValue::from_static("tower"));
            response
        };
        Ok(Self(Layered::new(Stack::new(MapResponseLayer::new(change), Identity::new()))))
    }
}

impl Wrap for InLayer {
    fn wrap<'a>(&'a self, invocation: &'a mut Invocation, next: Next<'a>) -> BoxFuture<'a, Reply> {
        self.0.wrap(invocation, next)
    }
}

/// An axum middleware in a chain, whose type nobody can write down.
#[handler("middleware", wrap)]
struct InMiddleware(Box<dyn Wrap>);

impl Configure for InMiddleware {
    type Conf = ();

    fn build((): (), _: &BuildContext<'_>) -> Result<Self, BuildError> {
        let layer = from_fn(|request: http::Request<Body>, next: axum::middleware::Next| async move {
            let mut response = next.run(request).await;
            response.headers_mut().insert("x-middleware", HeaderValue::from_static("axum"));
            response
        });
        Ok(Self(Box::new(Layered::new(layer))))
    }
}

impl Wrap for InMiddleware {
    fn wrap<'a>(&'a self, invocation: &'a mut Invocation, next: Next<'a>) -> BoxFuture<'a, Reply> {
        self.0.wrap(invocation, next)
    }
}

// The service that a layer in a chain wraps is nameable, for layers that are generic over it.
const _: fn(Rest) = drop;

/// Does what is hard on a chain.
#[schema("/trials")]
struct Trial {
    attempts: std::sync::atomic::AtomicUsize,
}

#[operations]
impl Trial {
    /// Panics.
    #[get("/panic", public)]
    async fn panics(&self) -> &'static str {
        panic!("secret of the operation")
    }

    /// Never answers.
    #[get("/never", public, timeout = "2s")]
    async fn never(&self) -> NoContent {
        std::future::pending().await
    }

    /// Says how long it may take.
    #[get("/time", public)]
    async fn time(&self, deadline: Deadline) -> String {
        format!("{:?}", deadline.remaining())
    }

    /// Says how long it may take, and asks for less.
    #[get("/less", public, timeout = "2s")]
    async fn less(&self, deadline: Deadline) -> String {
        format!("{:?}", deadline.remaining())
    }

    /// Fails the first time.
    #[get("/second", public)]
    async fn second(&self) -> Result<&'static str, Fault> {
        match self.attempts.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            0 => Err(Fault::new(Code::Unavailable, "Not yet.")),
            _ => Ok("now"),
        }
    }
}

#[tokio::test]
async fn a_panic_is_a_500_that_says_nothing_and_is_counted_once() {
    let app = started("chain: { provider: { default: [gate, bomb] } }").await;
    for (counted, (path, bomb)) in
        [("/trials/panic", ""), ("/trials/time", "before"), ("/trials/time", "after")].into_iter().enumerate()
    {
        let answer = app.get(path).header("x-bomb", bomb).send().await;
        assert_eq!((answer.status().as_u16(), answer.code().as_deref()), (500, Some("internal")), "{path} {bomb}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert!(!answer.text().contains("secret"), "{}", answer.text());
        assert_eq!(app.running().provider().panics(), counted as u64 + 1);
        assert_eq!(app.get("/trials/time").send().await.status(), 200);
    }
    // The `after` that panicked ran, and so did that of the handler outside it.
    assert_eq!(app.spy("gate").passed(), app.spy("gate").seen());
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_takes_too_long_is_given_up() {
    let app = started("").await;
    let answer = app.get("/trials/never").send().await;
    assert_eq!((answer.status().as_u16(), answer.code().as_deref()), (504, Some("deadline-exceeded")));
    assert_eq!(answer.json::<Value>()["operation"], "trial.never");
    assert_eq!(app.spy("gate").seen(), 1);
}

async fn times(yaml: &str) -> [String; 2] {
    let app = started(yaml).await;
    [app.get("/trials/time").send().await.text(), app.get("/trials/less").send().await.text()]
}

#[tokio::test(start_paused = true)]
async fn what_yaml_says_about_one_operation_beats_its_attribute_which_beats_the_default() {
    assert_eq!(times("timeout: 7s").await, ["Some(7s)", "Some(2s)"]);
    assert_eq!(times("timeout: none").await, ["None", "Some(2s)"]);
    let yaml = "{ timeout: 7s, operations: { trial.*: { timeout: 4s }, trial.time: { timeout: none } } }";
    assert_eq!(times(yaml).await, ["None", "Some(4s)"]);
}

fn stamps(answer: &chassis::testing::Answer) -> Vec<&str> {
    answer.headers().get_all("x-stamps").iter().map(|value| value.to_str().unwrap()).collect()
}

#[tokio::test]
async fn the_first_listed_sees_the_reply_last() {
    let app = started("chain: { provider: { default: [seal, gate, stamp] } }").await;
    assert_eq!(stamps(&app.get("/trials/time").send().await), ["stamp", "seal"]);
}

#[tokio::test]
async fn a_handler_does_for_one_operation_what_yaml_says_there() {
    let yaml = "
chain: { provider: { default: [gate, stamp] } }
handlers: { stamp: { text: common } }
operations: { trial.less: { handlers: { stamp: { text: own } } } }";
    let app = started(yaml).await;
    assert_eq!(stamps(&app.get("/trials/time").send().await), ["common"]);
    assert_eq!(stamps(&app.get("/trials/less").send().await), ["own"]);
}

#[tokio::test]
async fn a_handler_that_wraps_the_rest_runs_it_again() {
    let app = started("chain: { provider: { default: [gate, again, stamp] } }").await;
    let answer = app.get("/trials/second").send().await;
    assert_eq!((answer.status().as_u16(), answer.text().as_str()), (200, "now"));
    assert_eq!((app.spy("gate").passed(), app.spy("again").passed(), app.spy("stamp").passed()), (1, 1, 2));
}

#[tokio::test]
async fn layers_of_tower_and_axum_are_handlers_that_faults_pass_too() {
    let app = started("chain: { provider: { default: [gate, layered, middleware] } }").await;
    for (path, status) in [("/trials/time", 200), ("/trials/panic", 500), ("/nowhere", 404)] {
        let answer = app.get(path).send().await;
        assert_eq!(answer.status().as_u16(), status);
        assert_eq!((answer.header("x-layer"), answer.header("x-middleware")), (Some("tower"), Some("axum")), "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn handlers_may_wait_no_longer_than_the_operation_may_take() {
    let app = service(
        "chain: { provider: { default: [gate, concurrency] } }\nhandlers: { concurrency: { max: 1, queue: 5, queue-timeout: 1m } }",
    );
    let app = app.start().await.unwrap();
    let (one, other) = tokio::join!(app.get("/trials/never").send(), app.get("/trials/never").send());
    assert_eq!((one.status().as_u16(), other.status().as_u16()), (504, 503));
    app.advance(Duration::from_secs(1)).await;
    assert_eq!(app.get("/trials/time").send().await.status(), 200);
}

#[tokio::test]
async fn a_caller_that_goes_away_is_seen_by_every_handler_it_passed() {
    let app = started("chain: { provider: { default: [gate, stamp] } }").await;
    let call = app.get("/trials/never").send();
    let gone = tokio::time::timeout(Duration::ZERO, call).await;
    assert!(gone.is_err());
    assert_eq!((app.spy("gate").seen(), app.spy("stamp").seen()), (1, 1));
}

#[tokio::test]
async fn a_panic_while_a_reply_is_made_is_caught_too() {
    let panics = answering("hand.panics", "GET", "/panics", |_| panic!("secret"));
    let app = service("").mount_operations([panics, saying("hand.fine", "/fine", "fine")]).start().await.unwrap();
    assert_eq!(app.get("/panics").send().await.status(), 500);
    assert_eq!(app.get("/fine").send().await.text(), "fine");
}
