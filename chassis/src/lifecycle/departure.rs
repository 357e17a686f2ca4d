//! How a process leaves: step by step, each step bounded, so that no call is lost and nothing hangs.

use std::future::Future;
use std::pin::{Pin, pin};
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use tokio::sync::watch;
use tokio::time::timeout;

use super::patience::{bounded, told};
use super::{Exit, Lifecycle, Signal, Stage};
use crate::clock::{Clock, Instant};
use crate::conf::root::Drain;
use crate::protocol::{Phase, Served};

/// Serves until a signal, then leaves:
///
/// 1. The process is no longer ready: its readiness probe fails, so that load balancers stop sending calls here.
/// 2. For `drain.delay` connections are still taken, because load balancers learn late. Replies ask for the
///    connection to be closed (RFC 9112 §9.6; GOAWAY in HTTP/2, RFC 9113 §6.8).
/// 3. No more connections are taken and idle ones are closed. Calls in flight go on for at most `drain.deadline`.
/// 4. What is in flight then is cut off and counted. Over HTTP/1 it is answered with 503, if nothing was answered yet.
/// 5. Components stop, within what `drain.grace` leaves.
/// 6. Telemetry is flushed within `drain.flush`.
///
/// A further signal ends whatever is waited for: in steps 2 and 3 it cuts calls off at once.
pub struct Departure<'a> {
    /// Where the stages are shown.
    pub lifecycle: &'a Lifecycle,
    /// What listeners follow.
    pub phase: &'a watch::Sender<Phase>,
    /// How long each step may take.
    pub drain: &'a Drain,
    /// The time.
    pub clock: Clock,
}

/// How long a step may take at least, however little of the grace is left: stopping in order is worth a second.
const LEAST: Duration = Duration::from_secs(1);

/// What ended a wait.
enum Waited {
    Enough,
    Told,
    Served(Served),
}

impl Departure<'_> {
    /// Is ready, serves, and leaves.
    ///
    /// `serving` ends when every listener has ended, `stop` stops components and `flush` flushes telemetry; the last
    /// two are polled when their turn comes.
    pub async fn run(
        &self,
        signals: impl Stream<Item = Signal>,
        serving: impl Future<Output = Served>,
        stop: impl Future<Output = ()>,
        flush: impl Future<Output = ()>,
    ) -> Exit {
        // Fused, because a source that has run dry is asked again.
        let (mut signals, mut serving) = (pin!(signals.fuse()), pin!(serving));
        self.lifecycle.enter(Stage::Ready);
        tracing::info!("ready");
        let (exit, begun) = tokio::select! {
            signal = told(&mut signals) => {
                tracing::info!(%signal, delay = %self.drain.delay, deadline = %self.drain.deadline, "draining");
                let begun = self.clock.now();
                (judged(self.empty(&mut signals, serving).await), begun)
            }
            _ = &mut serving => {
                tracing::error!("every listener has ended, and nobody told the process to");
                (Exit::Failed, self.clock.now())
            }
        };
        self.lifecycle.enter(Stage::Stopping);
        bounded("components did not stop in time", self.for_stop(begun), &mut signals, stop).await;
        bounded("telemetry was not flushed in time", self.drain.flush.0, &mut signals, flush).await;
        tracing::info!(code = exit.code(), "stopped");
        exit
    }

    /// Steps 1 to 4: until no call is in flight.
    async fn empty(
        &self,
        signals: &mut Pin<&mut impl Stream<Item = Signal>>,
        mut serving: Pin<&mut impl Future<Output = Served>>,
    ) -> Option<Served> {
        self.lifecycle.enter(Stage::Draining);
        self.phase.send_replace(Phase::Draining);
        let mut waited = wait(self.drain.delay.0, signals, &mut serving).await;
        if let Waited::Enough = waited {
            self.phase.send_replace(Phase::Closing);
            waited = wait(self.drain.deadline.0, signals, &mut serving).await;
        }
        if let Waited::Served(served) = waited {
            return Some(served);
        }
        self.phase.send_replace(Phase::Cutting);
        timeout(LEAST, serving).await.ok()
    }

    /// What is left of the grace for stopping components.
    fn for_stop(&self, begun: Instant) -> Duration {
        let spent = self.clock.now().saturating_duration_since(begun);
        self.drain.grace.0.saturating_sub(spent + self.drain.flush.0).max(LEAST)
    }
}

/// What the calls that were cut off make of the exit. `None`: there is no telling, because one does not let go.
fn judged(served: Option<Served>) -> Exit {
    match served {
        Some(Served { cut: 0 }) => Exit::Clean,
        Some(Served { cut }) => {
            tracing::warn!(cut, "calls were cut off");
            Exit::Cut
        }
        None => {
            tracing::error!("a call keeps its thread busy and cannot be cut off");
            Exit::Cut
        }
    }
}

async fn wait(
    time: Duration,
    signals: &mut Pin<&mut impl Stream<Item = Signal>>,
    serving: &mut Pin<&mut impl Future<Output = Served>>,
) -> Waited {
    tokio::select! {
        biased;
        served = serving => Waited::Served(served),
        signal = told(signals) => {
            tracing::warn!(%signal, "told again to end: not waiting any longer");
            Waited::Told
        }
        () = tokio::time::sleep(time) => Waited::Enough,
    }
}

#[cfg(test)]
mod tests;
