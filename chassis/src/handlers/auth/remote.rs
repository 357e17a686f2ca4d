//! The keys that an issuer publishes: fetched before the service serves, again before they grow old, and at once when a
//! token names one that is not known.
//!
//! One task makes all fetches, so there is never more than one under way, whoever asks for it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use super::metric::Fetches;
use super::verifier::Verifier;
use crate::background::Ending;
use crate::clock::Clock;
use crate::conf::BuildError;
use crate::lock::locked;
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
        tokio::select! {
            biased;
            () = ending.told() => {}
            () = self.keep_fetching() => {}
            () = self.suspend_in_time() => {}
        }
    }

    async fn keep_fetching(&self) {
        loop {
            let due = locked(&self.plan).due(self.clock.now());
            tokio::select! {
                () = self.asked.notified() => {}
                () = tokio::time::sleep_until(due) => {}
            }
            // What came of it is in the plan.
            _ = self.fetch().await;
        }
    }

    /// Ends the trust in the keys when their issuer was away for too long. It is not looked for when a call comes:
    /// remembered tokens look at the standing of their key and at nothing else.
    async fn suspend_in_time(&self) {
        let mut rounds = self.rounds.subscribe();
        loop {
            let end = locked(&self.plan).end_of_trust();
            let over = async {
                match end {
                    Some(end) => tokio::time::sleep_until(end).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                _ = rounds.changed() => {}
                () = over, if self.verifier.is_ready() => {
                    self.verifier.suspend();
                    tracing::error!("the keys of the issuer are stale; tokens are refused until it answers again");
                }
            }
        }
    }

    /// How old the keys are; `None` as long as there are none.
    pub(super) fn age(&self) -> Option<Duration> {
        locked(&self.plan).age(self.clock.now())
    }

    /// What to wait for before a token that names an unknown key is refused; `None` where nothing would come of it.
    pub(super) fn ask(self: &Arc<Self>, key: String) -> Option<BoxFuture<'static, ()>> {
        if self.verifier.knows(&key) {
            return None;
        }
        let mut rounds = self.rounds.subscribe();
        let (answer, patience, came) = {
            let mut plan = locked(&self.plan);
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
            let mut plan = locked(&remote.plan);
            // A set that was under way already may be older than the key, and where none came nothing is known.
            if over && answer != Answer::UnderWay && plan.came() > came && !remote.verifier.knows(&key) {
                plan.remember(&key, remote.clock.now());
            }
        }))
    }

    async fn fetch(&self) -> Result<(), String> {
        let asked = locked(&self.plan).begin();
        let fetched = self.source.fetch().await;
        let was_ready = self.verifier.is_ready();
        let outcome = fetched.and_then(|published| {
            self.verifier.publish(&published.content)?;
            Ok(published.max_age)
        });
        locked(&self.plan).end(outcome.as_ref().ok().copied(), asked, self.clock.now(), self.random.next_f64());
        self.tell(outcome.as_ref().err(), was_ready);
        self.rounds.send_modify(|rounds| *rounds += 1);
        outcome.map(|_| ())
    }

    fn tell(&self, failed: Option<&String>, was_ready: bool) {
        let counter = if failed.is_some() { &self.fetches.failed } else { &self.fetches.fetched };
        counter.increment();
        match failed {
            Some(reason) if was_ready => {
                tracing::warn!(reason, "the keys of the issuer could not be fetched; those that are known stay");
            }
            Some(reason) => {
                tracing::warn!(
                    reason,
                    "the keys of the issuer could not be fetched; tokens are refused until they are"
                );
            }
            None if was_ready => {}
            None => tracing::info!("the keys of the issuer are there; tokens are accepted"),
        }
    }
}
