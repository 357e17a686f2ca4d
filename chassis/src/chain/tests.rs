//! Proves what a chain promises: who runs when, and that every `after` that is due runs exactly once.

use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt;
use http::StatusCode;
use http_body_util::BodyExt;
use proptest::prelude::*;

use super::*;
use crate::fault::{Code, Fault};
use crate::handler::Verdict;
use crate::invocation::Params;
use crate::invocation::fixture::{Stand, request};

/// What happened, in order: `+a` where `a` let a call pass, `-a` where it saw the reply, `!` where the operation ran.
#[derive(Clone, Default)]
pub(super) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    pub(super) fn text(&self) -> String {
        self.0.lock().unwrap().join(" ")
    }

    /// Whether every `-a` ends the innermost `+a` that is open, and none stays open.
    fn is_balanced(&self) -> bool {
        let mut open = Vec::new();
        let log = self.0.lock().unwrap();
        let balanced = log.iter().all(|event| match event.split_at(1) {
            ("+", name) => {
                open.push(name);
                true
            }
            ("-", event) => open.pop().is_some_and(|name| event.split(' ').next() == Some(name)),
            _ => true,
        });
        balanced && open.is_empty()
    }
}

/// What a hook does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Does {
    Pass,
    Refuse,
    Answer,
    Panic,
    PanicAfter,
    WaitThenPass,
    WaitThenRefuse,
    WaitThenAnswer,
    WaitThenPanic,
    WaitTwice,
    WaitForever,
    WaitThenPanicWhenDropped,
    WaitPanickingWhenDropped,
}

struct Spy {
    name: &'static str,
    does: Does,
    log: Log,
}

fn refusing() -> Fault {
    Fault::new(Code::PermissionDenied, "Not you.")
}

fn answering() -> Reply {
    Reply::new(StatusCode::NOT_MODIFIED)
}

impl Spy {
    fn pass(name: &str, log: &Log) -> Verdict {
        log.add(format!("+{name}"));
        Verdict::Continue
    }

    /// Waits, then decides as `decide` says.
    fn wait(&self, decide: fn(&str, &Log) -> Verdict) -> Verdict {
        let (name, log) = (self.name, self.log.clone());
        Verdict::wait(tokio::task::yield_now(), move |_, ()| decide(name, &log))
    }
}

impl Handler for Spy {
    fn before(&self, _: &mut Invocation) -> Verdict {
        match self.does {
            Does::Pass | Does::PanicAfter => Self::pass(self.name, &self.log),
            Does::Refuse => refusing().into(),
            Does::Answer => Verdict::answer(answering()),
            Does::Panic => panic!("secret"),
            Does::WaitThenPass => self.wait(Self::pass),
            Does::WaitThenRefuse => self.wait(|_, _| refusing().into()),
            Does::WaitThenAnswer => self.wait(|_, _| Verdict::answer(answering())),
            Does::WaitThenPanic => self.wait(|_, _| panic!("secret")),
            Does::WaitTwice => self.wait(|name, log| {
                let (name, log) = (name.to_owned(), log.clone());
                Verdict::wait(tokio::task::yield_now(), move |_, ()| Self::pass(&name, &log))
            }),
            Does::WaitForever => Verdict::wait(std::future::pending::<()>(), |_, ()| Verdict::Continue),
            Does::WaitThenPanicWhenDropped => {
                let (name, log) = (self.name, self.log.clone());
                Verdict::wait(Armed::new(()), move |_, ()| Self::pass(name, &log))
            }
            Does::WaitPanickingWhenDropped => {
                let armed = async {
                    let _bomb = Bomb;
                    std::future::pending::<()>().await;
                };
                Verdict::wait(armed, |_, ()| Verdict::Continue)
            }
        }
    }

    fn after(&self, _: &Invocation, reply: &mut Reply) {
        self.log.add(format!("-{} {}", self.name, reply.status().as_u16()));
        if self.does == Does::PanicAfter {
            panic!("secret");
        }
    }
}

/// What a handler that wraps the rest does with it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wraps {
    Once,
    Twice,
    Never,
    Refuses,
    Waits,
    DropsMidway,
    PanicsBefore,
    PanicsAfter,
}

impl Wrap for Wraps {
    fn wrap<'a>(&'a self, invocation: &'a mut Invocation, next: Next<'a>) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            match self {
                Self::Once => next.run(invocation).await,
                Self::Twice => {
                    drop(next.run(invocation).await);
                    next.run(invocation).await
                }
                Self::Never => answering(),
                Self::Refuses => refusing().into(),
                Self::Waits => std::future::pending().await,
                Self::DropsMidway => next.run(invocation).now_or_never().unwrap_or_else(answering),
                Self::PanicsBefore => panic!("secret"),
                Self::PanicsAfter => {
                    drop(next.run(invocation).await);
                    panic!("secret")
                }
            }
        })
    }
}

/// How the operation ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ends {
    Well,
    Late,
    Fault,
    Panic,
    PanicAtOnce,
    PanicWhenDropped,
    WellPanicWhenDropped,
    Never,
}

struct Ending(Ends, Log);

impl Endpoint for Ending {
    fn call<'a>(&'a self, _: &'a mut Invocation) -> BoxFuture<'a, Reply> {
        self.1.add("!");
        match self.0 {
            Ends::PanicAtOnce => panic!("secret"),
            Ends::WellPanicWhenDropped => Box::pin(Armed::new(Reply::new("well"))),
            ends => Box::pin(end(ends)),
        }
    }
}

async fn end(ends: Ends) -> Reply {
    match ends {
        Ends::Well | Ends::WellPanicWhenDropped => Reply::new("well"),
        Ends::Late => {
            tokio::task::yield_now().await;
            Reply::new("late")
        }
        Ends::Fault => Reply::from(Fault::new(Code::NotFound, "Not there.")),
        Ends::Panic | Ends::PanicAtOnce => panic!("secret"),
        Ends::PanicWhenDropped => {
            let _bomb = Bomb;
            std::future::pending().await
        }
        Ends::Never => std::future::pending().await,
    }
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        // Two at once would end the process, whatever anybody catches.
        if !std::thread::panicking() {
            panic!("secret");
        }
    }
}

/// Is ready at once, and panics when it is dropped.
struct Armed<T>(Option<T>, Bomb);

impl<T> Armed<T> {
    fn new(output: T) -> Self {
        Self(Some(output), Bomb)
    }
}

impl<T: Unpin> Future for Armed<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<T> {
        Poll::Ready(self.0.take().unwrap())
    }
}

/// A chain of named steps, and a call to run through it.
pub(super) struct Run {
    chain: Chain,
    ending: Ending,
    stand: Arc<Stand>,
    pub(super) call: Invocation,
    pub(super) log: Log,
}

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Hooks(Does),
    Wrap(Wraps),
}

impl From<Does> for Kind {
    fn from(does: Does) -> Self {
        Self::Hooks(does)
    }
}

impl From<Wraps> for Kind {
    fn from(wraps: Wraps) -> Self {
        Self::Wrap(wraps)
    }
}

impl Run {
    pub(super) fn new(kinds: &[Kind], ends: Ends) -> Self {
        let log = Log::default();
        let step = |(name, kind): (&'static str, &Kind)| Step {
            name: name.into(),
            form: match *kind {
                Kind::Hooks(does) => Form::Hooks(Arc::new(Spy { name, does, log: log.clone() })),
                Kind::Wrap(wraps) => Form::Wrap(Arc::new(wraps)),
            },
            terms: None,
        };
        let steps = NAMES.into_iter().zip(kinds).map(step).collect();
        let stand = Arc::new(Stand::default());
        let call = stand.call(request("GET", "/"), Params::default());
        Self { chain: Chain { name: "test".into(), steps }, ending: Ending(ends, log.clone()), stand, call, log }
    }

    pub(super) fn hooks(does: &[Does], ends: Ends) -> Self {
        Self::new(&does.iter().copied().map(Kind::from).collect::<Vec<_>>(), ends)
    }

    /// The same with `wrap` as the step of this place.
    pub(super) fn wrapped_by(mut self, place: usize, wrap: impl Wrap) -> Self {
        let mut steps = self.chain.steps.to_vec();
        steps[place].form = Form::Wrap(Arc::new(wrap));
        self.chain.steps = steps.into();
        self
    }

    pub(super) fn due_in(mut self, delay: Duration) -> Self {
        self.call.call.deadline = Some(Clock::system().now() + delay);
        self
    }

    pub(super) async fn reply(&mut self) -> Reply {
        self.chain.run(&self.ending, &mut self.call, Clock::system()).await
    }

    /// The reply when this is the operation.
    pub(super) async fn reply_of(&mut self, endpoint: &dyn Endpoint) -> Reply {
        self.chain.run(endpoint, &mut self.call, Clock::system()).await
    }

    /// Goes away at the first moment where the chain waits.
    pub(super) fn abandon(&mut self) {
        let reply = self.reply().now_or_never();
        assert!(reply.is_none(), "there was nothing to wait for");
    }

    pub(super) fn panics(&self) -> usize {
        self.stand.panics()
    }
}

#[tokio::test]
async fn first_listed_runs_outermost() {
    let mut run = Run::hooks(&[Does::Pass, Does::Pass, Does::Pass], Ends::Well);
    assert_eq!(run.reply().await.status(), StatusCode::OK);
    assert_eq!(run.log.text(), "+a +b +c ! -c 200 -b 200 -a 200");
}

#[tokio::test]
async fn an_empty_chain_is_the_operation_alone() {
    let mut run = Run::hooks(&[], Ends::Well);
    assert_eq!(run.reply().await.status(), StatusCode::OK);
    assert_eq!(run.log.text(), "!");
}

#[tokio::test]
async fn after_sees_how_the_operation_failed() {
    for (ends, status, panics) in [(Ends::Fault, 404, 0), (Ends::Panic, 500, 1), (Ends::PanicAtOnce, 500, 1)] {
        let mut run = Run::hooks(&[Does::Pass, Does::Pass], ends);
        assert_eq!(run.reply().await.status().as_u16(), status);
        assert_eq!(run.log.text(), format!("+a +b ! -b {status} -a {status}"));
        assert_eq!(run.panics(), panics, "{ends:?}");
    }
}

#[tokio::test]
async fn a_refusal_ends_the_way_in_and_names_who_refused() {
    for does in [Does::Refuse, Does::WaitThenRefuse] {
        let mut run = Run::hooks(&[Does::Pass, does, Does::Pass], Ends::Well);
        let reply = run.reply().await;
        assert_eq!(reply.fault().unwrap().handler(), Some("b"));
        assert_eq!(run.log.text(), "+a -a 403", "{does:?}");
    }
}

#[tokio::test]
async fn an_answer_ends_the_way_in() {
    for does in [Does::Answer, Does::WaitThenAnswer] {
        let mut run = Run::hooks(&[Does::Pass, does, Does::Pass], Ends::Well);
        assert!(run.reply().await.fault().is_none());
        assert_eq!(run.log.text(), "+a -a 304", "{does:?}");
    }
}

/// Who is named by the fault of a call through `a`, the wrapping `b`, `c` and the operation.
async fn named(wraps: Wraps, inner: Does, ends: Ends) -> Option<String> {
    let run = Run::hooks(&[Does::Pass, Does::Pass, inner], ends).wrapped_by(1, wraps);
    let reply = run.due_in(Duration::from_secs(2)).reply().await;
    reply.fault().unwrap().handler().map(str::to_owned)
}

#[tokio::test(start_paused = true)]
async fn a_fault_names_the_handler_that_made_it_and_no_other() {
    let cases = [
        (Wraps::Refuses, Does::Pass, Ends::Well, Some("b")),
        (Wraps::PanicsBefore, Does::Pass, Ends::Well, Some("b")),
        (Wraps::PanicsAfter, Does::Pass, Ends::Fault, Some("b")),
        (Wraps::Once, Does::Refuse, Ends::Well, Some("c")),
        (Wraps::Twice, Does::WaitThenRefuse, Ends::Well, Some("c")),
        (Wraps::Once, Does::Panic, Ends::Well, Some("c")),
        (Wraps::Once, Does::WaitThenPanic, Ends::Well, Some("c")),
        (Wraps::Once, Does::PanicAfter, Ends::Well, Some("c")),
        (Wraps::Once, Does::Pass, Ends::Fault, None),
        (Wraps::Twice, Does::Pass, Ends::Fault, None),
        (Wraps::Once, Does::Pass, Ends::Panic, None),
        (Wraps::Once, Does::Pass, Ends::PanicAtOnce, None),
        (Wraps::Once, Does::Pass, Ends::Never, None),
        (Wraps::Once, Does::WaitForever, Ends::Well, None),
        (Wraps::Waits, Does::Pass, Ends::Well, None),
    ];
    for (wraps, inner, ends, expected) in cases {
        assert_eq!(named(wraps, inner, ends).await.as_deref(), expected, "{wraps:?} {inner:?} {ends:?}");
    }
}

#[tokio::test]
async fn a_fault_of_the_operation_names_no_handler() {
    let mut run = Run::hooks(&[Does::Pass], Ends::Fault);
    assert_eq!(run.reply().await.fault().unwrap().handler(), None);
}

#[tokio::test]
async fn a_handler_that_panics_on_the_way_in_did_not_let_the_call_pass() {
    for does in [Does::Panic, Does::WaitThenPanic] {
        let mut run = Run::hooks(&[Does::Pass, does, Does::Pass], Ends::Well);
        assert_eq!(run.reply().await.fault().unwrap().code(), Code::Internal);
        assert_eq!(run.log.text(), "+a -a 500", "{does:?}");
        assert_eq!(run.panics(), 1);
    }
}

#[tokio::test]
async fn a_handler_that_panics_on_the_way_out_keeps_no_other_from_its_turn() {
    let mut run = Run::hooks(&[Does::Pass, Does::PanicAfter, Does::PanicAfter, Does::Pass], Ends::Well);
    assert_eq!(run.reply().await.fault().unwrap().code(), Code::Internal);
    assert_eq!(run.log.text(), "+a +b +c +d ! -d 200 -c 200 -b 500 -a 500");
    assert_eq!(run.panics(), 2);
}

#[tokio::test]
async fn a_body_that_panics_when_another_answer_takes_its_place_harms_nobody() {
    /// Answers with what panics when it is dropped.
    struct Answers;

    impl Endpoint for Answers {
        fn call<'a>(&'a self, _: &'a mut Invocation) -> BoxFuture<'a, Reply> {
            let bomb = Bomb;
            let pieces = futures_util::stream::poll_fn(move |_| {
                let _held = &bomb;
                Poll::<Option<Result<&str, std::convert::Infallible>>>::Pending
            });
            Box::pin(std::future::ready(Reply::new(axum::body::Body::from_stream(pieces))))
        }
    }

    let mut run = Run::hooks(&[Does::Pass, Does::PanicAfter], Ends::Well);
    assert_eq!(run.reply_of(&Answers).await.fault().unwrap().code(), Code::Internal);
    assert_eq!((run.log.text().as_str(), run.panics()), ("+a +b -b 200 -a 500", 2));
}

#[tokio::test]
async fn nothing_of_a_panic_leaves_the_process() {
    let mut run = Run::hooks(&[Does::Pass], Ends::Panic);
    let reply = run.reply().await;
    assert!(reply.fault().unwrap().cause().unwrap().to_string().contains("secret"), "the log says it");
    let (parts, body) = reply.into_response(&run.call).into_parts();
    let body = String::from_utf8(body.collect().await.unwrap().to_bytes().into()).unwrap();
    assert!(body.contains("internal") && !body.contains("secret"), "{body}");
    assert!(!format!("{:?}", parts.headers).contains("secret"));
}

#[tokio::test]
async fn a_handler_may_wait_before_it_decides() {
    for does in [Does::WaitThenPass, Does::WaitTwice] {
        let mut run = Run::hooks(&[Does::Pass, does, Does::Pass], Ends::Late);
        assert_eq!(run.reply().await.status(), StatusCode::OK);
        assert_eq!(run.log.text(), "+a +b +c ! -c 200 -b 200 -a 200", "{does:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_late_is_given_up() {
    let mut run = Run::hooks(&[Does::Pass, Does::Pass], Ends::Never).due_in(Duration::from_secs(2));
    let reply = run.reply().await;
    assert_eq!(reply.fault().unwrap().code(), Code::DeadlineExceeded);
    assert_eq!(run.log.text(), "+a +b ! -b 504 -a 504");
    assert_eq!(run.call.call.elapsed(), Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn whoever_set_the_deadline_refuses_a_call_that_is_late() {
    let late = Run::hooks(&[Does::Pass], Ends::Never).due_in(Duration::from_secs(2)).reply().await;
    let fault = late.fault().unwrap();
    assert_eq!((fault.handler(), fault.policy(), fault.is_refusal()), (None, Some("timeout"), true));
    let mut run = Run::hooks(&[Does::Pass], Ends::Never).due_in(Duration::from_secs(2));
    run.call.call.limit_time(Clock::system().now() + Duration::from_secs(3), "patience");
    run.call.call.limit_time(Clock::system().now() + Duration::from_secs(1), "deadline");
    let late = run.reply().await;
    let fault = late.fault().unwrap();
    assert_eq!((fault.handler(), fault.policy(), fault.remedy().is_some()), (Some("deadline"), None, true));
    assert!(fault.evidence().any(|(name, _)| name == "allowed"));
}

#[tokio::test(start_paused = true)]
async fn the_deadline_bounds_a_handler_that_waits() {
    let mut run = Run::hooks(&[Does::Pass, Does::WaitForever], Ends::Well).due_in(Duration::from_secs(2));
    assert_eq!(run.reply().await.fault().unwrap().code(), Code::DeadlineExceeded);
    assert_eq!(run.log.text(), "+a -a 504");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_in_time_is_the_callers_doing() {
    struct Reading;

    impl Endpoint for Reading {
        fn call<'a>(&'a self, invocation: &'a mut Invocation) -> BoxFuture<'a, Reply> {
            // As an argument that reads the body does.
            invocation.call.receiving.store(true, Ordering::Relaxed);
            Box::pin(std::future::pending())
        }
    }

    let mut run = Run::hooks(&[], Ends::Well).due_in(Duration::from_secs(2));
    let reply = run.reply_of(&Reading).await;
    assert_eq!(reply.fault().unwrap().code(), Code::RequestTimeout);
}

#[tokio::test]
async fn an_answer_that_is_ready_at_once_is_never_late() {
    let mut run = Run::hooks(&[Does::Pass], Ends::Well).due_in(Duration::ZERO);
    assert_eq!(run.reply().await.status(), StatusCode::OK);
}

#[test]
fn a_caller_that_goes_away_is_seen_by_all_that_let_it_pass() {
    let mut run = Run::hooks(&[Does::Pass, Does::Pass], Ends::Never);
    run.abandon();
    assert_eq!(run.log.text(), "+a +b ! -b 499 -a 499");
}

#[test]
fn a_caller_that_goes_away_while_a_handler_waits_did_not_pass_it() {
    let mut run = Run::hooks(&[Does::Pass, Does::WaitForever, Does::Pass], Ends::Well);
    run.abandon();
    assert_eq!(run.log.text(), "+a -a 499");
}

#[test]
fn a_caller_that_goes_away_is_told_apart_from_a_failure() {
    struct Asks(Log);

    impl Handler for Asks {
        fn after(&self, _: &Invocation, reply: &mut Reply) {
            self.0.add(reply.is_cancelled().to_string());
        }
    }

    let mut run = Run::hooks(&[], Ends::Never);
    run.chain.steps =
        [Step { name: "asks".into(), form: Form::Hooks(Arc::new(Asks(run.log.clone()))), terms: None }].into();
    run.abandon();
    assert_eq!(run.log.text(), "! true");
}

#[tokio::test]
async fn a_handler_that_wraps_the_rest_stands_between_its_neighbours() {
    let mut run = Run::new(&[Does::Pass.into(), Wraps::Once.into(), Does::Pass.into()], Ends::Late);
    assert_eq!(run.reply().await.status(), StatusCode::OK);
    assert_eq!(run.log.text(), "+a +c ! -c 200 -a 200");
}

#[tokio::test]
async fn what_is_run_twice_runs_whole_twice() {
    let mut run = Run::new(&[Does::Pass.into(), Wraps::Twice.into(), Does::Pass.into()], Ends::Well);
    assert_eq!(run.reply().await.status(), StatusCode::OK);
    assert_eq!(run.log.text(), "+a +c ! -c 200 +c ! -c 200 -a 200");
}

#[tokio::test]
async fn what_is_never_run_sees_nothing() {
    let mut run = Run::new(&[Does::Pass.into(), Wraps::Never.into(), Does::Pass.into()], Ends::Well);
    assert_eq!(run.reply().await.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(run.log.text(), "+a -a 304");
}

#[tokio::test]
async fn what_is_dropped_midway_sees_that_nobody_waits() {
    let mut run = Run::new(&[Does::Pass.into(), Wraps::DropsMidway.into(), Does::Pass.into()], Ends::Never);
    assert_eq!(run.reply().await.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(run.log.text(), "+a +c ! -c 499 -a 304");
}

#[tokio::test]
async fn a_wrapping_handler_that_panics_harms_nobody() {
    for (wraps, log) in [(Wraps::PanicsBefore, "+a -a 500"), (Wraps::PanicsAfter, "+a +c ! -c 200 -a 500")] {
        let mut run = Run::new(&[Does::Pass.into(), wraps.into(), Does::Pass.into()], Ends::Well);
        assert_eq!(run.reply().await.fault().unwrap().code(), Code::Internal);
        assert_eq!(run.log.text(), log);
        assert_eq!(run.panics(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn the_deadline_is_seen_on_both_sides_of_a_handler_that_wraps() {
    let kinds = [Does::Pass.into(), Wraps::Once.into(), Does::Pass.into()];
    let mut run = Run::new(&kinds, Ends::Never).due_in(Duration::from_secs(2));
    assert_eq!(run.reply().await.fault().unwrap().code(), Code::DeadlineExceeded);
    assert_eq!(run.log.text(), "+a +c ! -c 504 -a 504");
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_panics_when_it_is_given_up_harms_nobody() {
    let mut run = Run::hooks(&[Does::Pass], Ends::PanicWhenDropped).due_in(Duration::from_secs(2));
    assert_eq!(run.reply().await.status().as_u16(), 500);
    assert_eq!(run.log.text(), "+a ! -a 500");
    assert_eq!(run.panics(), 1);
}

#[test]
fn an_operation_that_panics_when_its_caller_goes_away_harms_nobody() {
    let mut run = Run::hooks(&[Does::Pass], Ends::PanicWhenDropped);
    run.abandon();
    assert_eq!(run.log.text(), "+a ! -a 499");
    assert_eq!(run.panics(), 1);
}

#[tokio::test]
async fn an_answer_stays_when_what_gave_it_panics_while_it_is_dropped() {
    let mut run = Run::hooks(&[Does::Pass], Ends::WellPanicWhenDropped);
    assert_eq!(run.reply().await.status(), StatusCode::OK);
    assert_eq!(run.log.text(), "+a ! -a 200");
    assert_eq!(run.panics(), 1);
}

#[test]
fn a_handler_that_panics_when_it_is_not_waited_for_any_more_harms_nobody() {
    let mut run = Run::hooks(&[Does::Pass, Does::WaitPanickingWhenDropped], Ends::Well);
    run.abandon();
    assert_eq!(run.log.text(), "+a -a 499");
    assert_eq!(run.panics(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_panics_when_its_wait_is_given_up_harms_nobody() {
    let kinds = [Does::Pass, Does::WaitPanickingWhenDropped];
    let mut run = Run::hooks(&kinds, Ends::Well).due_in(Duration::from_secs(2));
    assert_eq!(run.reply().await.fault().unwrap().code(), Code::Internal);
    assert_eq!(run.log.text(), "+a -a 500");
    assert_eq!(run.panics(), 1);
}

#[tokio::test]
async fn a_verdict_stays_when_what_was_waited_for_panics_while_it_is_dropped() {
    let mut run = Run::hooks(&[Does::Pass, Does::WaitThenPanicWhenDropped], Ends::Well);
    assert_eq!(run.reply().await.status(), StatusCode::OK);
    assert_eq!(run.log.text(), "+a +b ! -b 200 -a 200");
    assert_eq!(run.panics(), 1);
}

#[tokio::test]
async fn a_panic_with_a_value_that_panics_itself_harms_nobody() {
    struct Throws;

    impl Endpoint for Throws {
        fn call<'a>(&'a self, _: &'a mut Invocation) -> BoxFuture<'a, Reply> {
            Box::pin(async { std::panic::panic_any(Bomb) })
        }
    }

    let mut run = Run::hooks(&[Does::Pass], Ends::Well);
    assert_eq!(run.reply_of(&Throws).await.fault().unwrap().code(), Code::Internal);
    assert_eq!((run.log.text().as_str(), run.panics()), ("+a -a 500", 1));
}

fn kinds() -> impl Strategy<Value = Vec<Kind>> {
    let does = [
        Does::Pass,
        Does::Pass,
        Does::Pass,
        Does::Refuse,
        Does::Answer,
        Does::Panic,
        Does::PanicAfter,
        Does::WaitThenPass,
        Does::WaitThenRefuse,
        Does::WaitThenPanic,
        Does::WaitTwice,
        Does::WaitForever,
        Does::WaitThenPanicWhenDropped,
        Does::WaitPanickingWhenDropped,
    ];
    let wraps = [Wraps::Once, Wraps::Twice, Wraps::Never, Wraps::DropsMidway, Wraps::PanicsBefore, Wraps::PanicsAfter];
    let all = does.into_iter().map(Kind::from).chain(wraps.into_iter().map(Kind::from)).collect::<Vec<_>>();
    prop::collection::vec(prop::sample::select(all), 0..NAMES.len())
}

fn ends() -> impl Strategy<Value = Ends> {
    prop::sample::select(vec![
        Ends::Well,
        Ends::Late,
        Ends::Fault,
        Ends::Panic,
        Ends::PanicAtOnce,
        Ends::PanicWhenDropped,
        Ends::WellPanicWhenDropped,
        Ends::Never,
    ])
}

proptest! {
    #[test]
    fn after_runs_once_for_each_before_that_passed(kinds in kinds(), ends in ends(), polls in 0_usize..6) {
        // Every call has an end: the caller goes away, or the deadline passes.
        let clock = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        clock.block_on(async {
            let mut abandoned = Run::new(&kinds, ends);
            let mut steps = 0;
            tokio::select! {
                biased;
                _ = abandoned.reply() => {}
                () = std::future::poll_fn(|cx| {
                    steps += 1;
                    cx.waker().wake_by_ref();
                    if steps > polls { Poll::Ready(()) } else { Poll::Pending }
                }) => {}
            }
            assert!(abandoned.log.is_balanced(), "{}", abandoned.log.text());

            let mut late = Run::new(&kinds, ends).due_in(Duration::from_secs(1));
            late.reply().await;
            assert!(late.log.is_balanced(), "{}", late.log.text());
        });
    }
}
