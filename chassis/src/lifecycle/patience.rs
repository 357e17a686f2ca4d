//! Waits that a signal or the end of their time ends.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use futures_util::{Stream, StreamExt};

use super::Signal;

/// Runs a step to its end, the end of its time, or a signal.
pub(super) async fn bounded(
    abandoned: &'static str,
    time: Duration,
    signals: &mut Pin<&mut impl Stream<Item = Signal>>,
    step: impl Future<Output = ()>,
) {
    tokio::select! {
        biased;
        () = step => {}
        signal = told(signals) => tracing::warn!(%signal, step = abandoned, "told again to end: a step was abandoned"),
        () = tokio::time::sleep(time) => tracing::warn!(step = abandoned, "a step was abandoned"),
    }
}

/// The next signal. A source that has run dry never says anything again.
pub(super) async fn told(signals: &mut Pin<&mut impl Stream<Item = Signal>>) -> Signal {
    match signals.next().await {
        Some(signal) => signal,
        None => std::future::pending().await,
    }
}
