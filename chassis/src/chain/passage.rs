//! One call on its way through a chain, and the promise that every `after` that is due runs, once.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::sync::atomic::Ordering;

use super::guarded::{Guarded, Stop, caught};
use super::{Form, MOST_STEPS, Next, Step, Terms, idle, timed};
use crate::fault::{Code, Fault};
use crate::handler::{Handler, Verdict, Waiting};
use crate::invocation::Invocation;
use crate::reply::Reply;

/// Runs a call to its end.
// Every call has room for this future, and what is large is slow to get: what an `async fn` is given would be in it
// twice, and what lives across an `await` once more.
pub(super) fn drive<'i, 'a: 'i>(
    next: Next<'a>,
    invocation: &'i mut Invocation,
) -> impl Future<Output = Reply> + Send + use<'i, 'a> {
    let mut passage = Passage { next, passed: 0, aside: 0, idle: 0, untold: 0, done: false, invocation };
    async move {
        if let Some(refusal) = passage.enter().await {
            return passage.unwind(refusal);
        }
        let reply = passage.answer().await;
        passage.unwind(reply)
    }
}

/// A call between the `before` and the `after` of the handlers it passed. Dropping it early runs every `after`
/// that is due: that is how a caller that goes away is seen.
struct Passage<'i, 'a> {
    next: Next<'a>,
    passed: usize,
    /// A bit for each step that was passed and whose `after` is not simply due.
    aside: u64,
    /// A bit for each of these that let the call pass and may not act on it: nor may its `after`. The others get none.
    idle: u64,
    /// The panics that are not counted yet.
    untold: u32,
    done: bool,
    invocation: &'i mut Invocation,
}

enum Halt<'a> {
    End,
    Reply(Reply),
    Wait(Waiting, &'a Step),
}

impl<'a> Passage<'_, 'a> {
    /// Runs `before` of each handler up to the first that wraps the rest; the reply of the one that refuses.
    async fn enter(&mut self) -> Option<Reply> {
        loop {
            let (waiting, step) = match caught(|| self.advance()) {
                Ok(Halt::End) => return None,
                Ok(Halt::Reply(reply)) => return Some(reply),
                Ok(Halt::Wait(waiting, step)) => (waiting, step),
                Err(_) if self.is_idle() => {
                    self.give_up();
                    self.passed += 1;
                    continue;
                }
                Err(panic) => return Some(self.panicked(&*panic).by(&self.next.steps[self.passed].name)),
            };
            timed::wait(self.invocation, self.next.clock);
            let waited = self.wait(waiting, step).await;
            timed::waited(self.invocation, self.next.clock);
            match waited {
                None => self.passed += 1,
                ended => return ended,
            }
        }
    }

    /// Runs hooks as long as they let the call pass at once.
    fn advance(&mut self) -> Halt<'a> {
        let steps = self.next.steps;
        while let Some(step) = steps.get(self.passed)
            && let Form::Hooks(handler) = &step.form
        {
            let verdict = match &step.terms {
                None => timed::before(&**handler, step, self.invocation, self.next.clock),
                Some(terms) => self.before(&**handler, step, terms),
            };
            match verdict {
                Verdict::Continue => self.passed += 1,
                Verdict::Answer(reply) => return Halt::Reply(reply.by(&step.name)),
                Verdict::Refuse(fault) => return Halt::Reply(refusal(fault, step)),
                Verdict::Wait(waiting) => return Halt::Wait(waiting, step),
            }
        }
        Halt::End
    }

    /// Runs `before` of the step that is next, on terms: on the calls that it is for, and whether or not it may act.
    #[cold]
    fn before(&mut self, handler: &dyn Handler, step: &Step, terms: &Terms) -> Verdict {
        if !terms.cover(self.invocation) {
            self.aside |= bit(self.passed);
            return Verdict::Continue;
        }
        let clock = self.next.clock;
        let verdict = if terms.draw() {
            timed::before(handler, step, self.invocation, clock)
        } else {
            (self.aside, self.idle) = (self.aside | bit(self.passed), self.idle | bit(self.passed));
            idle(self.invocation, |invocation| timed::before(handler, step, invocation, clock))
        };
        self.settled(verdict, step)
    }

    /// Counts that a step on terms ends the call, and what becomes of that: the call goes on where it may not act.
    fn settled(&mut self, verdict: Verdict, step: &Step) -> Verdict {
        let Some(terms) = &step.terms else { return verdict };
        let fault = match &verdict {
            Verdict::Refuse(fault) => Some(fault),
            Verdict::Answer(reply) => reply.fault(),
            Verdict::Continue | Verdict::Wait(_) => return verdict,
        };
        let acts = !self.is_idle();
        terms.settle(acts, fault, self.invocation, &step.name);
        self.idle &= !bit(self.passed);
        if acts { verdict } else { Verdict::Continue }
    }

    /// Waits for a verdict; the reply if that ends the call.
    async fn wait(&mut self, mut waiting: Waiting, step: &Step) -> Option<Reply> {
        loop {
            let (deadline, acts) = (self.invocation.call.deadline, !self.is_idle());
            let invocation = &mut *self.invocation;
            let decision = poll_fn(move |cx| match acts {
                true => waiting.poll(cx, invocation),
                false => idle(invocation, |invocation| waiting.poll(cx, invocation)),
            });
            let verdict = Guarded::new(decision, deadline, &mut self.untold).await;
            return match verdict.map(|verdict| self.settled(verdict, step)) {
                Ok(Verdict::Continue) => None,
                Ok(Verdict::Answer(reply)) => Some(reply.by(&step.name)),
                Ok(Verdict::Refuse(fault)) => Some(refusal(fault, step)),
                Ok(Verdict::Wait(next)) => {
                    waiting = next;
                    continue;
                }
                Err(Stop::Panicked(_)) if self.is_idle() => {
                    self.give_up();
                    None
                }
                Err(stop) => Some(self.stopped(stop).by(&step.name)),
            };
        }
    }

    /// Whether the step that is next may not act on the call.
    fn is_idle(&self) -> bool {
        self.idle & bit(self.passed) != 0
    }

    /// Gives up on the step that is next, which may not act and panicked: it is as if it were not listed.
    #[cold]
    fn give_up(&mut self) {
        self.invocation.call.count_panic();
        self.idle &= !bit(self.passed);
    }

    /// Runs what stands after the hooks: a handler that wraps the rest, or the operation.
    async fn answer(&mut self) -> Reply {
        let (next, passed, deadline) = (self.next, self.passed, self.invocation.call.deadline);
        let (span, invocation) = (self.invocation.call.span.clone(), &mut *self.invocation);
        // Making the future may panic too: an endpoint is free to do work before it returns one.
        let outcome = match caught(move || next.begin(passed, invocation)) {
            Ok(future) => Guarded::within(future, deadline, span, &mut self.untold).await,
            Err(panic) => Err(Stop::Panicked(panic)),
        };
        let reply = outcome.unwrap_or_else(|stop| self.stopped(stop));
        if reply.fault().is_some() { self.attributed(reply) } else { reply }
    }

    /// Names the handler that wraps the rest where it is its own fault. One that comes from further inside was
    /// attributed there.
    #[cold]
    fn attributed(&self, reply: Reply) -> Reply {
        match self.next.steps.get(self.passed) {
            Some(step) => reply.by(&step.name),
            None => reply.by_no_handler(),
        }
    }

    /// Runs `after` of each handler that was passed, innermost first.
    fn unwind(&mut self, mut reply: Reply) -> Reply {
        self.done = true;
        if self.untold > 0 {
            self.count_untold();
        }
        if self.passed > 0 {
            self.invocation.call.finish();
        }
        while self.passed > 0 {
            let outcome = caught(|| {
                while self.passed > 0 {
                    self.passed -= 1;
                    let step = &self.next.steps[self.passed];
                    let Form::Hooks(handler) = &step.form else { continue };
                    match self.aside & bit(self.passed) {
                        0 => timed::after(&**handler, step, self.invocation, &mut reply, self.next.clock),
                        _ => self.after_aside(&**handler, step, &mut reply),
                    }
                }
            });
            if let Err(panic) = outcome {
                let instead = self.panicked(&*panic).by(&self.next.steps[self.passed].name);
                let given_up = std::mem::replace(&mut reply, instead);
                // Its body is whatever the operation made, and may panic as well.
                if caught(|| drop(given_up)).is_err() {
                    self.invocation.call.count_panic();
                }
            }
        }
        reply
    }

    /// Runs `after` of a step that let the call pass and may not act: it changes no field of the reply.
    #[cold]
    fn after_aside(&mut self, handler: &dyn Handler, step: &Step, reply: &mut Reply) {
        if self.is_idle() {
            let (clock, headers) = (self.next.clock, reply.headers().clone());
            let hook = || idle(self.invocation, |invocation| timed::after(handler, step, invocation, reply, clock));
            if caught(hook).is_err() {
                self.invocation.call.count_panic();
            }
            *reply.headers_mut() = headers;
        }
    }

    #[cold]
    fn count_untold(&mut self) {
        for _ in 0..std::mem::take(&mut self.untold) {
            self.invocation.call.count_panic();
        }
    }

    fn stopped(&self, stop: Stop) -> Reply {
        let late = match stop {
            Stop::Panicked(panic) => return self.panicked(&*panic),
            // RFC 9110 §15.5.9: that one is the caller's doing.
            Stop::Late if self.invocation.call.receiving.load(Ordering::Relaxed) => {
                Fault::new(Code::RequestTimeout, "The body did not come before the deadline of the call.")
            }
            Stop::Late => Fault::new(Code::DeadlineExceeded, "The call was not answered before its deadline."),
        };
        Reply::from(self.timed_out(late))
    }

    /// Names whoever gave the call its deadline.
    fn timed_out(&self, late: Fault) -> Fault {
        let call = &self.invocation.call;
        let allowed = call.deadline.map(|deadline| deadline.saturating_duration_since(call.arrived));
        let late = late.with_evidence("allowed", allowed.map(|allowed| format!("{allowed:?}")));
        match call.timed_by {
            Some(handler) => {
                let remedy =
                    format!("It passes when it is answered sooner, or with more time of `{handler}` or its caller.");
                late.with_remedy(remedy).by(handler)
            }
            None => late
                .with_remedy("It passes when it is answered sooner, or with a longer `timeout`.")
                .by_chain("timeout"),
        }
    }

    fn panicked(&self, panic: &(dyn Any + Send)) -> Reply {
        let message = panic.downcast_ref::<&str>().copied();
        let message = message.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or_default();
        self.invocation.call.count_panic();
        Reply::from(Fault::internal(format!("panicked: {message}")))
    }
}

impl Drop for Passage<'_, '_> {
    fn drop(&mut self) {
        if !self.done {
            let fault = if self.invocation.call.is_cut_off() { Fault::cut_off() } else { Fault::cancelled() };
            let _ = self.unwind(Reply::from(fault));
        }
    }
}

/// The bit of a step.
fn bit(at: usize) -> u64 {
    1 << (at % MOST_STEPS)
}

fn refusal(fault: Fault, step: &Step) -> Reply {
    Reply::from(fault.by(step.name.to_string()))
}
