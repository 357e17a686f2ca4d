//! How a process starts: until everything runs, or until it is told to end before that.

use std::future::{Future, pending};
use std::panic::resume_unwind;
use std::pin::pin;

use futures_util::{Stream, StreamExt};
use tokio::task::JoinError;

use super::patience::{bounded, told};
use super::{Lifecycle, Signal, Stage};
use crate::conf::root::Drain;

/// Starts, unless a signal comes first: then what was started is stopped again within `drain.grace`, and a further
/// signal ends that at once.
pub struct Arrival<'a> {
    /// Where the stages are shown. Whatever starts follows it: once the stage is [`Stage::Stopping`] it gives up, stops
    /// what it has started and ends.
    pub lifecycle: &'a Lifecycle,
    /// How long that may take.
    pub drain: &'a Drain,
}

impl Arrival<'_> {
    /// What `starting` came to, or `None` if a signal came first. `undo` stops what was whole by then nevertheless.
    ///
    /// `starting` runs in a task of its own, so that signals are seen also while it keeps its thread busy.
    pub async fn run<T, F>(
        &self,
        signals: impl Stream<Item = Signal>,
        starting: impl Future<Output = T> + Send + 'static,
        undo: impl FnOnce(T) -> F,
    ) -> Option<T>
    where
        T: Send + 'static,
        F: Future<Output = ()>,
    {
        // Fused, because a source that has run dry is asked again.
        let (mut signals, mut starting) = (pin!(signals.fuse()), tokio::spawn(starting));
        let signal = tokio::select! {
            biased;
            outcome = &mut starting => return Some(whole(outcome).await),
            signal = told(&mut signals) => signal,
        };
        tracing::info!(%signal, "told to end while starting: what was started is stopped again");
        self.lifecycle.enter(Stage::Stopping);
        let undone = async { undo(whole(starting.await).await).await };
        bounded("what was started did not stop in time", self.drain.grace.0, &mut signals, undone).await;
        None
    }
}

/// What a task came to. Its panic is ours; and only a runtime that ends, and this with it, cancels it.
async fn whole<T>(outcome: Result<T, JoinError>) -> T {
    match outcome.map_err(JoinError::try_into_panic) {
        Ok(outcome) => outcome,
        Err(Ok(panic)) => resume_unwind(panic),
        Err(Err(_)) => pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;
    use std::time::Duration;

    use futures_util::stream;
    use tokio::sync::oneshot;

    use super::*;
    use crate::clock::Clock;

    /// A signal at each of these seconds after the one before it.
    fn signals(seconds: &'static [u64]) -> impl Stream<Item = Signal> {
        stream::iter(seconds).then(async |after| {
            tokio::time::sleep(Duration::from_secs(*after)).await;
            Signal::Terminate
        })
    }

    /// Runs a start, and says what it came to, after how many seconds, and whether it was undone.
    async fn arrive<F>(seconds: &'static [u64], starting: impl FnOnce(Lifecycle) -> F) -> (Option<u8>, u64, bool)
    where
        F: Future<Output = u8> + Send + 'static,
    {
        let (lifecycle, drain, begun) = (Lifecycle::new(), Drain::default(), Clock::system().now());
        let undone = AtomicBool::new(false);
        let arrival = Arrival { lifecycle: &lifecycle, drain: &drain };
        let undo = |_| async { undone.store(true, Ordering::Relaxed) };
        let outcome = arrival.run(signals(seconds), starting(lifecycle.clone()), undo).await;
        let expected = if outcome.is_some() { Stage::Starting } else { Stage::Stopping };
        assert_eq!(lifecycle.stage(), expected);
        (outcome, Clock::system().now().duration_since(begun).as_secs(), undone.into_inner())
    }

    async fn after(seconds: u64) -> u8 {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        7
    }

    #[tokio::test(start_paused = true)]
    async fn a_start_that_nobody_disturbs_comes_to_its_end() {
        assert_eq!(arrive(&[], |_| after(100)).await, (Some(7), 100, false));
        assert_eq!(arrive(&[3], |_| after(2)).await, (Some(7), 2, false));
    }

    #[tokio::test(start_paused = true)]
    async fn a_signal_ends_a_start_that_follows_the_stage() {
        let obedient = |lifecycle: Lifecycle| async move {
            lifecycle.left(Stage::Starting).await;
            after(4).await
        };
        assert_eq!(arrive(&[3], obedient).await, (None, 7, true));
    }

    #[tokio::test(start_paused = true)]
    async fn a_start_that_does_not_end_is_given_up_when_the_grace_is_over() {
        assert_eq!(arrive(&[3], |_| pending()).await, (None, 33, false));
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_signal_ends_a_start_at_once() {
        assert_eq!(arrive(&[3, 2], |_| pending()).await, (None, 5, false));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_whole_after_the_signal_is_undone() {
        assert_eq!(arrive(&[3], |_| after(5)).await, (None, 5, true));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn a_start_that_keeps_its_thread_busy_hides_no_signal() {
        let ((release, released), (say, busy)) = (mpsc::channel::<()>(), oneshot::channel());
        let starting = async move {
            let _ = say.send(());
            released.recv().is_err()
        };
        let first = stream::once(async { busy.await.map_or(Signal::Interrupt, |()| Signal::Terminate) });
        let (lifecycle, drain) = (Lifecycle::new(), Drain::default());
        let arrival = Arrival { lifecycle: &lifecycle, drain: &drain };
        let twice = first.chain(stream::iter([Signal::Interrupt]));
        assert_eq!(arrival.run(twice, starting, async |_| {}).await, None);
        drop(release);
    }

    #[tokio::test]
    #[should_panic(expected = "as asked")]
    async fn a_panic_is_passed_on() {
        let (lifecycle, drain) = (Lifecycle::new(), Drain::default());
        let arrival = Arrival { lifecycle: &lifecycle, drain: &drain };
        arrival.run(stream::pending(), async { panic!("as asked") }, async |()| {}).await;
    }
}
