//! Calls that come again, run through a chain.

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::response::{IntoResponse, Response};
use futures_util::{FutureExt, stream};
use http::Request;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::*;
use crate::chain::{Chain, Form, Step};
use crate::clock::Clock;
use crate::conf::fixture::built;
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
            Reply::from((self.answer)(self.done.fetch_add(1, Ordering::SeqCst) + 1, &body))
        })
    }
}

/// Refuses calls that say so.
struct Moody;

impl Handler for Moody {
    fn before(&self, invocation: &mut Invocation) -> Verdict {
        match invocation.headers().contains_key("x-refuse") {
            true => Fault::new(Code::PermissionDenied, "Not now.").into(),
            false => Verdict::Continue,
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
    refused: bool,
}

const CALL: Sent =
    Sent { key: Some("\"k\""), body: "one", caller: Some("ada"), method: "POST", target: "/orders", refused: false };

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
            if sent.refused {
                request = request.header("x-refuse", "1");
            }
            let operation = Operation::new("orders", "place", "POST", "/orders");
            let mut call =
                fixture::with_operation(request.body(sent.body.into()).unwrap(), operation, Default::default());
            call.call.principal = sent
                .caller
                .map(|caller| Principal::new(Identity { subject: caller.to_owned(), ..Identity::default() }));
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
async fn a_caller_that_left_before_the_answer_may_send_it_again() {
    let service = Service::new(json!({}), echo);
    service.order.go.forget_permits(1000);
    assert!(service.send(CALL).now_or_never().is_none());
    service.order.go.add_permits(9);
    assert_eq!(service.answer(CALL).await, created("1 one"));
}

#[tokio::test(start_paused = true)]
async fn a_key_must_be_there_where_that_is_said_and_be_one() {
    let service = Service::new(json!({ "required": true }), echo);
    assert_eq!(service.status(Sent { key: None, ..CALL }).await, 400);
    assert_eq!(service.status(Sent { key: Some("k"), ..CALL }).await, 400);
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
async fn what_was_not_done_may_be_done_later() {
    let service = Service::new(json!({}), echo);
    assert_eq!(service.status(Sent { refused: true, ..CALL }).await, 403);
    assert_eq!(service.answer(CALL).await, created("1 one"));
    for code in [Code::TooManyRequests, Code::Unavailable, Code::DeadlineExceeded] {
        let busy: Answer = match code {
            Code::TooManyRequests => |_, _| StatusCode::TOO_MANY_REQUESTS.into_response(),
            Code::Unavailable => |_, _| Fault::new(Code::Unavailable, "Later.").into_response(),
            _ => |_, _| Fault::new(Code::DeadlineExceeded, "Too late.").into_response(),
        };
        let service = Service::new(json!({}), busy);
        service.answer(CALL).await;
        service.answer(CALL).await;
        assert_eq!(service.done(), 2, "{code:?}");
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
    let service = Service::new(json!({ "memory": "1B", "when-full": "refuse" }), echo);
    assert_eq!((service.status(CALL).await, service.done()), (503, 0));
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
fn what_is_no_method_or_field_is_refused_at_its_place() {
    for (conf, at) in
        [(json!({ "methods": ["A B"] }), "methods[0]"), (json!({ "headers": ["a", "b c"] }), "headers[1]")]
    {
        assert_eq!(built::<Idempotency>(conf).err().map(|error| error.at).as_deref(), Some(at));
    }
}
