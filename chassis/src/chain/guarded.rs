//! Runs a future as a chain must: inside a span, its panics caught, no longer than it may take.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::time::{Sleep, sleep_until};

use crate::clock::Instant;

/// What a panic carries.
pub(super) type Panic = Box<dyn Any + Send>;

/// Calls `f` and catches its panic. Whatever a panic leaves half done belongs to this call alone and ends with it.
pub(super) fn caught<T>(f: impl FnOnce() -> T) -> Result<T, Panic> {
    catch_unwind(AssertUnwindSafe(f))
}

/// Why something did not come to its own end.
pub(super) enum Stop {
    Panicked(Panic),
    Late,
}

pin_project_lite::pin_project! {
    /// Polls a future inside a span, catches its panics and gives up at a deadline.
    pub(super) struct Guarded<F> {
        #[pin]
        future: Option<F>,
        deadline: Option<Instant>,
        // Armed when the future is not ready at once: a timer costs more than most calls.
        timer: Option<Pin<Box<Sleep>>>,
        span: tracing::Span,
    }

    impl<F> PinnedDrop for Guarded<F> {
        fn drop(this: Pin<&mut Self>) {
            // The caller went away: a panic of what is dropped for that is nobody's any more, least of all the
            // connection's, which carries other calls.
            let _ = this.release();
        }
    }
}

impl<F> Guarded<F> {
    pub(super) fn new(future: F, deadline: Option<Instant>) -> Self {
        Self::within(future, deadline, tracing::Span::none())
    }

    pub(super) fn within(future: F, deadline: Option<Instant>, span: tracing::Span) -> Self {
        Self { future: Some(future), deadline, timer: None, span }
    }

    /// Drops the future, which may panic as well as polling it.
    fn release(self: Pin<&mut Self>) -> Result<(), Panic> {
        let mut future = self.project().future;
        caught(|| future.set(None))
    }
}

impl<F: Future> Future for Guarded<F> {
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
