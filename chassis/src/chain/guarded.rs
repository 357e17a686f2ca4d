//! Runs a future as a chain must: inside a span, its panics caught, no longer than it may take.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::time::{Sleep, sleep_until};

use crate::clock::Instant;
use crate::invocation::CallSpan;

/// What a panic carries.
pub(crate) type Panic = Box<dyn Any + Send>;

/// Calls `f` and catches its panic. Whatever a panic leaves half done belongs to this call alone and ends with it.
pub(crate) fn caught<T>(f: impl FnOnce() -> T) -> Result<T, Panic> {
    catch_unwind(AssertUnwindSafe(f)).map_err(harmless)
}

/// Lets go of what is not a message without dropping it: that might panic once more.
#[cold]
fn harmless(panic: Panic) -> Panic {
    if panic.is::<&str>() || panic.is::<String>() {
        return panic;
    }
    std::mem::forget(panic);
    Box::new("a value that is not a string")
}

/// Why something did not come to its own end.
pub(super) enum Stop {
    Panicked(Panic),
    Late,
}

pin_project_lite::pin_project! {
    /// Polls a future inside a span, catches its panics and gives up at a deadline.
    pub(super) struct Guarded<'g, F> {
        #[pin]
        future: Option<F>,
        deadline: Option<Instant>,
        // Armed when the future is not ready at once: a timer costs more than most calls.
        timer: Option<Pin<Box<Sleep>>>,
        span: CallSpan,
        // Counts the panics that nobody is told of: the answer is there already, or nobody waits for it.
        untold: &'g mut u32,
    }

    impl<'g, F> PinnedDrop for Guarded<'g, F> {
        fn drop(mut this: Pin<&mut Self>) {
            // Nobody's any more, least of all the connection's, which carries other calls.
            if this.as_mut().release().is_err() {
                **this.project().untold += 1;
            }
        }
    }
}

impl<'g, F> Guarded<'g, F> {
    pub(super) fn new(future: F, deadline: Option<Instant>, untold: &'g mut u32) -> Self {
        Self::within(future, deadline, CallSpan::none(), untold)
    }

    pub(super) fn within(future: F, deadline: Option<Instant>, span: CallSpan, untold: &'g mut u32) -> Self {
        Self { future: Some(future), deadline, timer: None, span, untold }
    }

    /// Drops the future, which may panic as well as polling it.
    fn release(self: Pin<&mut Self>) -> Result<(), Panic> {
        let mut future = self.project().future;
        caught(|| future.set(None))
    }
}

impl<F: Future> Future for Guarded<'_, F> {
    type Output = Result<F::Output, Stop>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.as_mut().project();
        let entered = this.span.enter();
        // Nothing is left where it was released before, and then nobody polls.
        let Some(future) = this.future.as_pin_mut() else { return Poll::Pending };
        match caught(|| future.poll(cx)) {
            Ok(Poll::Ready(output)) => return Poll::Ready(Ok(output)),
            Err(panic) => return Poll::Ready(Err(Stop::Panicked(panic))),
            Ok(Poll::Pending) => {}
        }
        let Some(deadline) = *this.deadline else { return Poll::Pending };
        let timer = this.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        ready!(timer.as_mut().poll(cx));
        drop(entered);
        Poll::Ready(Err(self.release().err().map_or(Stop::Late, Stop::Panicked)))
    }
}
