//! The life of the process: it starts, is ready, drains and stops, and ends with a code that says how.

use std::sync::Arc;

use tokio::sync::watch;

mod arrival;
mod departure;
mod exit;
mod patience;
mod signals;

pub use arrival::Arrival;
pub use departure::Departure;
pub use exit::Exit;
pub use signals::{Signal, Signals};

/// How far the process is. It only ever moves down this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Components and listeners are being started.
    Starting,
    /// Calls are answered.
    Ready,
    /// Calls are still answered, and nobody should send new ones here.
    Draining,
    /// No calls are answered any more; components are being stopped.
    Stopping,
}

/// How far the process is, for whoever asks. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Lifecycle(Arc<watch::Sender<Stage>>);

impl Lifecycle {
    /// A process that is starting.
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Stage::Starting)))
    }

    /// How far the process is.
    pub fn stage(&self) -> Stage {
        *self.0.borrow()
    }

    /// Sees every later stage.
    pub fn watch(&self) -> watch::Receiver<Stage> {
        self.0.subscribe()
    }

    /// Waits until a stage is over.
    pub async fn left(&self, stage: Stage) {
        // It ends early only if nobody can move on any more, which is so when `self` is gone.
        let _ = self.watch().wait_for(|current| *current > stage).await;
    }

    /// Moves on to a stage; a stage that is over does not come back.
    pub fn enter(&self, stage: Stage) {
        self.0.send_if_modified(|current| {
            let moves = stage > *current;
            if moves {
                *current = stage;
            }
            moves
        });
    }
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_that_is_over_does_not_come_back() {
        let lifecycle = Lifecycle::new();
        lifecycle.enter(Stage::Draining);
        lifecycle.enter(Stage::Ready);
        assert_eq!(lifecycle.stage(), Stage::Draining);
    }
}
