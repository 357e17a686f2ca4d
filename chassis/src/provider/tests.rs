//! Proves what a provider promises whatever its operations and handlers leave behind.

use std::convert::Infallible;
use std::future::ready;
use std::sync::Mutex;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt, stream};
use http::StatusCode;
use http_body_util::BodyExt;

use super::*;
use crate::chain::{Chain, Form, Step};
use crate::handler::{Handler, Verdict};
use crate::invocation::fixture::request;
use crate::metrics::text::{Format, spell};
use crate::operation::{Access, Operation};
use crate::reply::Reply;
use crate::route::{Route, Table};
use crate::schema::BoxFuture;

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("secret");
    }
}

/// Leaves a bomb in its call, and answers at once where it is a `POST`. The body of what it answers to `PUT` panics.
struct Leaves;

impl Endpoint for Leaves {
    fn call<'a>(&'a self, invocation: &'a mut Invocation) -> BoxFuture<'a, Reply> {
        if *invocation.method() == Method::PUT {
            let pieces = stream::iter([1, 2]).map(|piece| match piece {
                1 => Ok::<_, Infallible>("first"),
                _ => panic!("secret"),
            });
            return Box::pin(ready(Reply::new(Body::from_stream(pieces))));
        }
        invocation.call.locals.set(Bomb);
        let waits = *invocation.method() != Method::POST;
        Box::pin(async move { if waits { std::future::pending().await } else { Reply::new("left") } })
    }
}

/// Lets nothing pass and says nothing.
struct Silent;

impl Handler for Silent {
    fn before(&self, _: &mut Invocation) -> Verdict {
        Verdict::wait(std::future::pending::<()>(), |_, ()| Verdict::Continue)
    }
}

/// Keeps what calls ended with, and where they led.
#[derive(Default)]
struct Ends(Mutex<Vec<String>>);

impl Ends {
    fn told(&self) -> Vec<String> {
        mem::take(&mut self.0.lock().unwrap())
    }
}

impl Handler for Ends {
    fn after(&self, invocation: &Invocation, reply: &mut Reply) {
        let code = reply.fault().map_or("", |fault| fault.code().as_str());
        let operation = invocation.operation().map_or("nowhere", |operation| &operation.id);
        self.0.lock().unwrap().push(format!("{code} {operation}"));
    }
}

/// A preflight about what leaves bombs.
fn preflight() -> Request<Body> {
    let asked = Request::builder().method("OPTIONS").uri("/bombs").header("origin", "https://a.example");
    asked.header("access-control-request-method", "GET").body(Body::empty()).unwrap()
}

/// `/bombs` leaves bombs; calls of anything else wait for a second.
fn provider() -> Provider {
    provider_behind(&[])
}

/// The same behind these handlers.
fn provider_behind(steps: &[Step]) -> Provider {
    Provider::new(snapshot("r1", steps), Clock::system())
}

fn snapshot(revision: &str, steps: &[Step]) -> Snapshot {
    let chain = |steps: &[Step]| Chain { name: "test".into(), steps: steps.into() };
    let template = "/bombs".to_owned();
    let route = |method: &'static str| Route {
        method: method.into(),
        template: template.clone(),
        target: 0,
        place: "here".to_owned(),
    };
    let table = Table::build(["GET", "POST", "PUT"].map(route), Default::default()).unwrap();
    let silent = chain(&[Step { name: "silent".into(), form: Form::Hooks(Arc::new(Silent)), terms: None }]);
    let target = Target {
        operation: Operation::new("test", "bombs", "GET", "/bombs").with_access(Access::Public),
        chain: chain(steps),
        preflight: (!steps.is_empty()).then(|| Preflight { chain: chain(steps), rest: silent.clone() }),
        endpoint: Arc::new(Leaves),
        timeout: None,
    };
    Snapshot {
        listeners: vec![("rest".to_owned(), Arc::new(table))],
        targets: vec![target],
        unmatched: silent.clone(),
        ungranted: silent,
        timeout: Some(Duration::from_secs(1)),
        revision: revision.into(),
        components: Arc::default(),
    }
}

/// The same behind one that keeps what calls ended with; what it has no answer to waits for ever.
fn provider_that_tells() -> (Provider, Arc<Ends>) {
    let ends = Arc::new(Ends::default());
    let step = Step { name: "ends".into(), form: Form::Hooks(Arc::clone(&ends) as _), terms: None };
    (provider_behind(&[step]), ends)
}

fn call(provider: &Provider, request: Request<Body>) -> BoxFuture<'static, Response<Body>> {
    provider.entry("rest").unwrap().call(request, Peer::Local)
}

#[tokio::test]
async fn what_panics_when_its_call_has_ended_harms_nobody() {
    let provider = provider();
    assert_eq!(call(&provider, request("POST", "/bombs")).await.status(), StatusCode::OK);
    assert_eq!(provider.panics(), 1);
}

#[test]
fn what_panics_when_its_caller_goes_away_harms_nobody() {
    let provider = provider();
    assert!(call(&provider, request("GET", "/bombs")).now_or_never().is_none());
    assert_eq!(provider.panics(), 1);
}

#[test]
fn a_call_that_the_end_of_the_process_cuts_off_did_not_lose_its_caller() {
    let (provider, ends) = provider_that_tells();
    let (phase, seen) = watch::channel(Phase::Closing);
    provider.follow(seen);
    for expected in ["cancelled test.bombs", "unavailable test.bombs"] {
        assert!(call(&provider, request("GET", "/bombs")).now_or_never().is_none());
        assert_eq!(ends.told(), [expected]);
        phase.send_replace(Phase::Cutting);
    }
}

#[tokio::test(start_paused = true)]
async fn what_matches_nothing_names_the_configuration_too() {
    let step = Step { name: "ends".into(), form: Form::Hooks(Arc::new(Ends::default())), terms: None };
    let mut snapshot = snapshot("r1", &[]);
    snapshot.unmatched.steps = [step].into();
    let provider = Provider::new(snapshot, Clock::system());
    for (method, path, status) in [("GET", "/nowhere", 404), ("DELETE", "/bombs", 405)] {
        let answer = call(&provider, request(method, path)).await;
        assert_eq!(answer.status(), status);
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(str::from_utf8(&body).unwrap().contains(r#""revision":"r1""#), "{body:?}");
    }
}

#[test]
fn the_revision_that_is_shown_is_the_one_that_decides() {
    let provider = provider();
    let shown = || spell(&provider.metrics().families(), Format::Prometheus);
    assert!(shown().contains("chassis_conf_info{revision=\"r1\"} 1\n"), "{}", shown());
    provider.swap(snapshot("r2", &[]));
    assert!(shown().contains("chassis_conf_info{revision=\"r2\"} 1\n") && !shown().contains("r1"), "{}", shown());
}

#[test]
fn a_preflight_that_is_given_up_on_its_way_still_leads_where_it_asked_about() {
    let (provider, ends) = provider_that_tells();
    assert!(call(&provider, preflight()).now_or_never().is_none());
    assert_eq!(ends.told(), ["cancelled test.bombs"]);
}

#[tokio::test]
async fn what_panics_while_its_body_is_sent_ends_the_reply_and_is_counted_once() {
    let provider = provider();
    let mut body = call(&provider, request("PUT", "/bombs")).await.into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "first");
    assert!(body.frame().await.unwrap().unwrap_err().to_string().contains("panicked"));
    assert!(body.frame().await.is_none());
    drop(body);
    assert_eq!(provider.panics(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_matches_nothing_has_a_deadline_too() {
    let provider = provider();
    for request in [request("GET", "/nowhere"), preflight()] {
        let answer = tokio::time::timeout(Duration::from_secs(2), call(&provider, request)).await.unwrap();
        assert_eq!(answer.status(), StatusCode::GATEWAY_TIMEOUT);
    }
}
