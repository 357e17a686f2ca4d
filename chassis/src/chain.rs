//! Ordered handlers that end in an operation, and what runs a call through them.

use std::any::Any;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::clock::Clock;
use crate::fault::{Code, Fault};
use crate::handler::{Handler, Verdict, Waiting, Wrap};
use crate::invocation::Invocation;
use crate::reply::Reply;
use crate::schema::{BoxFuture, Endpoint};

use self::guarded::{Guarded, Stop};

mod guarded;
mod layer;

#[cfg(test)]
mod tests;

pub(crate) use guarded::caught;
pub use layer::{Layered, Rest};

/// Ordered handlers. Cheap to clone.
#[derive(Clone)]
pub struct Chain {
    /// The name it has in YAML.
    pub name: Arc<str>,
    /// First listed runs outermost.
    pub steps: Arc<[Step]>,
}

/// One place of a chain.
#[derive(Clone)]
pub struct Step {
    /// The name the handler has in YAML.
    pub name: Arc<str>,
    /// What runs there.
    pub form: Form,
}

/// The two forms a handler can have.
#[derive(Clone)]
pub enum Form {
    /// Looks at the call and at its reply.
    Hooks(Arc<dyn Handler>),
    /// Wraps the rest of the chain.
    Wrap(Arc<dyn Wrap>),
}

impl Chain {
    /// Runs a call to its end: handlers, operation, handlers again. Never panics, whatever they do.
    pub fn run<'a>(
        &'a self,
        endpoint: &'a dyn Endpoint,
        invocation: &'a mut Invocation,
        clock: Clock,
    ) -> impl Future<Output = Reply> + Send + use<'a> {
        Next { steps: &self.steps, endpoint, clock }.drive(invocation)
    }
}

/// The rest of a chain, for a handler that wraps it. Running it twice runs it twice.
#[derive(Clone, Copy)]
pub struct Next<'a> {
    steps: &'a [Step],
    endpoint: &'a dyn Endpoint,
    clock: Clock,
}

impl<'a> Next<'a> {
    /// Runs the rest of the chain.
    pub fn run<'i>(self, invocation: &'i mut Invocation) -> BoxFuture<'i, Reply>
    where
        'a: 'i,
    {
        Box::pin(self.drive(invocation))
    }

    /// The steps of the rest.
    pub fn steps(&self) -> &'a [Step] {
        self.steps
    }

    /// The same end behind other steps: for what stands between a chain and a handler.
    pub fn with_steps(self, steps: &'a [Step]) -> Self {
        Self { steps, ..self }
    }

    /// Starts what stands behind the first `passed` steps.
    fn begin<'i>(self, passed: usize, invocation: &'i mut Invocation) -> BoxFuture<'i, Reply>
    where
        'a: 'i,
    {
        match self.steps.get(passed) {
            Some(Step { form: Form::Wrap(handler), .. }) => {
                handler.wrap(invocation, Next { steps: &self.steps[passed + 1..], ..self })
            }
            _ => self.endpoint.call(invocation),
        }
    }

    // Every call has room for this future, and what is large is slow to get: what an `async fn` is given would be in it
    // twice, and what lives across an `await` once more.
    fn drive<'i>(self, invocation: &'i mut Invocation) -> impl Future<Output = Reply> + Send + use<'i, 'a>
    where
        'a: 'i,
    {
        let mut passage = Passage { next: self, passed: 0, untold: 0, done: false, invocation };
        async move {
            if let Some(refusal) = passage.enter().await {
                return passage.unwind(refusal);
            }
            let reply = passage.answer().await;
            passage.unwind(reply)
        }
    }
}

/// A call between the `before` and the `after` of the handlers it passed. Dropping it early runs every `after`
/// that is due: that is how a caller that goes away is seen.
struct Passage<'i, 'a> {
    next: Next<'a>,
    passed: usize,
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
                Err(panic) => return Some(self.panicked(&*panic).by(&self.next.steps[self.passed].name)),
            };
            if let Some(refusal) = self.wait(waiting, step).await {
                return Some(refusal);
            }
            self.passed += 1;
        }
    }

    /// Runs hooks as long as they let the call pass at once.
    fn advance(&mut self) -> Halt<'a> {
        let steps = self.next.steps;
        while let Some(step) = steps.get(self.passed)
            && let Form::Hooks(handler) = &step.form
        {
            match handler.before(self.invocation) {
                Verdict::Continue => self.passed += 1,
                Verdict::Answer(reply) => return Halt::Reply(reply.by(&step.name)),
                Verdict::Refuse(fault) => return Halt::Reply(refusal(fault, step)),
                Verdict::Wait(waiting) => return Halt::Wait(waiting, step),
            }
        }
        Halt::End
    }

    /// Waits for a verdict; `None` lets the call pass.
    async fn wait(&mut self, mut waiting: Waiting, step: &Step) -> Option<Reply> {
        loop {
            let deadline = self.invocation.call.deadline;
            let invocation = &mut *self.invocation;
            let decision = std::future::poll_fn(move |cx| waiting.poll(cx, invocation));
            let verdict = Guarded::new(decision, deadline, &mut self.untold).await;
            return match verdict {
                Ok(Verdict::Continue) => None,
                Ok(Verdict::Answer(reply)) => Some(reply.by(&step.name)),
                Ok(Verdict::Refuse(fault)) => Some(refusal(fault, step)),
                Ok(Verdict::Wait(next)) => {
                    waiting = next;
                    continue;
                }
                Err(stop) => Some(self.stopped(stop).by(&step.name)),
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
            self.invocation.call.finished = self.next.clock.now();
        }
        while self.passed > 0 {
            let outcome = caught(|| {
                while self.passed > 0 {
                    self.passed -= 1;
                    if let Form::Hooks(handler) = &self.next.steps[self.passed].form {
                        handler.after(self.invocation, &mut reply);
                    }
                }
            });
            if let Err(panic) = outcome {
                reply = self.panicked(&*panic).by(&self.next.steps[self.passed].name);
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
