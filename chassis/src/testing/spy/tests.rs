//! Each counter, for each form a handler can have.

use std::future::{pending, ready};
use std::task::{Context, Poll, Waker};

use super::*;
use crate::chain::Chain;
use crate::clock::Clock;
use crate::fault::{Code, Fault};
use crate::invocation::fixture;
use crate::schema::Endpoint;

/// What a handler does with a call.
#[derive(Clone, Copy)]
enum Does {
    Pass,
    Answer,
    Refuse,
    Twice,
}

impl Does {
    fn verdict(self) -> Verdict {
        match self {
            Self::Pass | Self::Twice => Verdict::Continue,
            Self::Answer => Verdict::answer(Reply::new("mine")),
            Self::Refuse => Fault::new(Code::Unavailable, "No.").into(),
        }
    }
}

/// Decides at once.
struct AtOnce(Does);

impl Handler for AtOnce {
    fn before(&self, _: &mut Invocation) -> Verdict {
        self.0.verdict()
    }
}

/// Decides after so many waits.
struct AfterWaits(usize, Does);

impl Handler for AfterWaits {
    fn before(&self, _: &mut Invocation) -> Verdict {
        waiting(self.0, self.1)
    }
}

fn waiting(waits: usize, does: Does) -> Verdict {
    match waits {
        0 => does.verdict(),
        _ => Verdict::wait(ready(()), move |_, ()| waiting(waits - 1, does)),
    }
}

/// Never decides.
struct Never;

impl Handler for Never {
    fn before(&self, _: &mut Invocation) -> Verdict {
        Verdict::wait(pending::<()>(), |_, ()| Verdict::Continue)
    }
}

/// Wraps the rest.
struct Around(Does);

impl Wrap for Around {
    fn wrap<'a>(&'a self, invocation: &'a mut Invocation, next: Next<'a>) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            match self.0 {
                Does::Pass => next.run(invocation).await,
                Does::Twice => {
                    next.run(invocation).await;
                    next.run(invocation).await
                }
                Does::Answer => Reply::new("mine"),
                Does::Refuse => Fault::new(Code::Unavailable, "No.").into(),
            }
        })
    }
}

/// The operation.
struct Done;

impl Endpoint for Done {
    fn call<'a>(&'a self, _: &'a mut Invocation) -> BoxFuture<'a, Reply> {
        Box::pin(ready(Reply::new("done")))
    }
}

/// Runs a call through the handler alone, unless that has no end: passed, stopped, waited and seen.
fn counted(form: Form) -> [usize; 4] {
    let spies = Spies::default();
    let step = Step { name: Arc::from("watched"), form: spies.around()("watched", form), terms: None };
    let chain = Chain { name: Arc::from("default"), steps: Arc::from([step]) };
    let mut call = fixture::call(fixture::request("GET", "/"));
    let mut run = Box::pin(chain.run(&Done, &mut call, Clock::system()));
    if let Poll::Ready(reply) = run.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        // Who refused is known as without a spy.
        assert!(reply.fault().is_none_or(|fault| fault.handler() == Some("watched")));
    }
    drop(run);
    let spy = spies.of("watched");
    [spy.passed(), spy.stopped(), spy.waited(), spy.seen()]
}

fn hooks(handler: impl Handler) -> [usize; 4] {
    counted(Form::Hooks(Arc::new(handler)))
}

fn wrap(does: Does) -> [usize; 4] {
    counted(Form::Wrap(Arc::new(Around(does))))
}

#[test]
fn what_is_decided_at_once_is_counted_at_once() {
    assert_eq!(hooks(AtOnce(Does::Pass)), [1, 0, 0, 1]);
    assert_eq!(hooks(AtOnce(Does::Answer)), [0, 1, 0, 0]);
    assert_eq!(hooks(AtOnce(Does::Refuse)), [0, 1, 0, 0]);
}

#[test]
fn what_is_decided_after_a_wait_is_counted_once_more() {
    assert_eq!(hooks(AfterWaits(1, Does::Pass)), [1, 0, 1, 1]);
    assert_eq!(hooks(AfterWaits(1, Does::Answer)), [0, 1, 1, 0]);
    assert_eq!(hooks(AfterWaits(3, Does::Refuse)), [0, 1, 1, 0]);
}

#[test]
fn a_caller_that_goes_away_while_it_waits_was_never_let_pass() {
    assert_eq!(hooks(Never), [0, 0, 1, 0]);
}

#[test]
fn a_handler_that_wraps_passes_what_reaches_the_rest() {
    assert_eq!(wrap(Does::Pass), [1, 0, 0, 1]);
    assert_eq!(wrap(Does::Twice), [1, 0, 0, 1]);
    assert_eq!(wrap(Does::Answer), [0, 1, 0, 0]);
    assert_eq!(wrap(Does::Refuse), [0, 1, 0, 0]);
}
