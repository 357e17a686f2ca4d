//! The span of a call, which is made when somebody looks.
//!
//! Making a span costs more than the rest of a small call, and most calls log nothing. Where the subscriber is the one of
//! chassis ([`OnDemand`]), the span is made by the first line, the first span or the first look at the current span inside
//! of it; any other subscriber gets it at once.

use std::cell::{Cell, RefCell};
use std::mem;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tracing::dispatcher::get_default;
use tracing::span::EnteredSpan;
use tracing::{Dispatch, Span};

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

/// While it is kept, what this thread logs is of the call.
pub struct Entered {
    // What was entered around it; `None` inside if the span is disabled.
    outer: Option<Option<Inside>>,
}

/// A call that this thread is inside of.
struct Inside {
    call: Arc<Later>,
    entered: Option<EnteredSpan>,
}

thread_local! {
    static INSIDE: RefCell<Option<Inside>> = const { RefCell::new(None) };
    static IS_MAKING: Cell<bool> = const { Cell::new(false) };
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
            None => later.fields.lock().unwrap_or_else(PoisonError::into_inner).push((field, value.into())),
        }
    }

    /// Enters it: what this thread logs until the answer is dropped is of the call.
    pub fn enter(&self) -> Entered {
        let Some(call) = &self.0 else { return Entered { outer: None } };
        let outer = INSIDE.replace(Some(Inside { call: Arc::clone(call), entered: None }));
        if call.span.get().is_some() {
            look();
        }
        Entered { outer: Some(outer) }
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
            let outer = IS_MAKING.replace(true);
            let span = (self.make)();
            let fields = mem::take(&mut *self.fields.lock().unwrap_or_else(PoisonError::into_inner));
            for (field, value) in fields {
                span.record(field, &*value);
            }
            IS_MAKING.set(outer);
            span
        })
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        if let Some(outer) = self.outer.take() {
            // Dropped when it is no longer borrowed: the subscriber is told that its span is left.
            drop(INSIDE.replace(outer));
        }
    }
}

/// Makes and enters the span of the call that this thread is inside of, if that was not done.
fn look() {
    if IS_MAKING.get() {
        return;
    }
    let unseen = |inside: &Option<Inside>| {
        inside.as_ref().filter(|inside| inside.entered.is_none()).map(|inside| Arc::clone(&inside.call))
    };
    let Some(call) = INSIDE.with_borrow(unseen) else { return };
    let outer = IS_MAKING.replace(true);
    let entered = call.look().clone().entered();
    IS_MAKING.set(outer);
    INSIDE.with_borrow_mut(|inside| inside.as_mut().map(|inside| inside.entered = Some(entered)));
}
