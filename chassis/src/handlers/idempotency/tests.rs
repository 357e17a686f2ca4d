//! Calls that come again, run through a chain.

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::response::{IntoResponse, Response};
use futures_util::{FutureExt, stream};
use http::{Request, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::*;
use crate::chain::{Chain, Form, Step};
use crate::clock::Clock;
use crate::conf::fixture::built;
use crate::fault::Code;
use crate::handler::{Handler, Verdict};
use crate::invocation::fixture;
use crate::operation::Operation;
use crate::principal::{Identity, Principal};
use crate::schema::Endpoint;

#[cfg(feature = "redis")]
mod shared;

type Answer = fn(usize, &Bytes) -> Response;

/// Counts how often it is done, and answers as the test says; where it is held, when the test says.
struct Order {
    done: AtomicUsize,
    go: Semaphore,
    answer: Answer,
}

impl Endpoint for Order {
    fn call<'a>(&'a self, invocation: &'a mut Invocation) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            let body = Bytes::take(invocation).await.unwrap();
            self.go.acquire().await.unwrap().forget();
            assert_ne!(body, "broken");
            Reply::from((self.answer)(self.done.fetch_add(1, Ordering::SeqCst) + 1, &body))
        })
    }
}

/// Does with calls as they say.
struct Moody;

fn says(invocation: &Invocation) -> &[u8] {
    invocation.headers().get("x-says").map_or(b"", HeaderValue::as_bytes)
}

impl Handler for Moody {
    fn before(&self, invocation: &mut Invocation) -> Verdict {
        match says(invocation) {
            b"refuse" => Fault::new(Code::PermissionDenied, "Not now.").into(),
            b"wait" => Verdict::wait(std::future::pending(), |_, ()| Verdict::Continue),
            _ => Verdict::Continue,
        }
    }

    fn after(&self, invocation: &Invocation, reply: &mut Reply) {
        if says(invocation) == b"spoil" {
            let fault = Fault::new(Code::Unavailable, "Spoilt.").with_retry_after(Duration::from_secs(1));
            *reply = Reply::from(fault).by("moody");
        }
    }
}

struct Service {
    chain: Chain,
    order: Arc<Order>,
    handler: Arc<Idempotency>,
}

/// One call.
#[derive(Clone, Copy)]
struct Sent {
    key: Option<&'static str>,
    body: &'static str,
    caller: Option<&'static str>,
    method: &'static str,
    target: &'static str,
    says: Option<&'static str>,
    deadline: Option<Duration>,
}

const CALL: Sent = Sent {
    key: Some("\"k\""),
    body: "one",
    caller: Some("ada"),
    method: "POST",
    target: "/orders",
    says: None,
    deadline: None,
};

fn echo(times: usize, body: &Bytes) -> Response {
    let fields = [("content-type", "text/plain"), ("location", "/orders/1"), ("x-own", "1")];
    (StatusCode::CREATED, fields, format!("{times} {}", str::from_utf8(body).unwrap())).into_response()
}

impl Service {
    fn new(conf: Value, answer: Answer) -> Self {
        Self::of(built(conf).unwrap(), answer)
    }

    fn of(handler: Idempotency, answer: Answer) -> Self {
        let handler = Arc::new(handler);
        let steps = [
            Step { name: "idempotency".into(), form: Form::Wrap(handler.clone()), terms: None },
            Step { name: "moody".into(), form: Form::Hooks(Arc::new(Moody)), terms: None },
        ];
        let order = Order { done: AtomicUsize::new(0), go: Semaphore::new(1000), answer };
        Self { chain: Chain { name: "default".into(), steps: steps.into() }, order: Arc::new(order), handler }
    }

    fn send(&self, sent: Sent) -> impl Future<Output = Response> + use<> {
        let (chain, order) = (self.chain.clone(), Arc::clone(&self.order));
        async move {
            let mut request = Request::builder().method(sent.method).uri(sent.target);
            if let Some(key) = sent.key {
                request = request.header(key::FIELD, key);
            }
            if let Some(says) = sent.says {
                request = request.header("x-says", says);
            }
            let operation = Operation::new("orders", "place", "POST", "/orders");
            let mut call =
                fixture::with_operation(request.body(sent.body.into()).unwrap(), operation, Default::default());
            call.call.principal = sent
                .caller
                .map(|caller| Principal::new(Identity { subject: caller.to_owned(), ..Identity::default() }));
            call.call.deadline = sent.deadline.map(|after| call.call.arrived + after);
            chain.run(&*order, &mut call, Clock::system()).await.into_response(&call)
        }
    }

    async fn answer(&self, sent: Sent) -> (u16, String) {
        let response = self.send(sent).await;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.into()).unwrap())
    }

    async fn status(&self, sent: Sent) -> u16 {
        self.answer(sent).await.0
    }

    fn done(&self) -> usize {
        self.order.done.load(Ordering::SeqCst)
    }
}

fn created(text: &str) -> (u16, String) {
    (201, text.to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_call_that_comes_again_gets_the_first_answer() {
    let service = Service::new(json!({}), echo);
    assert_eq!(service.answer(CALL).await, created("1 one"));
    let again = service.send(CALL).await;
    assert_eq!((again.status().as_u16(), &again.headers()["idempotent-replayed"]), (201, &"true".parse().unwrap()));
    assert_eq!((&again.headers()["location"], again.headers().get("x-own")), (&"/orders/1".parse().unwrap(), None));
    assert_eq!((service.answer(CALL).await, service.done()), (created("1 one"), 1));
}

#[tokio::test(start_paused = true)]
async fn a_key_belongs_to_one_caller() {
    let service = Service::new(json!({}), echo);
    service.answer(CALL).await;
    assert_eq!(service.answer(Sent { caller: Some("bob"), ..CALL }).await, created("2 one"));
    assert_eq!(service.answer(Sent { caller: None, ..CALL }).await, created("3 one"));
    assert_eq!(service.answer(Sent { key: Some("\"other\""), ..CALL }).await, created("4 one"));
}

#[tokio::test(start_paused = true)]
async fn another_body_or_target_with_the_same_key_is_422() {
    let service = Service::new(json!({}), echo);
    service.answer(CALL).await;
    assert_eq!(service.status(Sent { body: "two", ..CALL }).await, 422);
    assert_eq!(service.status(Sent { target: "/orders?dry", ..CALL }).await, 422);
    assert_eq!((service.answer(CALL).await, service.done()), (created("1 one"), 1));
}

#[tokio::test(start_paused = true)]
async fn while_the_first_is_under_way_the_next_is_409() {
    let service = Service::new(json!({}), echo);
    service.order.go.forget_permits(1000);
    let first = tokio::spawn(service.send(CALL));
    tokio::task::yield_now().await;
    let second = service.send(CALL).await;
    assert_eq!((second.status().as_u16(), &second.headers()["retry-after"]), (409, &"1".parse().unwrap()));
    assert_eq!(service.status(Sent { body: "two", ..CALL }).await, 422);
    service.order.go.add_permits(9);
    assert_eq!(first.await.unwrap().status(), 201);
    assert_eq!((service.answer(CALL).await, service.done()), (created("1 one"), 1));
}

#[tokio::test(start_paused = true)]
async fn what_was_begun_and_not_answered_is_not_done_again() {
    let service = Service::new(json!({ "ttl": "1h" }), echo);
    service.order.go.forget_permits(1000);
    assert!(service.send(CALL).now_or_never().is_none(), "its caller leaves");
    let late = Sent { key: Some("\"late\""), deadline: Some(Duration::from_secs(5)), ..CALL };
    assert_eq!(service.status(late).await, 504);
    service.order.go.add_permits(1000);
    let broken = Sent { key: Some("\"broken\""), body: "broken", ..CALL };
    assert_eq!(service.status(broken).await, 500);
    let done = service.done();
    for sent in [CALL, Sent { deadline: None, ..late }, broken] {
        let (status, said) = service.answer(sent).await;
        assert!(status == 409 && said.contains("was begun, and how it ended is not known"), "{said}");
    }
    assert_eq!((service.status(Sent { body: "two", ..CALL }).await, service.done()), (422, done));
    tokio::time::advance(Duration::from_secs(3600)).await;
    assert_eq!(service.status(CALL).await, 201);
}

#[tokio::test(start_paused = true)]
async fn what_was_not_begun_may_be_made_again() {
    let service = Service::new(json!({}), echo);
    for (sent, status) in [
        (Sent { says: Some("refuse"), ..CALL }, 403),
        (Sent { says: Some("wait"), deadline: Some(Duration::from_secs(5)), ..CALL }, 504),
    ] {
        assert_eq!(service.status(sent).await, status);
    }
    assert!(service.send(Sent { says: Some("wait"), ..CALL }).now_or_never().is_none(), "its caller leaves");
    assert_eq!(service.answer(CALL).await, created("1 one"));
}

#[tokio::test(start_paused = true)]
async fn what_a_handler_makes_of_an_answer_is_given_again() {
    let service = Service::new(json!({}), echo);
    let spoilt = Sent { says: Some("spoil"), ..CALL };
    assert_eq!([service.status(spoilt).await, service.status(spoilt).await], [503, 503]);
    assert_eq!(service.done(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_key_must_be_there_where_that_is_said_and_be_one() {
    let service = Service::new(json!({ "required": true }), echo);
    let wrong = [(None, "This call needs an `Idempotency-Key`."), (Some("k"), "This `Idempotency-Key` is malformed.")];
    for (key, what) in wrong {
        let (status, said) = service.answer(Sent { key, ..CALL }).await;
        let said: Value = serde_json::from_str(&said).unwrap();
        let violation = &said["violations"][0];
        assert_eq!((status, &said["detail"], &violation["pointer"]), (400, &what.into(), &"/idempotency-key".into()));
        assert!(violation["detail"].as_str().unwrap().starts_with("must be one string in quotes"), "{said}");
    }
    assert_eq!(service.status(Sent { key: None, method: "PUT", ..CALL }).await, 201);
    let service = Service::new(json!({ "bare-keys": true }), echo);
    assert_eq!(service.answer(Sent { key: None, ..CALL }).await, created("1 one"));
    assert_eq!(service.answer(Sent { key: Some("k"), ..CALL }).await, created("2 one"));
    assert_eq!(service.answer(CALL).await, created("2 one"));
    assert_eq!(service.answer(Sent { method: "PUT", ..CALL }).await, created("3 one"), "it does no harm twice");
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_the_operation_is_given_again() {
    let failing: Answer = |times, _| Fault::new(Code::Conflict, format!("Sold out {times}.")).into_response();
    let service = Service::new(json!({}), failing);
    let (status, document) = service.answer(CALL).await;
    assert!(status == 409 && document.contains("Sold out 1."), "{document}");
    let again = service.send(CALL).await;
    assert_eq!(again.headers()["content-type"], "application/problem+json");
    assert_eq!((service.answer(CALL).await, service.done()), ((409, document), 1));
}

#[tokio::test(start_paused = true)]
async fn only_an_operation_that_says_to_come_again_is_done_again() {
    const WAIT: Duration = Duration::from_secs(1);
    let answers: [(Answer, usize); 6] = [
        (|_, _| Fault::new(Code::Unavailable, "Later.").with_retry_after(WAIT).into_response(), 2),
        (|_, _| (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "1")]).into_response(), 2),
        (|_, _| Fault::new(Code::Unavailable, "Later.").into_response(), 2),
        (|_, _| StatusCode::TOO_MANY_REQUESTS.into_response(), 2),
        (|_, _| Fault::new(Code::DeadlineExceeded, "Too late.").with_retry_after(WAIT).into_response(), 1),
        (|_, _| Fault::internal("broken").into_response(), 1),
    ];
    for (at, (answer, times)) in answers.into_iter().enumerate() {
        let service = Service::new(json!({}), answer);
        assert_eq!(service.status(CALL).await, service.status(CALL).await, "{at}");
        assert_eq!(service.done(), times, "{at}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_expires() {
    let service = Service::new(json!({ "ttl": "1m" }), echo);
    service.answer(CALL).await;
    tokio::time::advance(Duration::from_secs(61)).await;
    assert_eq!(service.answer(CALL).await, created("2 one"));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_too_large_is_not_given_again_and_nothing_is_done_twice() {
    let service = Service::new(json!({ "max-answer": "4B" }), echo);
    assert_eq!(service.answer(CALL).await, created("1 one"));
    assert_eq!((service.status(CALL).await, service.done()), (409, 1));
}

const STREAM: Answer = |_, _| {
    let pieces = stream::iter(["a", "b", "c"].map(Ok::<_, std::convert::Infallible>));
    Body::from_stream(pieces).into_response()
};

#[tokio::test(start_paused = true)]
async fn a_streamed_answer_is_kept_with_its_last_byte_and_known_when_nobody_reads_it() {
    let service = Service::new(json!({}), STREAM);
    assert_eq!(service.answer(CALL).await, (200, "abc".to_owned()));
    assert_eq!((service.answer(CALL).await, service.done()), ((200, "abc".to_owned()), 1));
    let service = Service::new(json!({}), STREAM);
    let mut response = service.send(CALL).await;
    assert_eq!(service.status(CALL).await, 409, "it is under way");
    response.body_mut().frame().await.unwrap().unwrap();
    drop(response);
    assert_eq!((service.status(CALL).await, service.done()), (409, 1));
    let service = Service::new(json!({ "max-answer": "2B" }), STREAM);
    assert_eq!(service.answer(CALL).await, (200, "abc".to_owned()));
    assert_eq!((service.status(CALL).await, service.done()), (409, 1));
}

#[tokio::test(start_paused = true)]
async fn without_room_new_keys_are_refused_where_that_is_said() {
    let service =
        Service::new(json!({ "memory": format!("{}B", local::EACH), "max-answer": "0B", "when-full": "refuse" }), echo);
    assert_eq!(service.status(CALL).await, 201);
    assert_eq!((service.status(Sent { key: Some("\"other\""), ..CALL }).await, service.done()), (503, 1));
}

#[tokio::test(start_paused = true)]
async fn a_call_has_its_lease_at_least_until_its_deadline() {
    let service = Service::new(json!({ "lease": "10s" }), echo);
    let mut call = fixture::call(fixture::request("POST", "/"));
    assert_eq!(service.handler.lease(&call), Duration::from_secs(10));
    call.call.deadline = Some(call.call.arrived + Duration::from_secs(30));
    assert_eq!(service.handler.lease(&call), Duration::from_secs(30));
}

#[test]
fn what_makes_no_sense_is_refused_at_its_place() {
    for (conf, at) in [
        (json!({ "methods": ["A B"] }), "methods[0]"),
        (json!({ "methods": ["POST", "patch"] }), "methods[1]"),
        (json!({ "headers": ["a", "b c"] }), "headers[1]"),
        (json!({ "ttl": "0s" }), "ttl"),
        (json!({ "lease": "0s" }), "lease"),
        (json!({ "lease": "99ms" }), "lease"),
        (json!({ "memory": "0B" }), "memory"),
        (json!({ "memory": "64KiB" }), "max-answer"),
        (json!({ "memory": "2MiB", "max-answer": "3MiB" }), "max-answer"),
        (json!({ "methods": [] }), "methods"),
    ] {
        assert_eq!(built::<Idempotency>(conf).err().map(|error| error.at).as_deref(), Some(at));
    }
    assert!(
        built::<Idempotency>(json!({ "methods": ["POST", "purge"] })).is_ok(),
        "extension methods may be written so"
    );
}
