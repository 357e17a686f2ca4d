//! One call on its way through a chain, and the promise that every `after` that is due runs, once.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::sync::atomic::Ordering;

use super::guarded::{Guarded, Stop, caught};
use super::{Form, MOST_STEPS, Next, Step, timed};
use crate::fault::{Code, Fault};
use crate::handler::{Verdict, Waiting};
use crate::invocation::Invocation;
use crate::reply::Reply;

/// Runs a call to its end.
// Every call has room for this future, and what is large is slow to get: what an `async fn` is given would be in it
// twice, and what lives across an `await` once more.
pub(super) fn drive<'i, 'a: 'i>(
    next: Next<'a>,
    invocation: &'i mut Invocation,
) -> impl Future<Output = Reply> + Send + use<'i, 'a> {
    let mut passage = Passage { next, passed: 0, skipped: 0, untold: 0, done: false, invocation };
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
    /// A bit for each step that was passed without its `before` having let the call pass: it gets no `after`.
    skipped: u64,
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

/// What came of waiting for a verdict.
enum Waited {
    Passed,
    /// The refusal is only counted.
    Spared,
    Ended(Reply),
}

impl<'a> Passage<'_, 'a> {
    /// Runs `before` of each handler up to the first that wraps the rest; the reply of the one that refuses.
    async fn enter(&mut self) -> Option<Reply> {
        loop {
            let (waiting, step) = match caught(|| self.advance()) {
                Ok(Halt::End) => return None,
                Ok(Halt::Reply(reply)) => return Some(reply),
                Ok(Halt::Wait(waiting, step)) => (waiting, step),
                Err(panic) => return Some(self.panicked(&*panic).by(&self.next.steps[self.passed].name)),
            };
            timed::wait(self.invocation, self.next.clock);
            let waited = self.wait(waiting, step).await;
            timed::waited(self.invocation, self.next.clock);
            match waited {
                Waited::Passed => self.passed += 1,
                Waited::Spared => self.skip(),
                Waited::Ended(reply) => return Some(reply),
            }
        }
    }

    /// Runs hooks as long as they let the call pass at once.
    fn advance(&mut self) -> Halt<'a> {
        let steps = self.next.steps;
        while let Some(step) = steps.get(self.passed)
            && let Form::Hooks(handler) = &step.form
        {
            if let Some(terms) = &step.terms
                && !terms.cover(self.invocation)
            {
                self.skip();
                continue;
            }
            match timed::before(&**handler, step, self.invocation, self.next.clock) {
                Verdict::Continue => self.passed += 1,
                Verdict::Answer(reply) => return Halt::Reply(reply.by(&step.name)),
                Verdict::Refuse(fault) if self.is_spared(&fault, step) => self.skip(),
                Verdict::Refuse(fault) => return Halt::Reply(refusal(fault, step)),
                Verdict::Wait(waiting) => return Halt::Wait(waiting, step),
            }
        }
        Halt::End
    }

    /// Goes on as if the step were not there.
    #[cold]
    fn skip(&mut self) {
        self.skipped |= 1_u64.checked_shl(self.passed as u32).unwrap_or(0);
        self.passed += 1;
    }

    /// Whether a refusal is only counted.
    #[cold]
    fn is_spared(&self, fault: &Fault, step: &Step) -> bool {
        step.terms.as_ref().is_some_and(|terms| terms.spare(fault, self.invocation, &step.name))
    }

    /// Waits for a verdict.
    async fn wait(&mut self, mut waiting: Waiting, step: &Step) -> Waited {
        loop {
            let deadline = self.invocation.call.deadline;
            let invocation = &mut *self.invocation;
            let decision = poll_fn(move |cx| waiting.poll(cx, invocation));
            let verdict = Guarded::new(decision, deadline, &mut self.untold).await;
            return match verdict {
                Ok(Verdict::Continue) => Waited::Passed,
                Ok(Verdict::Answer(reply)) => Waited::Ended(reply.by(&step.name)),
                Ok(Verdict::Refuse(fault)) if self.is_spared(&fault, step) => Waited::Spared,
                Ok(Verdict::Refuse(fault)) => Waited::Ended(refusal(fault, step)),
                Ok(Verdict::Wait(next)) => {
                    waiting = next;
                    continue;
                }
                Err(stop) => Waited::Ended(self.stopped(stop).by(&step.name)),
            };
        }
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
                    if let Form::Hooks(handler) = &step.form
                        && self.skipped & (1 << (self.passed % MOST_STEPS)) == 0
                    {
                        timed::after(&**handler, step, self.invocation, &mut reply, self.next.clock);
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
        Reply::from(late.by_no_handler())
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
            let _ = self.unwind(Reply::from(Fault::cancelled()));
        }
    }
}

fn refusal(fault: Fault, step: &Step) -> Reply {
    Reply::from(fault.by(step.name.to_string()))
}
