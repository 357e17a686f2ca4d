//! The keys that an issuer publishes: fetched before the service serves, again before they grow old, and at once when a
//! token names one that is not known.
//!
//! One task makes all fetches, so there is never more than one under way, whoever asks for it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use super::metric::Fetches;
use super::verifier::Verifier;
use crate::background::Ending;
use crate::clock::{Clock, Instant};
use crate::conf::BuildError;
use crate::random::Random;
use crate::schema::BoxFuture;

mod plan;
#[cfg(test)]
mod tests;
mod web;

pub(super) use web::{WHERE, Web};

use plan::{Answer, Plan};

/// Where keys are published.
pub(super) trait Source: Send + Sync + 'static {
    /// What is published now.
    fn fetch(&self) -> BoxFuture<'_, Result<Published, String>>;
}

/// A set of keys as its issuer published it.
pub(super) struct Published {
    pub(super) content: Vec<u8>,
    /// How long it may be kept, if its issuer says.
    pub(super) max_age: Option<Duration>,
}

/// Keeps the keys of a verifier those that its issuer publishes.
pub(super) struct Remote {
    source: Box<dyn Source>,
    verifier: Arc<Verifier>,
    plan: Mutex<Plan>,
    asked: Notify,
    /// How many fetches came to an end.
    rounds: watch::Sender<u64>,
    clock: Clock,
    random: Random,
    fetches: Fetches,
}

/// How long keys are kept when the cool-down does not matter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) cool_down: Duration,
    pub(super) stale: Duration,
    /// How long a call waits for a fetch, at most.
    pub(super) patience: Duration,
}

impl Remote {
    pub(super) fn new(
        source: Box<dyn Source>,
        verifier: Arc<Verifier>,
        times: Times,
        (clock, random, fetches): (Clock, Random, Fetches),
    ) -> Self {
        let (plan, rounds) = (Mutex::new(Plan::new(times)), watch::channel(0).0);
        Self { source, verifier, plan, asked: Notify::new(), rounds, clock, random, fetches }
    }

    /// The first fetch. Where it fails the service does not start.
    pub(super) async fn first(self: Arc<Self>) -> Result<(), BuildError> {
        self.fetch().await.map_err(|reason| {
            BuildError::new("jwt.keys", format!("the keys of the issuer are not to be had: {reason}")).with_help(
                "ask for them with curl from where the service runs; `at-start: try` starts without them, and refuses \
                 callers with 503 until they are there",
            )
        })
    }

    /// Fetches for as long as the process lives.
    pub(super) async fn run(self: Arc<Self>, mut ending: Ending) {
        loop {
            let due = self.plan().due(self.clock.now());
            tokio::select! {
                biased;
                () = ending.told() => return,
                () = self.asked.notified() => {}
                () = tokio::time::sleep_until(due) => {}
            }
            tokio::select! {
                biased;
                () = ending.told() => return,
                _ = self.fetch() => {}
            }
        }
    }

    /// Whether the keys are there and not too old.
    pub(super) fn is_ready(&self, now: Instant) -> bool {
        self.verifier.has_keys() && self.plan().is_fresh(now)
    }

    /// How old the keys are; `None` as long as there are none.
    pub(super) fn age(&self) -> Option<Duration> {
        self.plan().age(self.clock.now())
    }

    /// What to wait for before a token that names an unknown key is refused; `None` where nothing would come of it.
    pub(super) fn ask(self: &Arc<Self>, key: String) -> Option<BoxFuture<'static, ()>> {
        if self.verifier.knows(&key) {
            return None;
        }
        let mut rounds = self.rounds.subscribe();
        let (answer, patience, came) = {
            let mut plan = self.plan();
            (plan.ask(&key, self.clock.now()), plan.times.patience, plan.came())
        };
        match answer {
            Answer::No => return None,
            Answer::Fetch => self.asked.notify_one(),
            Answer::Asked | Answer::UnderWay => {}
        }
        let remote = Arc::clone(self);
        Some(Box::pin(async move {
            let over = tokio::time::timeout(patience, rounds.changed()).await.is_ok();
            let mut plan = remote.plan();
            // A set that was under way already may be older than the key, and where none came nothing is known.
            if over && answer != Answer::UnderWay && plan.came() > came && !remote.verifier.knows(&key) {
                plan.remember(&key, remote.clock.now());
            }
        }))
    }

    async fn fetch(&self) -> Result<(), String> {
        let asked = self.plan().begin();
        let fetched = self.source.fetch().await;
        let outcome = fetched.and_then(|published| {
            self.verifier.publish(&published.content)?;
            Ok(published.max_age)
        });
        self.plan().end(outcome.as_ref().ok().copied(), asked, self.clock.now(), self.random.next_f64());
        match &outcome {
            Ok(_) => self.fetches.fetched.increment(),
            Err(reason) => {
                self.fetches.failed.increment();
                tracing::warn!(reason, "the keys of the issuer could not be fetched; those that are known stay");
            }
        }
        self.rounds.send_modify(|rounds| *rounds += 1);
        outcome.map(|_| ())
    }

    fn plan(&self) -> std::sync::MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
