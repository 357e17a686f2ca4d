//! Sees what a handler decides, without changing it.

use std::collections::HashMap;
use std::iter;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::app::Around;
use crate::chain::{Form, Next, Step};
use crate::handler::{Handler, Outlook, Verdict, Wrap};
use crate::invocation::Invocation;
use crate::lock::locked;
use crate::reply::Reply;
use crate::schema::BoxFuture;

/// What a handler saw and decided. Counts grow while calls run.
#[derive(Clone, Default)]
pub struct Spy(Arc<Counts>);

#[derive(Default)]
struct Counts {
    passed: AtomicUsize,
    stopped: AtomicUsize,
    waited: AtomicUsize,
    seen: AtomicUsize,
}

impl Spy {
    /// How many calls it let pass, at once or after a wait; for a handler that wraps, how many of them reached what it
    /// wraps, however often.
    pub fn passed(&self) -> usize {
        self.0.passed.load(Ordering::Relaxed)
    }

    /// How many calls it answered or refused itself, at once or after a wait.
    pub fn stopped(&self) -> usize {
        self.0.stopped.load(Ordering::Relaxed)
    }

    /// How many calls it let wait, whatever became of them.
    pub fn waited(&self) -> usize {
        self.0.waited.load(Ordering::Relaxed)
    }

    /// How many replies it saw on their way out, to calls that it had let pass.
    pub fn seen(&self) -> usize {
        self.0.seen.load(Ordering::Relaxed)
    }
}

/// The spies of a service, one for each handler.
#[derive(Clone, Default)]
pub(super) struct Spies(Arc<Mutex<HashMap<String, Spy>>>);

impl Spies {
    pub(super) fn of(&self, handler: &str) -> Spy {
        locked(&self.0).entry(handler.to_owned()).or_default().clone()
    }

    /// Puts a spy before each handler that is built.
    pub(super) fn around(&self) -> Around {
        let spies = self.clone();
        Arc::new(move |handler, form| {
            let spy = spies.of(handler);
            match form {
                Form::Hooks(inner) => Form::Hooks(Arc::new(Watched { inner, spy })),
                Form::Wrap(inner) => Form::Wrap(Arc::new(Watched { inner, spy })),
            }
        })
    }
}

struct Watched<H: ?Sized> {
    spy: Spy,
    inner: Arc<H>,
}

impl Handler for Watched<dyn Handler> {
    fn before(&self, invocation: &mut Invocation) -> Verdict {
        let verdict = self.inner.before(invocation);
        if matches!(verdict, Verdict::Wait(_)) {
            count(&self.spy.0.waited);
        }
        let spy = self.spy.clone();
        verdict.inspect(move |verdict| match verdict {
            Verdict::Continue => count(&spy.0.passed),
            Verdict::Answer(_) | Verdict::Refuse(_) => count(&spy.0.stopped),
            Verdict::Wait(_) => {}
        })
    }

    fn after(&self, invocation: &Invocation, reply: &mut Reply) {
        count(&self.spy.0.seen);
        self.inner.after(invocation, reply);
    }

    fn outlook(&self, invocation: &mut Invocation) -> Option<Outlook> {
        self.inner.outlook(invocation)
    }
}

impl Wrap for Watched<dyn Wrap> {
    fn wrap<'a>(&'a self, invocation: &'a mut Invocation, next: Next<'a>) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            let reached = Arc::new(AtomicBool::new(false));
            let mark = Mark { spy: self.spy.clone(), reached: Arc::clone(&reached) };
            let mark = Step { name: Arc::from("spy"), form: Form::Hooks(Arc::new(mark)), terms: None };
            let steps: Vec<Step> = iter::once(mark).chain(next.steps().iter().cloned()).collect();
            let reply = self.inner.wrap(invocation, next.with_steps(&steps)).await;
            count(if reached.load(Ordering::Relaxed) { &self.spy.0.seen } else { &self.spy.0.stopped });
            reply
        })
    }

    fn heeds_mandate(&self) -> bool {
        self.inner.heeds_mandate()
    }

    fn outlook(&self, invocation: &mut Invocation) -> Option<Outlook> {
        self.inner.outlook(invocation)
    }
}

/// Stands first in what a handler wraps, and sees that it is reached.
struct Mark {
    spy: Spy,
    reached: Arc<AtomicBool>,
}

impl Handler for Mark {
    fn before(&self, _: &mut Invocation) -> Verdict {
        if !self.reached.swap(true, Ordering::Relaxed) {
            count(&self.spy.0.passed);
        }
        Verdict::Continue
    }
}

fn count(counter: &AtomicUsize) {
    counter.fetch_add(1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests;
