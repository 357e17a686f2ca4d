//! The only source of randomness; passed to whatever needs it.

use std::cell::Cell;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Makes random numbers for identifiers, jitter and sampling; not for keys or tokens.
#[derive(Clone, Debug)]
pub struct Random(Source);

#[derive(Clone, Debug)]
enum Source {
    /// Each thread has numbers of its own: threads that share them wait for each other.
    Threads,
    Seeded(Arc<AtomicU64>),
}

thread_local! {
    static STATE: Cell<u64> = Cell::new(RandomState::new().build_hasher().finish());
}

impl Default for Random {
    fn default() -> Self {
        Self::system()
    }
}

impl Random {
    /// Seeded by the operating system.
    pub fn system() -> Self {
        Self(Source::Threads)
    }

    /// The same numbers for the same seed.
    pub fn seeded(seed: u64) -> Self {
        Self(Source::Seeded(Arc::new(AtomicU64::new(seed))))
    }

    /// The next 64 random bits.
    pub fn next_u64(&self) -> u64 {
        let [bits] = self.next_u64s();
        bits
    }

    /// Several times 64 random bits, at the price of one.
    #[inline]
    pub fn next_u64s<const N: usize>(&self) -> [u64; N] {
        let steps = STEP.wrapping_mul(N as u64);
        let mut state = match &self.0 {
            Source::Threads => STATE.replace(STATE.get().wrapping_add(steps)),
            Source::Seeded(state) => state.fetch_add(steps, Ordering::Relaxed),
        };
        std::array::from_fn(|_| {
            state = state.wrapping_add(STEP);
            mixed(state)
        })
    }

    /// A whole number of seconds up to this time: what to add to a `Retry-After`, which has no parts of seconds.
    pub fn seconds_up_to(&self, most: Duration) -> Duration {
        Duration::from_secs((self.next_f64() * (most.as_secs() + 1) as f64) as u64)
    }

    /// A number from 0 up to 1, without 1.
    pub fn next_f64(&self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Both halves of the product: a hash of two words, one of which is secret.
pub(crate) fn folded(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product >> 64) as u64 ^ product as u64
}

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// The output function of SplitMix64.
fn mixed(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn no_thread_makes_the_numbers_of_another() {
        let random = Random::system();
        let theirs = random.clone();
        let [a, b]: [[u64; 100]; 2] = [random.next_u64s(), thread::spawn(move || theirs.next_u64s()).join().unwrap()];
        let mut all: Vec<_> = a.into_iter().chain(b).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 200);
    }

    #[test]
    fn several_at_once_are_those_one_by_one() {
        let (one, many) = (Random::seeded(7), Random::seeded(7));
        assert_eq!(many.next_u64s(), [one.next_u64(), one.next_u64(), one.next_u64()]);
        assert_eq!(many.next_u64(), one.next_u64());
    }
}
