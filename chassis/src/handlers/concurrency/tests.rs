//! The gate as calls meet it, run through a chain.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::*;
use crate::chain::{Chain, Form, Step, Terms};
use crate::clock::Clock;
use crate::conf::fixture::built;
use crate::invocation::fixture;
use crate::random::Random;
use crate::reply::Reply;
use crate::schema::{BoxFuture, Endpoint};

/// An operation that answers when the test says so.
struct Held {
    go: Semaphore,
    running: AtomicUsize,
    panics: AtomicBool,
}

impl Endpoint for Held {
    fn call<'a>(&'a self, _: &'a mut Invocation) -> BoxFuture<'a, Reply> {
        Box::pin(async {
            self.running.fetch_add(1, Ordering::SeqCst);
            self.go.acquire().await.unwrap().forget();
            assert!(!self.panics.load(Ordering::SeqCst), "as asked");
            Reply::new("ok")
        })
    }
}

struct Service {
    chain: Chain,
    held: Arc<Held>,
}

impl Service {
    fn new(conf: Value) -> Self {
        let handler: Concurrency = built(conf).unwrap();
        let step = Step { name: "concurrency".into(), form: Form::Hooks(Arc::new(handler)), terms: None };
        let chain = Chain { name: "default".into(), steps: [step].into() };
        let held = Held { go: Semaphore::new(0), running: AtomicUsize::new(0), panics: AtomicBool::new(false) };
        Self { chain, held: Arc::new(held) }
    }

    fn run(&self, deadline: Option<Duration>) -> impl Future<Output = u16> + use<> {
        let (chain, held) = (self.chain.clone(), Arc::clone(&self.held));
        async move {
            let mut call = fixture::call(fixture::request("GET", "/"));
            call.call.deadline = deadline.map(|deadline| call.call.arrived + deadline);
            chain.run(&*held, &mut call, Clock::system()).await.status().as_u16()
        }
    }

    /// Starts a call and lets it come as far as it comes by itself.
    async fn start(&self) -> JoinHandle<u16> {
        self.start_within(None).await
    }

    async fn start_within(&self, deadline: Option<Duration>) -> JoinHandle<u16> {
        let call = tokio::spawn(self.run(deadline));
        settle().await;
        call
    }

    /// Lets as many calls end.
    async fn answer(&self, calls: usize) {
        self.held.go.add_permits(calls);
        settle().await;
    }

    fn started(&self) -> usize {
        self.held.running.load(Ordering::SeqCst)
    }
}

/// Lets every task come as far as it comes by itself.
async fn settle() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

async fn pass(millis: u64) {
    tokio::time::advance(Duration::from_millis(millis)).await;
    settle().await;
}

#[tokio::test(start_paused = true)]
async fn a_shadow_lets_nobody_wait() {
    let mut service = Service::new(json!({ "max": 1, "queue": 10 }));
    let terms = Some(Arc::new(Terms::shadow("concurrency")));
    service.chain.steps = [Step { terms, ..service.chain.steps[0].clone() }].into();
    let (first, second) = (service.start().await, service.start().await);
    assert_eq!(service.started(), 2);
    service.answer(2).await;
    assert_eq!((first.await.unwrap(), second.await.unwrap()), (200, 200));
}

#[tokio::test(start_paused = true)]
async fn calls_beyond_the_limit_are_refused_until_one_ends() {
    let service = Service::new(json!({ "max": 2 }));
    let (first, second) = (service.start().await, service.start().await);
    assert_eq!(service.run(None).await, 503);
    service.answer(2).await;
    assert_eq!((first.await.unwrap(), second.await.unwrap()), (200, 200));
    service.answer(1).await;
    assert_eq!(service.run(None).await, 200);
}

#[test]
fn a_refusal_says_when_to_come_back_and_not_to_all_the_same() {
    let retry = Retry { after: Duration::from_secs(2), jitter: Duration::from_secs(2), random: Random::seeded(1) };
    let told: BTreeSet<_> = (0..50).map(|_| retry.refusal(NAME).headers()["retry-after"].clone()).collect();
    assert_eq!(told.into_iter().collect::<Vec<_>>(), ["2", "3", "4"]);
    let fault = retry.refusal(NAME);
    let problem = serde_json::to_value(fault.problem(None, None)).unwrap();
    assert_eq!(problem["type"], "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity");
    assert_eq!((&problem["status"], &problem["violated-policies"]), (&json!(503), &json!(["concurrency"])));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_gives_its_permit_back() {
    let service = Service::new(json!({ "max": 1 }));
    let gone = service.start().await;
    gone.abort();
    settle().await;
    service.answer(1).await;
    assert_eq!(service.run(None).await, 200);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_panics_or_is_late_gives_its_permit_back() {
    let service = Service::new(json!({ "max": 1 }));
    service.held.panics.store(true, Ordering::SeqCst);
    service.answer(1).await;
    assert_eq!(service.run(None).await, 500);
    service.held.panics.store(false, Ordering::SeqCst);
    assert_eq!(service.run(Some(Duration::from_millis(50))).await, 504);
    service.answer(1).await;
    assert_eq!(service.run(None).await, 200);
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_served_in_order_and_the_queue_is_bounded() {
    let service = Service::new(json!({ "max": 1, "queue": 2 }));
    let first = service.start().await;
    let (second, third) = (service.start().await, service.start().await);
    assert_eq!((service.run(None).await, service.started()), (503, 1));
    service.answer(1).await;
    assert_eq!((first.await.unwrap(), service.started(), third.is_finished()), (200, 2, false));
    service.answer(1).await;
    assert_eq!((second.await.unwrap(), service.started()), (200, 3));
    service.answer(1).await;
    assert_eq!(third.await.unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_the_timeout() {
    let service = Service::new(json!({ "max": 1, "queue": 1, "queue-timeout": "50ms" }));
    let (first, second) = (service.start().await, service.start().await);
    pass(51).await;
    assert_eq!(second.await.unwrap(), 503);
    service.answer(1).await;
    assert_eq!(first.await.unwrap(), 200);
    service.answer(1).await;
    assert_eq!((service.run(None).await, service.started()), (200, 2));
}

#[tokio::test(start_paused = true)]
async fn nobody_is_served_after_its_deadline() {
    let service = Service::new(json!({ "max": 1, "queue": 2, "queue-timeout": "1s" }));
    let first = service.start().await;
    let (late, last) = (service.start_within(Some(Duration::from_millis(10))).await, service.start().await);
    pass(11).await;
    assert_eq!(late.await.unwrap(), 503, "it was not begun");
    service.answer(1).await;
    assert_eq!((first.await.unwrap(), service.started()), (200, 2));
    service.answer(1).await;
    assert_eq!(last.await.unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn who_gave_up_waiting_is_passed_over() {
    let service = Service::new(json!({ "max": 1, "queue": 2 }));
    let first = service.start().await;
    let (gone, last) = (service.start().await, service.start().await);
    gone.abort();
    settle().await;
    service.answer(2).await;
    assert_eq!((first.await.unwrap(), last.await.unwrap(), service.started()), (200, 200, 2));
}

#[tokio::test(start_paused = true)]
async fn a_burst_is_let_in_when_places_come_free_however_long_that_takes() {
    let service = Service::new(json!({ "max": 10, "queue": 10, "queue-timeout": "2s" }));
    let mut calls = Vec::new();
    for _ in 0..20 {
        calls.push(service.start().await);
    }
    for _ in 0..2 {
        pass(300).await;
        service.answer(10).await;
    }
    for call in calls {
        assert_eq!(call.await.unwrap(), 200);
    }
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_stands_serves_the_latest_and_sends_the_oldest_away() {
    let service = Service::new(json!({ "max": 1, "queue": 10, "queue-timeout": "1s" }));
    let (first, second) = (service.start().await, service.start().await);
    let (oldest, earlier, latest) = (service.start().await, service.start().await, service.start().await);
    pass(10).await;
    service.answer(1).await;
    assert_eq!((first.await.unwrap(), service.started()), (200, 2));
    pass(100).await;
    service.answer(1).await;
    assert_eq!((second.await.unwrap(), oldest.await.unwrap(), service.started()), (200, 503, 3));
    service.answer(1).await;
    assert_eq!((latest.is_finished(), earlier.is_finished()), (true, false));
    service.answer(1).await;
    assert_eq!((latest.await.unwrap(), earlier.await.unwrap()), (200, 200));
}

#[test]
fn what_makes_no_sense_is_refused_at_the_start() {
    let at = |conf: Value| built::<Concurrency>(conf).err().map(|error| error.at);
    assert_eq!(at(json!({ "retry-after": "0s" })).as_deref(), Some("retry-after"));
    assert_eq!(at(json!({ "queue": 1, "queue-timeout": "0s" })).as_deref(), Some("queue-timeout"));
    assert_eq!(at(json!({ "queue-timeout": "0s" })), None);
}
