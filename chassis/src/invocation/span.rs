//! The span of a call, which is made when somebody looks.
//!
//! Making a span costs more than the rest of a small call, and most calls log nothing. Where the subscriber is the one of
//! chassis ([`OnDemand`]), the span is made by the first line, the first span or the first look at the current span inside
//! of it; any other subscriber gets it at once.

use std::cell::Cell;
use std::mem;
use std::sync::{Arc, Mutex, OnceLock};

use tracing::dispatcher::get_default;
use tracing::span::EnteredSpan;
use tracing::{Dispatch, Span};

use crate::lock::locked;

mod on_demand;
#[cfg(test)]
mod tests;

pub use on_demand::OnDemand;

/// The span of a call. Cheap to clone; all clones are one.
#[derive(Clone, Default)]
pub struct CallSpan(Option<Arc<Later>>);

type Later = Made<dyn Fn() -> Span + Send + Sync>;

/// A span, and how it is made.
struct Made<F: ?Sized> {
    span: OnceLock<Span>,
    /// What is recorded of it before it is made.
    fields: Mutex<Vec<(&'static str, Box<str>)>>,
    make: F,
}

/// While it is kept, what this thread logs is of the call. Of several on one thread the one that was made last is dropped
/// first.
pub struct Entered {
    // `None` if the span is disabled.
    outer: Option<Outer>,
}

/// What a thread was inside of before it entered another call.
struct Outer {
    call: Option<Arc<Later>>,
    entered: Option<EnteredSpan>,
}

thread_local! {
    /// The call that this thread is inside of.
    static INSIDE: Cell<Option<Arc<Later>>> = const { Cell::new(None) };
    /// The span of that call, if somebody looked.
    static ENTERED: Cell<Option<EnteredSpan>> = const { Cell::new(None) };
    static IS_MAKING: Cell<bool> = const { Cell::new(false) };
}

/// While it is kept, nobody on this thread has a span made.
struct Making {
    before: bool,
}

impl Making {
    fn begin() -> Self {
        Self { before: IS_MAKING.replace(true) }
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        IS_MAKING.set(self.before);
    }
}

impl CallSpan {
    /// A call that has none.
    pub fn none() -> Self {
        Self(None)
    }

    /// One that is made when somebody looks, or now where the subscriber does not say when that is.
    pub fn on_demand(make: impl Fn() -> Span + Send + Sync + 'static) -> Self {
        if get_default(Dispatch::is::<OnDemand>) {
            return Self(Some(Arc::new(Made { span: OnceLock::new(), fields: Mutex::default(), make })));
        }
        Self::from(make())
    }

    /// Whether there is none.
    pub fn is_disabled(&self) -> bool {
        self.0.is_none()
    }

    /// The span, if somebody looked already.
    pub fn made(&self) -> Option<&Span> {
        self.0.as_ref()?.span.get()
    }

    /// The span, made if nobody looked so far.
    pub fn look(&self) -> Option<&Span> {
        self.0.as_ref().map(|later| later.look())
    }

    /// Records a field of it.
    pub fn record(&self, field: &'static str, value: &str) {
        let Some(later) = &self.0 else { return };
        match later.span.get() {
            Some(span) => _ = span.record(field, value),
            None => locked(&later.fields).push((field, value.into())),
        }
    }

    /// Enters it: what this thread logs until the answer is dropped is of the call.
    pub fn enter(&self) -> Entered {
        let Some(call) = &self.0 else { return Entered { outer: None } };
        let outer = Outer { call: INSIDE.replace(Some(Arc::clone(call))), entered: ENTERED.take() };
        let entered = Entered { outer: Some(outer) };
        if call.span.get().is_some() {
            look();
        }
        entered
    }
}

impl From<Span> for CallSpan {
    fn from(span: Span) -> Self {
        if span.is_disabled() {
            return Self(None);
        }
        let make = Span::none;
        Self(Some(Arc::new(Made { span: OnceLock::from(span), fields: Mutex::default(), make })))
    }
}

impl Later {
    fn look(&self) -> &Span {
        self.span.get_or_init(|| {
            let _making = Making::begin();
            let span = (self.make)();
            let fields = mem::take(&mut *locked(&self.fields));
            for (field, value) in fields {
                span.record(field, &*value);
            }
            span
        })
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        if let Some(Outer { call, entered }) = self.outer.take() {
            let left = (INSIDE.replace(call), ENTERED.replace(entered));
            // Dropped when neither is there any more: the subscriber is told that its span is left.
            drop(left);
        }
    }
}

/// Makes and enters the span of the call that this thread is inside of, if that was not done.
fn look() {
    // Where a thread ends it is inside of nothing, and what it keeps may be gone.
    let Ok(entered) = ENTERED.try_with(Cell::take) else { return };
    if IS_MAKING.get() || entered.is_some() {
        return ENTERED.set(entered);
    }
    let Some(call) = INSIDE.try_with(Cell::take).ok().flatten() else { return };
    INSIDE.set(Some(Arc::clone(&call)));
    let _making = Making::begin();
    ENTERED.set(Some(call.look().clone().entered()));
}
