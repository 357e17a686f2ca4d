//! Delivers messages, again and again if need be, and counts what became of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::batches::Written;
use super::client::{Client, Outcome, Signal};
use super::specs::{Loss, Tally};
use crate::background::Ending;
use crate::random::Random;

/// How often a message is tried.
const ATTEMPTS: u32 = 6;

/// How long is waited before the second attempt; twice as long before each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest that a collector may ask to wait.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    /// The collector took it, or will not have it.
    Answered,
    /// It was tried often enough.
    GivenUp,
    /// It was tried as long as the process lived.
    Ended,
}

/// Delivers the messages of one signal.
pub(super) struct Courier {
    pub(super) client: Arc<Client>,
    pub(super) signal: Signal,
    pub(super) random: Random,
    pub(super) tally: Tally,
    /// Whether the last message was not taken: said once, not for each.
    pub(super) is_away: AtomicBool,
}

impl Courier {
    /// Tries once.
    pub(super) async fn once(&self, message: Vec<u8>, items: usize) {
        let outcome = self.client.send(self.signal, message.into()).await;
        self.conclude(&outcome, items as u64);
    }

    /// Tries until the message is taken, refused or has been tried often enough. When the process ends, what waits is
    /// tried once more.
    pub(super) async fn deliver(&self, written: Written, ending: &mut Ending) -> Delivery {
        let Written { message, items } = written;
        let mut is_last = false;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let outcome = self.client.send(self.signal, message.clone()).await;
            let Outcome::Later { after, why } = &outcome else {
                self.conclude(&outcome, items as u64);
                return Delivery::Answered;
            };
            self.tell(why);
            if is_last || attempt == ATTEMPTS {
                self.conclude(&outcome, items as u64);
                return if is_last { Delivery::Ended } else { Delivery::GivenUp };
            }
            let pause = after.unwrap_or_else(|| self.pause(attempt)).min(LONGEST_PAUSE);
            is_last = tokio::select! {
                biased;
                () = ending.told() => true,
                () = tokio::time::sleep(pause) => false,
            };
        }
    }

    /// Between half of it and all of it, so that not all processes come at once.
    fn pause(&self, attempt: u32) -> Duration {
        (FIRST_PAUSE * 2_u32.saturating_pow(attempt - 1)).mul_f64(0.5 + self.random.next_f64() / 2.0)
    }

    fn conclude(&self, outcome: &Outcome, items: u64) {
        match outcome {
            Outcome::Taken { rejected } => {
                let rejected = (*rejected).min(items);
                self.tally.sent(items - rejected);
                if rejected > 0 {
                    self.tally.lost(rejected, Loss::Rejected);
                }
                if self.is_away.swap(false, Ordering::Relaxed) {
                    tracing::info!(signal = ?self.signal, "the collector takes what is sent again");
                }
            }
            Outcome::Refused(why) => {
                self.tell(why);
                self.tally.lost(items, Loss::Rejected);
            }
            Outcome::Later { why, .. } => {
                self.tell(why);
                self.tally.lost(items, Loss::Unavailable);
            }
        }
    }

    fn tell(&self, why: &str) {
        if !self.is_away.swap(true, Ordering::Relaxed) {
            tracing::warn!(signal = ?self.signal, why, "the collector does not take what is sent");
        }
    }
}
