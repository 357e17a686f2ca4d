//! When keys are fetched: a pure function of what came of earlier fetches and of the time.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use super::Times;
use crate::clock::Instant;

/// How long a set is kept, whatever its issuer says.
const SHORTEST: Duration = Duration::from_secs(5 * 60);
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// After a failure, and at most after the next ones.
const AGAIN: Duration = Duration::from_secs(5);
const AGAIN_AT_MOST: Duration = Duration::from_secs(60);

/// How many keys that the issuer does not have are remembered, and how long.
const MOST_UNKNOWN: usize = 128;
const UNKNOWN: Duration = Duration::from_secs(300);

/// What came of fetches so far, and when the next is due.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) times: Times,
    /// When the keys that are known were fetched.
    fetched: Option<Instant>,
    due: Option<Instant>,
    /// Since when the issuer cannot be reached: when the first fetch failed after the last that did not.
    away: Option<Instant>,
    failures: u32,
    /// How many fetches brought keys.
    came: u64,
    under_way: bool,
    /// Somebody asked for the fetch that is under way or about to begin.
    asked: bool,
    /// Until when nobody may ask.
    quiet: Option<Instant>,
    /// Names that the issuer does not know, the oldest first: as hashes, so that a name is never long.
    unknown: VecDeque<(u64, Instant)>,
    hasher: RandomState,
}

/// What becomes of a question for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Nothing: it is known to be unknown, or somebody asked a short time ago.
    No,
    /// A fetch is to begin.
    Fetch,
    /// One is about to begin: somebody asked before.
    Asked,
    /// One is under way already, and may end without what was published a moment ago.
    UnderWay,
}

impl Plan {
    pub(super) fn new(times: Times) -> Self {
        Self {
            times,
            fetched: None,
            due: None,
            away: None,
            failures: 0,
            came: 0,
            under_way: false,
            asked: false,
            quiet: None,
            unknown: VecDeque::new(),
            hasher: RandomState::new(),
        }
    }

    /// When the next fetch is due; at once if there was none.
    pub(super) fn due(&self, now: Instant) -> Instant {
        self.due.unwrap_or(now)
    }

    pub(super) fn age(&self, now: Instant) -> Option<Duration> {
        self.fetched.map(|fetched| now.saturating_duration_since(fetched))
    }

    /// How many fetches brought keys so far.
    pub(super) fn came(&self) -> u64 {
        self.came
    }

    /// When the keys that are known are good no longer; `None` as long as the issuer answers, and where there are none.
    pub(super) fn end_of_trust(&self) -> Option<Instant> {
        self.fetched.and(self.away).map(|since| since + self.times.stale)
    }

    /// Somebody holds a token that names an unknown key.
    pub(super) fn ask(&mut self, key: &str, now: Instant) -> Answer {
        let hash = self.hasher.hash_one(key);
        self.unknown.retain(|(_, until)| now < *until);
        if self.unknown.iter().any(|(unknown, _)| *unknown == hash) {
            return Answer::No;
        }
        if self.asked {
            return Answer::Asked;
        }
        if self.under_way {
            return Answer::UnderWay;
        }
        if self.quiet.is_some_and(|until| now < until) {
            return Answer::No;
        }
        self.asked = true;
        Answer::Fetch
    }

    /// The issuer does not have this key.
    pub(super) fn remember(&mut self, key: &str, now: Instant) {
        let hash = self.hasher.hash_one(key);
        if self.unknown.iter().any(|(unknown, _)| *unknown == hash) {
            return;
        }
        if self.unknown.len() >= MOST_UNKNOWN {
            self.unknown.pop_front();
        }
        self.unknown.push_back((hash, now + UNKNOWN));
    }

    /// A fetch begins. Whether somebody asked for it.
    pub(super) fn begin(&mut self) -> bool {
        self.under_way = true;
        std::mem::take(&mut self.asked)
    }

    /// It came to an end: with how long its issuer wants the keys to be kept, if they came. `chance` is from 0 to 1.
    pub(super) fn end(&mut self, came: Option<Option<Duration>>, asked: bool, now: Instant, chance: f64) {
        self.under_way = false;
        if asked || came.is_none() {
            self.quiet = Some(now + self.times.cool_down);
        }
        let wait = match came {
            Some(max_age) => {
                (self.fetched, self.away, self.failures, self.came) = (Some(now), None, 0, self.came + 1);
                // Ahead of the end, so that nobody waits; not all instances at once.
                max_age.unwrap_or(SHORTEST).clamp(SHORTEST, LONGEST).mul_f64(0.8 + 0.1 * chance)
            }
            None => {
                let wait = AGAIN.saturating_mul(1 << self.failures.min(8)).min(AGAIN_AT_MOST);
                self.failures += 1;
                self.away.get_or_insert(now);
                wait.mul_f64(0.5 + 0.5 * chance)
            }
        };
        self.due = Some(now + wait);
    }
}
