//! One step of a chain, in its two forms, and the verdicts it can give.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::fault::{Fault, Violation};
use crate::invocation::Invocation;
use crate::reply::Reply;
use crate::schema::BoxFuture;

pub use crate::chain::{Mandate, Next};

pub(crate) mod capacity;
pub(crate) mod line;

/// What handlers establish about a call, as names that `provides` and `requires` use.
pub mod fact {
    /// The caller is known: `call.principal` is set where the operation's access asks for it.
    pub const PRINCIPAL: &str = "principal";
    /// The operation's access declaration is enforced.
    pub const ACCESS: &str = "access";
    /// The trace context is set.
    pub const TRACE: &str = "trace";
    /// The call is called by a name, where a rule fits it.
    pub const MARK: &str = "mark";
}

/// A step that looks at a call on its way in and at its reply on the way out.
///
/// Both hooks are synchronous: ten of them cost tens of nanoseconds and no allocation, `after` can be promised
/// even when the caller has gone, and a decision without I/O can be replayed. What must wait says
/// [`Verdict::wait`]; what must wrap the rest of the chain is a [`Wrap`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler",
    label = "neither `before` nor `after` is implemented for it",
    note = "write `impl Handler for {Self}`, or `impl Wrap for {Self}` together with `#[handler(\"name\", wrap)]`"
)]
pub trait Handler: Send + Sync + 'static {
    /// Decides whether the call goes on. `after` runs for exactly those calls that this let pass.
    ///
    /// On a call that it may not act on ([`Call::may_act`](crate::invocation::Call::may_act)) it decides all the same,
    /// waits only for what it must ask, and leaves the body alone.
    fn before(&self, invocation: &mut Invocation) -> Verdict {
        let _ = invocation;
        Verdict::Continue
    }

    /// Sees the outcome, exactly once for each call that `before` let pass: also when the operation panicked, the
    /// deadline passed or the caller went away ([`Reply::is_cancelled`]).
    fn after(&self, invocation: &Invocation, reply: &mut Reply) {
        let _ = (invocation, reply);
    }

    /// What it would do to a call, for `explain`; `None` where what `before` decides says it. Nothing is drawn, and nothing
    /// waited for.
    fn outlook(&self, invocation: &mut Invocation) -> Option<Outlook> {
        let _ = invocation;
        None
    }
}

/// What a handler would do to a call, for people.
pub struct Outlook {
    /// In words that the name of the handler goes before: `marks it gold`.
    pub words: String,
    /// Whether the call ends there.
    pub ends: bool,
}

impl Outlook {
    /// The call goes on.
    pub fn passing(words: impl Into<String>) -> Self {
        Self { words: words.into(), ends: false }
    }

    /// The call is refused.
    pub fn refusing(fault: &Fault) -> Self {
        let (status, title) = (fault.status().as_u16(), fault.title());
        let wrong = fault.violations().iter();
        let wrong = wrong.map(|Violation { place, pointer, detail }| format!(" ({place} {pointer}: {detail})"));
        let remedy = fault.remedy().map(|remedy| format!(" {remedy}"));
        let more: String = wrong.chain(remedy).collect();
        Self { words: format!("refuses with {status} {title}: {}{more}", fault.detail()), ends: true }
    }
}

/// A step that wraps the rest of the chain: to run it twice, not at all, or inside something else.
///
/// A [`Fault`] that it answers with names it, unless that came from the rest of the chain.
///
/// It costs a few allocations a call; prefer [`Handler`] where its hooks are enough.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not wrap the rest of a chain",
    label = "`wrap` is not implemented for it",
    note = "write `impl Wrap for {Self}`, or drop `wrap` from `#[handler(…)]` if hooks are enough"
)]
pub trait Wrap: Send + Sync + 'static {
    /// Answers the call, usually by running `next`.
    fn wrap<'a>(&'a self, invocation: &'a mut Invocation, next: Next<'a>) -> BoxFuture<'a, Reply>;

    /// Whether it asks for its [`Mandate`] before it acts, so that `shadow` and `enforce` work with it. With one that does
    /// not, configuration that says them is refused at the start.
    fn heeds_mandate(&self) -> bool {
        false
    }

    /// What it would do to a call, for `explain`, as far as that can be told without running anything.
    fn outlook(&self, invocation: &mut Invocation) -> Option<Outlook> {
        let _ = invocation;
        None
    }
}

/// What a handler decides about a call.
#[must_use = "a verdict that is dropped decides nothing"]
pub enum Verdict {
    /// Go on to the next step.
    Continue,
    /// Answer now; the rest of the chain does not run.
    Answer(Box<Reply>),
    /// Refuse now; the rest of the chain does not run, and the Fault names this handler.
    Refuse(Fault),
    /// Wait, then decide. Made by [`Verdict::wait`].
    Wait(Waiting),
}

impl Verdict {
    /// Answers now.
    pub fn answer(reply: Reply) -> Self {
        Self::Answer(Box::new(reply))
    }

    /// Waits for `future`, then lets `decide` see its output. The deadline of the call bounds the wait.
    pub fn wait<F, D>(future: F, decide: D) -> Self
    where
        F: Future + Send + 'static,
        D: FnOnce(&mut Invocation, F::Output) -> Self + Send + 'static,
    {
        Self::Wait(Waiting(Box::pin(Pending { future, decide: Some(decide) })))
    }

    /// Says what it waits for, if it does: for people, such as `the password is checked`.
    pub fn because(self, what: &'static str) -> Self {
        match self {
            Self::Wait(waiting) => Self::Wait(Waiting(Box::pin(Named { waiting, what }))),
            decided => decided,
        }
    }

    /// Lets `see` look at what this comes to, once: now, or when the waiting is over.
    pub fn inspect(self, see: impl FnOnce(&Self) + Send + 'static) -> Self {
        match self {
            Self::Wait(waiting) => Self::Wait(Waiting(Box::pin(Inspected { waiting, see: Some(Box::new(see)) }))),
            decided => {
                see(&decided);
                decided
            }
        }
    }
}

impl From<Fault> for Verdict {
    fn from(fault: Fault) -> Self {
        Self::Refuse(fault)
    }
}

/// A decision that is not made yet.
pub struct Waiting(Pin<Box<dyn Decide>>);

impl Waiting {
    /// Polls the future and decides when it is ready.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, invocation: &mut Invocation) -> Poll<Verdict> {
        self.0.as_mut().poll_decide(cx, invocation)
    }

    /// What it waits for, where that is said.
    pub(crate) fn what(&self) -> Option<&'static str> {
        self.0.what()
    }
}

trait Decide: Send {
    fn poll_decide(self: Pin<&mut Self>, cx: &mut Context<'_>, invocation: &mut Invocation) -> Poll<Verdict>;

    fn what(&self) -> Option<&'static str> {
        None
    }
}

pin_project_lite::pin_project! {
    struct Pending<F, D> {
        #[pin]
        future: F,
        decide: Option<D>,
    }
}

impl<F, D> Decide for Pending<F, D>
where
    F: Future + Send,
    D: FnOnce(&mut Invocation, F::Output) -> Verdict + Send,
{
    fn poll_decide(self: Pin<&mut Self>, cx: &mut Context<'_>, invocation: &mut Invocation) -> Poll<Verdict> {
        let this = self.project();
        let output = std::task::ready!(this.future.poll(cx));
        Poll::Ready(match this.decide.take() {
            Some(decide) => decide(invocation, output),
            None => Verdict::Refuse(Fault::internal("a verdict was asked for twice")),
        })
    }
}

/// A decision that says what it waits for.
struct Named {
    waiting: Waiting,
    what: &'static str,
}

impl Decide for Named {
    fn poll_decide(mut self: Pin<&mut Self>, cx: &mut Context<'_>, invocation: &mut Invocation) -> Poll<Verdict> {
        self.waiting.poll(cx, invocation)
    }

    fn what(&self) -> Option<&'static str> {
        Some(self.what)
    }
}

/// A decision that somebody wants to see.
struct Inspected {
    waiting: Waiting,
    see: Option<Box<dyn FnOnce(&Verdict) + Send>>,
}

impl Decide for Inspected {
    fn poll_decide(mut self: Pin<&mut Self>, cx: &mut Context<'_>, invocation: &mut Invocation) -> Poll<Verdict> {
        let verdict = std::task::ready!(self.waiting.poll(cx, invocation));
        Poll::Ready(match self.see.take() {
            Some(see) => verdict.inspect(see),
            None => verdict,
        })
    }

    fn what(&self) -> Option<&'static str> {
        self.waiting.what()
    }
}
