//! Sees what a handler decides, without changing it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::app::Around;
use crate::chain::{Form, Next};
use crate::handler::{Handler, Verdict, Wrap};
use crate::invocation::Invocation;
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
    /// How many calls it let pass at once; for a handler that wraps, how many it was given.
    pub fn passed(&self) -> usize {
        self.0.passed.load(Ordering::Relaxed)
    }

    /// How many calls it answered or refused at once.
    pub fn stopped(&self) -> usize {
        self.0.stopped.load(Ordering::Relaxed)
    }

    /// How many calls it let wait.
    pub fn waited(&self) -> usize {
        self.0.waited.load(Ordering::Relaxed)
    }

    /// How many replies it saw on their way out.
    pub fn seen(&self) -> usize {
        self.0.seen.load(Ordering::Relaxed)
    }
}

/// The spies of a service, one for each handler.
#[derive(Clone, Default)]
pub(super) struct Spies(Arc<Mutex<HashMap<String, Spy>>>);

impl Spies {
    pub(super) fn of(&self, handler: &str) -> Spy {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(handler.to_owned()).or_default().clone()
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
        let count = match &verdict {
            Verdict::Continue => &self.spy.0.passed,
            Verdict::Answer(_) | Verdict::Refuse(_) => &self.spy.0.stopped,
            Verdict::Wait(_) => &self.spy.0.waited,
        };
        count.fetch_add(1, Ordering::Relaxed);
        verdict
    }

    fn after(&self, invocation: &Invocation, reply: &mut Reply) {
        self.spy.0.seen.fetch_add(1, Ordering::Relaxed);
        self.inner.after(invocation, reply);
    }
}

impl Wrap for Watched<dyn Wrap> {
    fn wrap<'a>(&'a self, invocation: &'a mut Invocation, next: Next<'a>) -> BoxFuture<'a, Reply> {
        self.spy.0.passed.fetch_add(1, Ordering::Relaxed);
        self.inner.wrap(invocation, next)
    }
}
