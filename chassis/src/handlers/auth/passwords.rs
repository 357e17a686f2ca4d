//! Knows users by their passwords (RFC 7617). Checking one is slow on purpose, so it is done beside the calls, a few at
//! a time, and what was right is remembered for a while.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use tokio::sync::{Semaphore, SemaphorePermit, TryAcquireError};

use super::conf::Basic;
use super::refusal::Refusal;
use super::roster;
use crate::clock::Instant;
use crate::conf::{BuildContext, BuildError};
use crate::memory::Reserved;
use crate::metrics::Counter;
use crate::principal::Principal;
use crate::schema::BoxFuture;

mod crowd;
mod hash;
mod pair;
#[cfg(test)]
mod tests;

use crowd::Crowd;
use hash::Hash;
use pair::Pair;

/// The users, and how their passwords are checked.
pub(super) struct Passwords(Arc<Known>);

struct Known {
    users: HashMap<String, User>,
    /// Those whose hashes stand in for the ones of users that do not exist.
    names: Vec<String>,
    hasher: RandomState,
    /// Of this process: what is remembered is of no use to anybody else.
    secret: hmac::Key,
    remember: Duration,
    /// How many passwords are checked at once, and how many callers wait for their turn.
    turns: Semaphore,
    queue: Semaphore,
    crowd: Crowd,
    verified: Counter,
    _reserved: Reserved,
}

struct User {
    principal: Principal,
    hash: Arc<Hash>,
    /// The password that was right last.
    right: ArcSwapOption<Right>,
}

struct Right {
    digest: hmac::Tag,
    until: Instant,
}

/// What is known of a password without checking it.
pub(super) enum Checked {
    Now(Result<Principal, Refusal>),
    Later(BoxFuture<'static, Result<Principal, Refusal>>),
}

impl Passwords {
    pub(super) fn build(conf: &Basic, context: &BuildContext<'_>, verified: Counter) -> Result<Self, BuildError> {
        let content = context.files.read(&conf.file).map_err(|error| error.below("file"))?;
        let users = users(&content).map_err(|error| error.below("file"))?;
        let dearest = users.values().map(|user| user.hash.memory()).max().unwrap_or_default();
        let mut names: Vec<_> = users.keys().cloned().collect();
        names.sort();
        let secret: [u8; 32] = aws_lc_rs::rand::generate(&aws_lc_rs::rand::SystemRandom::new())
            .map_err(|_| BuildError::new("", "the operating system gives no random numbers"))?
            .expose();
        Ok(Self(Arc::new(Known {
            users,
            names,
            hasher: RandomState::new(),
            secret: hmac::Key::new(hmac::HMAC_SHA256, &secret),
            remember: conf.remember.duration(),
            turns: Semaphore::new(conf.at_once),
            queue: Semaphore::new(conf.at_once + conf.queue),
            crowd: Crowd::default(),
            verified,
            _reserved: context.process.memory.reserve("auth", conf.at_once * dearest),
        })))
    }

    /// Whose password this is.
    pub(super) fn check(&self, sent: &[u8], now: Instant) -> Checked {
        let Some(pair) = Pair::decode(sent) else { return Checked::Now(Err(Refusal::Garbled)) };
        if let Some(principal) = self.0.remembered(&pair, now) {
            return Checked::Now(Ok(principal));
        }
        let known = Arc::clone(&self.0);
        Checked::Later(Box::pin(async move { known.checked(pair, now).await }))
    }
}

fn users(content: &[u8]) -> Result<HashMap<String, User>, BuildError> {
    let mut users = HashMap::new();
    for line in roster::lines(content)? {
        let hash = Hash::parse(line.proof).map_err(|(message, help)| line.wrong(&message, help))?;
        let user = User { principal: line.principal("basic"), hash: Arc::new(hash), right: ArcSwapOption::empty() };
        if users.insert(line.name.to_owned(), user).is_some() {
            return Err(line.wrong("has a user that another line has", "keep one line for each user"));
        }
    }
    Ok(users)
}

impl Known {
    fn remembered(&self, pair: &Pair, now: Instant) -> Option<Principal> {
        let user = self.users.get(pair.user())?;
        let right = user.right.load();
        let right = right.as_ref().filter(|right| now < right.until)?;
        let digest = hmac::sign(&self.secret, pair.whole());
        verify_slices_are_equal(right.digest.as_ref(), digest.as_ref()).ok()?;
        Some(user.principal.clone())
    }

    async fn checked(self: Arc<Self>, pair: Pair, now: Instant) -> Result<Principal, Refusal> {
        let _place = self.place(now)?;
        let digest = hmac::sign(&self.secret, pair.whole());
        let user = self.users.get(pair.user());
        let hash = Arc::clone(&user.or_else(|| self.stand_in(pair.user())).ok_or(Refusal::Password)?.hash);
        let known = Arc::clone(&self);
        let Ok(turn) = self.turns.acquire().await else { return Err(Refusal::Busy) };
        // Whoever leaves does not end the check: its turn lasts as long as it does, or many would run after all.
        turn.forget();
        let task = tokio::task::spawn_blocking(move || {
            let _turn = Turn(&known.turns);
            hash.fits(pair.password())
        });
        // Both at once, so that nothing tells a wrong user from a wrong password.
        match (task.await, user) {
            (Ok(true), Some(user)) => {
                self.verified.increment();
                user.right.store(Some(Arc::new(Right { digest, until: now + self.remember })));
                Ok(user.principal.clone())
            }
            _ => Err(Refusal::Password),
        }
    }

    /// A place in the queue.
    fn place(&self, now: Instant) -> Result<SemaphorePermit<'_>, Refusal> {
        let place = self.queue.try_acquire();
        self.crowd.tell(place.is_err(), now);
        place.map_err(|error| match error {
            TryAcquireError::NoPermits | TryAcquireError::Closed => Refusal::Busy,
        })
    }

    /// A user whose password is checked in place of one that does not exist: always the same one for a name, so that
    /// it takes as long as if it did.
    fn stand_in(&self, name: &str) -> Option<&User> {
        let at = self.hasher.hash_one(name) % self.names.len().max(1) as u64;
        self.users.get(self.names.get(at as usize)?)
    }
}

/// Gives the turn back, also when checking panics.
struct Turn<'a>(&'a Semaphore);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.add_permits(1);
    }
}
