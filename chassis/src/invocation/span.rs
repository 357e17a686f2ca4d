//! The span of a call, which is made when somebody looks.
//!
//! Making a span costs more than the rest of a small call, and most calls log nothing. Where the subscriber is the one of
//! chassis ([`OnDemand`]), the span is made by the first line, the first span or the first look at the current span inside
//! of it; any other subscriber gets it at once.

use std::cell::Cell;
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
    // `None` if the span is disabled.
    outer: Option<Outer>,
}

/// The same of one that is the thread's as long, because nobody else needs it.
pub(crate) struct Lent<'a> {
    span: &'a mut CallSpan,
    outer: Option<Outer>,
}

/// What a thread was inside of before it entered another call.
struct Outer {
    call: Option<Arc<Later>>,
    entered: Option<EnteredSpan>,
}

thread_local! {
    /// The call that this thread is inside of, and its span if that was entered.
    static INSIDE: Cell<Option<Arc<Later>>> = const { Cell::new(None) };
    static ENTERED: Cell<Option<EnteredSpan>> = const { Cell::new(None) };
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
        Entered { outer: self.0.clone().map(Outer::around) }
    }

    /// The same without counting a clone.
    #[inline]
    pub(crate) fn lend(&mut self) -> Lent<'_> {
        let outer = self.0.take().map(Outer::around);
        Lent { span: self, outer }
    }
}

impl Outer {
    /// Enters a call.
    fn around(call: Arc<Later>) -> Self {
        let is_made = call.span.get().is_some();
        let outer = Self { call: INSIDE.replace(Some(call)), entered: ENTERED.take() };
        if is_made {
            look();
        }
        outer
    }

    /// Leaves the call that was entered.
    fn back(self) -> Option<Arc<Later>> {
        let call = INSIDE.replace(self.call);
        // Dropped when it is no longer there: the subscriber is told that its span is left.
        drop(ENTERED.replace(self.entered));
        call
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
        self.outer.take().map(Outer::back);
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(outer) = self.outer.take() {
            self.span.0 = outer.back();
        }
    }
}

/// Makes and enters the span of the call that this thread is inside of, if that was not done.
fn look() {
    if IS_MAKING.get() {
        return;
    }
    let entered = ENTERED.take();
    if entered.is_some() {
        return ENTERED.set(entered);
    }
    let Some(call) = INSIDE.take() else { return };
    INSIDE.set(Some(Arc::clone(&call)));
    let outer = IS_MAKING.replace(true);
    ENTERED.set(Some(call.look().clone().entered()));
    IS_MAKING.set(outer);
}
