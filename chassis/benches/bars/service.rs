//! The service that is measured: two schemas, handlers that do nothing in every form, and the ways into it.

use std::future::ready;
use std::path::Path as FilePath;
use std::time::Duration;

use axum::extract::rejection::StringRejection;
use axum::extract::{FromRequest, Request};
use chassis::app::{App, Running};
use chassis::cli::Package;
use chassis::clock::Clock;
use chassis::conf::{Process, Sources, Warnings};
use chassis::handlers::auth::{Claims, mint};
use chassis::prelude::*;
use chassis::random::Random;
use serde::{Deserialize, Serialize};
use tokio::runtime::{Builder, Runtime};

/// Greets, as the greeter does.
#[schema("/greetings")]
struct Greeting {}

#[derive(Serialize)]
struct Hello {
    message: String,
}

#[operations]
impl Greeting {
    /// Says hello.
    #[get("/{name}", public)]
    async fn hello(&self, Path(name): Path<String>) -> Json<Hello> {
        Json(Hello { message: format!("Hello, {name}!") })
    }

    /// Says that it is there: nothing is taken and nothing is made.
    #[get("/", public)]
    async fn there(&self) -> NoContent {
        NoContent
    }
}

/// Takes orders.
#[schema("/orders")]
struct Orders {}

/// An order of the size that the contest sends.
#[derive(Deserialize, Serialize)]
struct Order {
    id: u64,
    customer: Vec<String>,
    express: bool,
    lines: Vec<Line>,
    note: Option<String>,
}

#[derive(Deserialize, Serialize)]
struct Line {
    sku: String,
    quantity: u32,
    price: f64,
    tags: Vec<String>,
}

#[operations]
impl Orders {
    /// Answers with what it took.
    #[post("/", public)]
    async fn place(&self, Json(order): Json<Order>) -> Json<Order> {
        Json(order)
    }

    /// Answers with the text it took.
    #[post("/text", public)]
    async fn text(&self, text: String) -> String {
        text
    }

    /// Answers with what an extractor took that knows axum alone.
    #[post("/foreign", public)]
    async fn foreign(&self, Foreign(text): Foreign) -> String {
        text
    }
}

/// Reads text as an extractor does that knows axum alone.
struct Foreign(String);

impl<S: Send + Sync> FromRequest<S> for Foreign {
    type Rejection = StringRejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, StringRejection> {
        String::from_request(request, state).await.map(Self)
    }
}

/// Lets every call pass.
#[handler("nothing", repeatable)]
struct Nothing;

impl Configure for Nothing {
    type Conf = ();

    fn build((): (), _: &BuildContext<'_>) -> Result<Self, BuildError> {
        Ok(Self)
    }
}

impl Handler for Nothing {}

/// Lets every call pass after waiting for what is there already.
#[handler("wait")]
struct Wait;

impl Configure for Wait {
    type Conf = ();

    fn build((): (), _: &BuildContext<'_>) -> Result<Self, BuildError> {
        Ok(Self)
    }
}

impl Handler for Wait {
    fn before(&self, _: &mut Invocation) -> Verdict {
        Verdict::wait(ready(()), |_, ()| Verdict::Continue)
    }
}

/// Runs the rest of the chain and nothing else.
#[handler("around", wrap)]
struct Around;

impl Configure for Around {
    type Conf = ();

    fn build((): (), _: &BuildContext<'_>) -> Result<Self, BuildError> {
        Ok(Self)
    }
}

impl Wrap for Around {
    fn wrap<'a>(&'a self, invocation: &'a mut Invocation, next: Next<'a>) -> BoxFuture<'a, Reply> {
        next.run(invocation)
    }
}

/// Where the repository is, to find the development key.
pub(crate) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The configuration in which this is the chain of every operation.
pub(crate) fn sources(chain: &str) -> Sources {
    limited(chain, "rate: 1000000000/s, burst: 1000000000, key: peer")
}

/// The same with this rate limit.
pub(crate) fn limited(chain: &str, limit: &str) -> Sources {
    let yaml = format!(
        "{{ chain: {{ provider: {{ default: [{chain}] }} }}, protocols: {{ rest: {{ listen: '127.0.0.1:0' }} }}, handlers: {{ \
         rate-limit: {{ {limit} }}, \
         auth: {{ public-with-bad-token: refuse, jwt: {{ issuer: bars, audience: bars, \
         keys: {{ file: conf/keys/development.jwks.json }} }} }} }} }}"
    );
    let directory = FilePath::new(ROOT).to_owned();
    Sources { service: "bars".to_owned(), texts: vec![("bars".to_owned(), yaml)], directory, ..Sources::default() }
}

/// Lets something be built for such a service.
pub(crate) fn built<T>(sources: &Sources, process: &Process, build: impl FnOnce(&BuildContext<'_>) -> T) -> T {
    build(&BuildContext {
        clock: Clock::system(),
        random: &Random::seeded(1),
        scope: None,
        files: &sources.disk(),
        warnings: &Warnings::default(),
        process,
    })
}

/// The token of a caller that proves who it is.
pub(crate) fn bearer() -> String {
    bearer_of("ada")
}

/// The token of this caller.
pub(crate) fn bearer_of(subject: &str) -> String {
    let text = |text: &str| text.to_owned();
    let claims = Claims {
        issuer: text("bars"),
        audience: text("bars"),
        subject: text(subject),
        scopes: vec![text("greetings:write")],
        roles: Vec::new(),
        lifetime: Duration::from_secs(3600),
    };
    let keys = std::fs::read(format!("{ROOT}/conf/keys/development.jwks.json")).unwrap();
    mint(&keys, &claims, Clock::system().unix_seconds()).unwrap()
}

/// Starts the service behind this chain.
pub(crate) async fn start(sources: &Sources) -> Running {
    let app = App::new(Package { name: "bars", version: "0.0.0" });
    let prepared = app.prepare(sources).unwrap_or_else(|error| panic!("{error}"));
    prepared.start().await.unwrap_or_else(|error| panic!("{error}"))
}

/// A runtime of one thread: everything happens where it is counted.
pub(crate) fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}
