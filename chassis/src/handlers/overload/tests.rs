//! Overload as calls meet it, run through a chain.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::*;
use crate::chain::{Chain, Form, Step, Terms};
use crate::clock::Clock;
use crate::conf::fixture::built;
use crate::conf::source::InMemory;
use crate::conf::{Process, Warnings, typed};
use crate::fault::{Code, Fault};
use crate::invocation::{Peer, fixture};
use crate::random::Random;
use crate::schema::{BoxFuture, Endpoint};

/// An operation that answers when the test says so.
struct Held {
    go: Semaphore,
    running: AtomicUsize,
    fails: bool,
}

impl Endpoint for Held {
    fn call<'a>(&'a self, _: &'a mut Invocation) -> BoxFuture<'a, Reply> {
        Box::pin(async {
            self.running.fetch_add(1, Ordering::SeqCst);
            self.go.acquire().await.unwrap().forget();
            if self.fails { Fault::new(Code::NotFound, "Not there.").into() } else { Reply::new("ok") }
        })
    }
}

struct Service {
    chain: Chain,
    handler: Arc<Overload>,
    held: Arc<Held>,
}

impl Service {
    fn new(conf: Value) -> Self {
        let handler: Arc<Overload> = Arc::new(built(conf).unwrap());
        let step = Step { name: "overload".into(), form: Form::Hooks(handler.clone()), terms: None };
        let chain = Chain { name: "default".into(), steps: [step].into() };
        let held = Held { go: Semaphore::new(0), running: AtomicUsize::new(0), fails: false };
        Self { chain, handler, held: Arc::new(held) }
    }

    /// One with a fixed limit, whose rules take the criticality from the path.
    fn fixed(max: u32, queue: u32) -> Self {
        let rules = Criticality::ALL.map(|class| {
            let path = format!("/{}", class.as_str());
            json!({ "criticality": class.as_str(), "when": { "path": path } })
        });
        let exempt = json!({ "path": "/healthz" });
        Self::new(json!({ "limit": "fixed", "max": max, "queue": queue, "rules": rules, "exempt": exempt }))
    }

    fn run(&self, path: &str, deadline: Option<u64>) -> impl Future<Output = u16> + use<> {
        let (chain, held, path) = (self.chain.clone(), Arc::clone(&self.held), path.to_owned());
        async move {
            let mut call = fixture::call(fixture::request("GET", &path));
            call.call.deadline = deadline.map(|deadline| call.call.arrived + Duration::from_millis(deadline));
            chain.run(&*held, &mut call, Clock::system()).await.status().as_u16()
        }
    }

    /// Starts a call and lets it come as far as it comes by itself.
    async fn start(&self, path: &str) -> JoinHandle<u16> {
        let call = tokio::spawn(self.run(path, None));
        settle().await;
        call
    }

    /// Starts calls that are to be let in.
    async fn fill(&self, path: &str, calls: usize) -> Vec<JoinHandle<u16>> {
        let before = self.started();
        let mut started = Vec::new();
        for _ in 0..calls {
            started.push(self.start(path).await);
        }
        assert_eq!(self.started(), before + calls);
        started
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

fn refused(handler: &Overload, mut call: Invocation) -> Fault {
    match handler.before(&mut call) {
        Verdict::Refuse(fault) => fault,
        _ => panic!("it passed"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_shadow_lets_nobody_wait() {
    let mut service = Service::fixed(1, 10);
    let terms = Some(Arc::new(Terms::shadow("overload")));
    service.chain.steps = [Step { terms, ..service.chain.steps[0].clone() }].into();
    let (first, second) = (service.start("/critical-plus").await, service.start("/critical-plus").await);
    assert_eq!(service.started(), 2);
    service.answer(2).await;
    assert_eq!((first.await.unwrap(), second.await.unwrap()), (200, 200));
    assert_eq!(service.handler.gate.inside(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_less_critical_are_refused_first() {
    let service = Service::fixed(10, 0);
    let _five = service.fill("/sheddable", 5).await;
    assert_eq!(service.run("/sheddable", None).await, 503);
    let _seven = service.fill("/sheddable-plus", 2).await;
    assert_eq!(service.run("/sheddable-plus", None).await, 503);
    let _nine = service.fill("/critical", 2).await;
    assert_eq!((service.run("/critical", None).await, service.run("/", None).await), (503, 503));
    let _ten = service.fill("/critical-plus", 1).await;
    assert_eq!(service.run("/critical-plus", None).await, 503);
    let _probe = service.fill("/healthz", 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_place_comes_back_however_a_call_ends() {
    let service = Service::fixed(1, 0);
    let gone = service.start("/critical-plus").await;
    assert_eq!(service.run("/critical-plus", None).await, 503);
    gone.abort();
    settle().await;
    assert_eq!(service.run("/critical-plus", Some(50)).await, 504);
    let call = service.start("/critical-plus").await;
    service.answer(1).await;
    assert_eq!((call.await.unwrap(), service.handler.gate.inside()), (200, 0));
}

#[tokio::test(start_paused = true)]
async fn who_waits_goes_in_by_criticality_and_then_in_order() {
    let service = Service::fixed(2, 3);
    let _running = service.fill("/critical-plus", 2).await;
    let (low, first, second) = (
        service.start("/sheddable").await,
        service.start("/critical-plus").await,
        service.start("/critical-plus").await,
    );
    let higher = service.start("/critical-plus").await;
    assert_eq!(low.await.unwrap(), 503, "it gives way when the queue is full");
    assert_eq!(service.run("/sheddable", None).await, 503);
    service.answer(1).await;
    assert_eq!(service.started(), 3);
    service.answer(4).await;
    for call in [first, second, higher] {
        assert_eq!(call.await.unwrap(), 200);
    }
    assert_eq!((service.handler.gate.inside(), service.handler.gate.waiting()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_the_timeout_or_past_the_deadline() {
    let service = Service::fixed(1, 5);
    let first = service.start("/critical-plus").await;
    let (patient, hasty) =
        (service.start("/critical-plus").await, tokio::spawn(service.run("/critical-plus", Some(10))));
    settle().await;
    pass(11).await;
    assert_eq!(hasty.await.unwrap(), 503, "it was not begun");
    pass(90).await;
    assert_eq!(patient.await.unwrap(), 503);
    service.answer(1).await;
    assert_eq!((first.await.unwrap(), service.started(), service.handler.gate.waiting()), (200, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_burst_is_let_in_when_places_come_free_however_long_that_takes() {
    let service = Service::new(json!({
        "limit": "fixed", "max": 10, "criticality": "critical-plus", "queue": 10, "queue-timeout": "2s",
    }));
    let mut calls = Vec::new();
    for _ in 0..20 {
        calls.push(service.start("/").await);
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
    let service = Service::new(json!({ "limit": "fixed", "max": 1, "queue": 10, "queue-timeout": "1s" }));
    let (first, second) = (service.start("/").await, service.start("/").await);
    let (oldest, earlier, latest) = (service.start("/").await, service.start("/").await, service.start("/").await);
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

#[tokio::test(start_paused = true)]
async fn calls_that_are_exempt_take_nobody_s_place() {
    let service = Service::fixed(1, 0);
    let exempt = service.fill("/healthz", 20).await;
    let call = service.fill("/critical-plus", 1).await;
    assert_eq!((service.handler.gate.inside(), service.run("/critical-plus", None).await), (1, 503));
    service.answer(21).await;
    for call in exempt.into_iter().chain(call) {
        assert_eq!(call.await.unwrap(), 200);
    }
    assert_eq!(service.handler.gate.inside(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_could_not_be_answered_in_time_does_not_wait() {
    let service = Service::new(json!({ "limit": "fixed", "max": 1, "queue": 10 }));
    let first = service.start("/").await;
    pass(40).await;
    service.answer(1).await;
    assert_eq!(first.await.unwrap(), 200);
    let _second = service.start("/").await;
    assert_eq!(service.run("/", Some(39)).await, 503);
    let waits = tokio::spawn(service.run("/", Some(41)));
    settle().await;
    assert_eq!(service.handler.gate.waiting(), 1);
    drop(waits);
}

#[tokio::test(start_paused = true)]
async fn an_adaptive_limit_grows_when_it_is_used_and_only_by_what_succeeded() {
    for (fails, path, expected) in [(false, "/", 24), (true, "/", 20), (false, "/healthz", 20)] {
        let mut service = Service::new(json!({ "queue": 0, "exempt": { "path": "/healthz" } }));
        Arc::get_mut(&mut service.held).unwrap().fails = fails;
        for _ in 0..6 {
            let calls = service.fill(path, 15).await;
            pass(101).await;
            service.answer(15).await;
            for call in calls {
                call.await.unwrap();
            }
        }
        assert_eq!(service.handler.gate.limit(), expected, "{fails} {path}");
    }
}

#[tokio::test(start_paused = true)]
async fn tight_memory_and_descriptors_refuse_all_but_the_exempt() {
    let service = Service::fixed(10, 0);
    service.handler.guards.saw(Some(0.96), None);
    assert_eq!(service.run("/critical-plus", None).await, 503);
    let _probe = service.fill("/healthz", 1).await;
    let fault = refused(&service.handler, fixture::call(fixture::request("GET", "/sheddable")));
    assert_eq!(fault.policy(), Some("memory"));
    assert!(fault.evidence().any(|(name, value)| name == "used" && *value == json!(0.96)));
    service.handler.guards.saw(None, Some(0.89));
    let fault = refused(&service.handler, fixture::call(fixture::request("GET", "/sheddable")));
    assert_eq!(fault.policy(), Some("descriptors"));
    let _call = service.fill("/critical", 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_says_when_to_come_back_and_what_was_short() {
    let service = Service::fixed(1, 0);
    let _first = service.fill("/critical-plus", 1).await;
    let fault = refused(&service.handler, fixture::call(fixture::request("GET", "/")));
    assert_eq!(fault.policy(), Some("room"));
    let problem = serde_json::to_value(fault.problem(None, None)).unwrap();
    assert_eq!(problem["type"], "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity");
    let evidence: Vec<_> = fault.evidence().map(|(name, value)| format!("{name} {value}")).collect();
    assert_eq!(evidence, ["criticality \"critical\"", "limit 1", "limit-for-criticality 1", "running 1", "waiting 0"]);
}

#[tokio::test(start_paused = true)]
async fn refused_callers_are_not_all_told_to_come_back_at_once() {
    let service = Service::new(json!({ "limit": "fixed", "max": 1, "queue": 0, "retry-after": "3s" }));
    let _first = service.fill("/", 1).await;
    let told =
        || refused(&service.handler, fixture::call(fixture::request("GET", "/"))).headers()["retry-after"].clone();
    let told: BTreeSet<_> = (0..50).map(|_| told()).collect();
    assert_eq!(told.into_iter().collect::<Vec<_>>(), ["3", "4", "5"]);
}

#[tokio::test(start_paused = true)]
async fn only_trusted_peers_say_how_critical_a_call_is_and_no_one_escapes_a_rule() {
    let rules = json!([{ "criticality": "sheddable", "when": { "path": "/batch" } }]);
    let conf = json!({ "header": "X-Criticality", "trusted-peers": ["unix"], "rules": rules });
    let handler = built::<Overload>(conf).unwrap();
    let class = |peer: Peer, path: &str, said: &str| {
        let mut call = fixture::call(fixture::request("GET", path));
        call.parts.headers.insert("x-criticality", said.parse().unwrap());
        call.call.peer = peer;
        handler.classes.of(&call).unwrap().as_str()
    };
    assert_eq!(class(Peer::Unix, "/", "CRITICAL_PLUS"), "critical-plus");
    assert_eq!(class(Peer::Unix, "/", "sheddable-plus"), "sheddable-plus");
    assert_eq!(class(Peer::Unix, "/", "most"), "critical");
    assert_eq!(class(Peer::Unix, "/batch", "CRITICAL_PLUS"), "sheddable");
    assert_eq!(class(Peer::Local, "/", "CRITICAL_PLUS"), "critical");
}

#[test]
fn peers_that_are_trusted_to_send_nothing_are_warned_of() {
    let (random, files, warnings) = (Random::seeded(1), InMemory::default(), Warnings::default());
    let process = Process::default();
    let context = BuildContext {
        clock: Clock::system(),
        random: &random,
        scope: None,
        files: &files,
        warnings: &warnings,
        process: &process,
    };
    Overload::build(typed(json!({ "trusted-peers": ["unix"] })).unwrap(), &context).unwrap();
    let told: Vec<_> = warnings.all().iter().map(ToString::to_string).collect();
    assert_eq!(told, ["`trusted-peers`: there is no field that they are trusted to send"]);
}

#[tokio::test(start_paused = true)]
async fn operators_can_keep_out_the_less_critical_whatever_room_there_is() {
    let conf = json!({ "rules": [{ "criticality": "sheddable", "when": { "path": "/bulk" } }],
        "thresholds": { "sheddable": "0%", "sheddable-plus": "0%" } });
    let service = Service::new(conf);
    assert_eq!(service.run("/bulk", None).await, 503);
    let passing = service.start("/users").await;
    service.answer(1).await;
    assert_eq!(passing.await.unwrap(), 200);
}

#[test]
fn thresholds_that_do_not_ascend_are_named() {
    let error = built::<Overload>(json!({ "thresholds": { "critical": "30%" } })).err().unwrap();
    let expected = "`thresholds`: `critical` is 30% and `sheddable-plus`, which is less critical, 70%";
    assert_eq!(error.to_string(), expected);
    let equal = json!({ "critical-plus": "50%", "critical": "50%", "sheddable-plus": "50%" });
    assert!(built::<Overload>(json!({ "thresholds": equal, "min": 5, "max": 10 })).is_ok());
}

#[test]
fn what_makes_no_sense_is_refused_at_the_start() {
    for (conf, at) in [
        (json!({ "min": 300 }), "min"),
        (json!({ "initial": 201 }), "initial"),
        (json!({ "queue-timeout": "0s" }), "queue-timeout"),
        (json!({ "retry-after": "0s" }), "retry-after"),
        (json!({ "thresholds": { "sheddable": "100%", "critical": "30%" } }), "thresholds"),
        (json!({ "thresholds": { "critical-plus": "0%" } }), "thresholds.critical-plus"),
        (json!({ "tolerance": 0.5 }), "tolerance"),
        (json!({ "window": "2s" }), "window"),
        (json!({ "memory": { "from": "90%", "full": "80%" } }), "memory.from"),
        (json!({ "header": "a b" }), "header"),
        (
            json!({ "rules": [{ "criticality": "sheddable", "when": { "path": { "regex": "(" } } }] }),
            "rules[0].when.path.regex",
        ),
    ] {
        assert_eq!(built::<Overload>(conf).err().map(|error| error.at).as_deref(), Some(at));
    }
}
