//! Ordered handlers that end in an operation, and what runs a call through them.

use std::future::Future;
use std::sync::Arc;

use crate::clock::Clock;
use crate::handler::{Handler, Wrap};
use crate::invocation::Invocation;
use crate::reply::Reply;
use crate::schema::{BoxFuture, Endpoint};

mod guarded;
mod idle;
mod layer;
mod mandate;
mod passage;
mod terms;
mod timed;

#[cfg(test)]
mod tests;

pub(crate) use guarded::caught;
pub(crate) use idle::idle;
pub use layer::{Layered, Rest};
pub use mandate::Mandate;
pub use terms::{Counts, Terms};

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
    /// On which calls it runs and on how many of them it acts; `None` for all, and all.
    pub terms: Option<Arc<Terms>>,
}

/// How many steps a chain has at most.
pub const MOST_STEPS: usize = u64::BITS as usize;

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
        passage::drive(Next { steps: &self.steps, endpoint, clock, wrapper: None }, invocation)
    }
}

/// The rest of a chain, for a handler that wraps it. Running it twice runs it twice.
#[derive(Clone, Copy)]
pub struct Next<'a> {
    steps: &'a [Step],
    endpoint: &'a dyn Endpoint,
    clock: Clock,
    /// The step that wraps it.
    wrapper: Option<&'a Step>,
}

impl<'a> Next<'a> {
    /// Runs the rest of the chain.
    pub fn run<'i>(self, invocation: &'i mut Invocation) -> BoxFuture<'i, Reply>
    where
        'a: 'i,
    {
        Box::pin(passage::drive(self, invocation))
    }

    /// Whether the handler that this is given to may act on the call, by what configuration says with `shadow` and
    /// `enforce`. Drawn anew each time: to be asked for once a call, by a handler that says so with
    /// [`Wrap::heeds_mandate`].
    pub fn mandate(&self) -> Mandate<'a> {
        Mandate::draw(self.wrapper.and_then(|step| Some((step.terms.as_deref()?, &*step.name))))
    }

    /// The steps of the rest.
    pub fn steps(&self) -> &'a [Step] {
        self.steps
    }

    /// The same end behind other steps: for what stands between a chain and a handler.
    pub fn with_steps(self, steps: &'a [Step]) -> Self {
        Self { steps, ..self }
    }

    /// What the rest ends in.
    pub fn endpoint(&self) -> &'a dyn Endpoint {
        self.endpoint
    }

    /// The same steps before another end: for a handler that looks at the operation itself.
    pub fn with_endpoint(self, endpoint: &'a dyn Endpoint) -> Self {
        Self { endpoint, ..self }
    }

    /// Starts what stands behind the first `passed` steps.
    fn begin<'i>(self, passed: usize, invocation: &'i mut Invocation) -> BoxFuture<'i, Reply>
    where
        'a: 'i,
    {
        match self.steps.get(passed) {
            Some(step @ Step { form: Form::Wrap(handler), .. }) => {
                let rest = Next { steps: &self.steps[passed + 1..], wrapper: Some(step), ..self };
                match step.terms.as_ref().is_none_or(|terms| terms.cover(invocation)) {
                    true => handler.wrap(invocation, rest),
                    false => rest.run(invocation),
                }
            }
            _ => self.endpoint.call(invocation),
        }
    }
}
