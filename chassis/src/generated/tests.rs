//! Proves that what the attributes write builds, takes, calls and answers.
#![expect(unsafe_code, reason = "linkme places the entries of the crate that declares the slices by link section")]

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Redirect};
use futures_util::FutureExt;
use http::Request;
use http::request::Parts;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::*;
use crate::catalog::{CHASSIS_COMPONENTS_V1, CHASSIS_HANDLERS_V1, CHASSIS_SCHEMAS_V1};
use crate::chain::{Chain, Step};
use crate::clock::Clock;
use crate::component::Supply;
use crate::invocation::fixture;
use crate::prelude::*;

/// Counts.
#[schema("/generated")]
struct Generated {
    /// From where.
    #[conf(default = 40, range(..=90))]
    start: usize,
    more: Component<More>,
    calls: AtomicUsize,
    #[new(words)]
    words: HashMap<&'static str, usize>,
}

fn words() -> HashMap<&'static str, usize> {
    HashMap::from([("two", 2)])
}

#[operations]
impl Generated {
    #[post("/{word}", public)]
    async fn count(&self, Path(word): Path<String>, Json(times): Json<usize>) -> Result<Json<usize>, Uncountable> {
        let word = self.words.get(word.as_str()).ok_or(Uncountable)?;
        Ok(Json(self.start + self.more.more + word * times))
    }

    #[get("/calls", public)]
    fn calls(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    #[get("/moved", public)]
    fn moved(&self, _moved: Foreign<307>) {}

    #[get("/mistaken", public)]
    fn mistaken(&self, _mistaken: Foreign<415>) {}

    #[get("/broken", public)]
    fn broken(&self, _broken: Foreign<503>) {}
}

struct Uncountable;

impl From<Uncountable> for Fault {
    fn from(_: Uncountable) -> Self {
        Self::new(Code::NotFound, "nobody counts with that word")
    }
}

/// An extractor that knows nothing of chassis and always refuses.
struct Foreign<const STATUS: u16>;

impl<S: Sync, const STATUS: u16> FromRequestParts<S> for Foreign<STATUS> {
    type Rejection = axum::response::Response;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let fields = [("x-why", "because"), ("content-type", "text/plain")];
        Err(match StatusCode::from_u16(STATUS).unwrap() {
            status if status.is_redirection() => Redirect::temporary("/elsewhere").into_response(),
            status => (status, fields, "the words of the extractor").into_response(),
        })
    }
}

/// Adds.
#[component("generated-more")]
struct More {
    more: usize,
}

impl Start for More {
    type Conf = ();

    async fn start((): (), _: &mut Starting<'_>) -> Result<Self, BuildError> {
        Ok(Self { more: 1 })
    }
}

/// Starts whatever is asked for.
struct Shop;

impl Supply for Shop {
    fn supply(&mut self, id: TypeId, _: &'static str) -> BoxFuture<'_, Result<Arc<dyn Running>, BuildError>> {
        Box::pin(async move {
            let entry = CHASSIS_COMPONENTS_V1.iter().find(|entry| (entry.id)() == id).unwrap();
            (entry.start)(Value::Null, &mut Starting::new(&mut Self)).await
        })
    }
}

fn build(conf: Value) -> Result<Vec<Mounted>, BuildError> {
    let entry = CHASSIS_SCHEMAS_V1.iter().find(|entry| entry.head.name == "generated").unwrap();
    (entry.build)(conf, &mut Starting::new(&mut Shop)).now_or_never().unwrap()
}

/// Calls an operation of a schema that was built with its defaults.
fn call(name: &str, path: &str, body: &Value) -> (StatusCode, String, Reply) {
    let mounted = build(Value::Null).unwrap();
    let mounted = mounted.iter().find(|mounted| mounted.operation.id.ends_with(name)).unwrap();
    let request = Request::post(path).header("content-type", "application/json").body(Body::from(body.to_string()));
    let mut invocation = fixture::matched(&mounted.operation.template, request.unwrap());
    let chain = Chain { name: "empty".into(), steps: Arc::new([]) };
    let reply = chain.run(&*mounted.endpoint, &mut invocation, Clock::system()).now_or_never().unwrap();
    let detail = reply.fault().map(|fault| fault.detail().to_owned()).unwrap_or_default();
    (reply.status(), detail, reply)
}

fn text(reply: Reply) -> String {
    let response = reply.into_response(&fixture::call(Request::default()));
    let bytes = response.into_body().collect().now_or_never().unwrap().unwrap().to_bytes();
    String::from_utf8(bytes.into()).unwrap()
}

#[test]
fn a_schema_answers_with_its_conf_its_component_and_its_constructor() {
    let (status, _, reply) = call("count", "/generated/two", &json!(3));
    assert_eq!((status, text(reply).as_str()), (StatusCode::OK, "47"));
}

#[test]
fn nothing_is_said_with_204() {
    assert_eq!(call("calls", "/generated/calls", &Value::Null).0, StatusCode::NO_CONTENT);
}

#[test]
fn an_error_becomes_its_fault() {
    let (status, detail, _) = call("count", "/generated/three", &json!(3));
    assert_eq!((status, detail.as_str()), (StatusCode::NOT_FOUND, "nobody counts with that word"));
}

#[test]
fn an_argument_that_is_not_there_keeps_the_method_from_being_called() {
    let (status, detail, _) = call("count", "/generated/two", &json!("three"));
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!detail.is_empty());
}

#[test]
fn a_foreign_rejection_of_the_caller_is_told_to_the_caller() {
    let (status, detail, reply) = call("mistaken", "/generated/mistaken", &Value::Null);
    assert_eq!((status, detail.as_str()), (StatusCode::UNSUPPORTED_MEDIA_TYPE, "the words of the extractor"));
    assert_eq!(reply.headers()["x-why"], "because");
    assert_eq!(reply.headers().get("content-type"), None);
}

#[test]
fn a_foreign_rejection_for_our_own_reasons_is_only_logged() {
    let (status, detail, reply) = call("broken", "/generated/broken", &Value::Null);
    assert_eq!((status, detail.as_str()), (StatusCode::SERVICE_UNAVAILABLE, "The service failed to read this call."));
    assert_eq!(reply.fault().unwrap().cause().unwrap().to_string(), "the words of the extractor");
}

#[test]
fn a_rejection_that_is_no_failure_is_the_answer() {
    let (status, _, reply) = call("moved", "/generated/moved", &Value::Null);
    assert_eq!((status, reply.headers()["location"].as_bytes()), (StatusCode::TEMPORARY_REDIRECT, &b"/elsewhere"[..]));
}

#[test]
fn a_value_outside_its_range_names_its_key() {
    let error = build(json!({ "start": 91 })).err().unwrap();
    assert_eq!((error.at.as_str(), error.message.as_str()), ("start", "it must be at most 90"));
}

#[test]
fn a_handler_is_built_from_its_conf_and_runs_in_a_chain() {
    let entry = CHASSIS_HANDLERS_V1.iter().find(|entry| entry.head.name == "generated-gate").unwrap();
    let context = BuildContext {
        clock: Clock::system(),
        random: &crate::random::Random::seeded(1),
        scope: None,
        files: &NoFiles,
        warnings: &crate::conf::Warnings::default(),
        process: &crate::conf::Process::default(),
    };
    for nothing in [Value::Null, json!({})] {
        let form = (entry.build)(nothing, &context).unwrap().form;
        let chain = Chain { name: "gated".into(), steps: Arc::new([Step { name: "gate".into(), form, terms: None }]) };
        let mounted = build(Value::Null).unwrap();
        let mut invocation = fixture::call(Request::default());
        let reply = chain.run(&*mounted[1].endpoint, &mut invocation, Clock::system()).now_or_never().unwrap();
        assert_eq!(reply.fault().unwrap().handler(), Some("gate"));
    }
}

struct NoFiles;

impl crate::conf::Files for NoFiles {
    fn read(&self, _: &FileRef) -> Result<Vec<u8>, BuildError> {
        Err(BuildError::new("", "there are no files"))
    }
}

/// Refuses everything.
#[handler("generated-gate")]
struct Gate;

impl Configure for Gate {
    type Conf = ();

    fn build((): (), _: &BuildContext<'_>) -> Result<Self, BuildError> {
        Ok(Self)
    }
}

impl Handler for Gate {
    fn before(&self, _: &mut Invocation) -> Verdict {
        Fault::new(Code::PermissionDenied, "shut").into()
    }
}
