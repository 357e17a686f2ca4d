//! The states of all keys: a table of fixed size that is read and changed without locks.
//!
//! It is built like the cache of a processor. A name selects two sets of eight slots, and the key may live in any of
//! them, so no call ever looks at more than sixteen slots, and nothing is ever moved, swept or rehashed. A slot whose
//! TAT has passed is as good as empty ([`Gcra`](super::Gcra)), so taking it for a new key loses nothing. Only making
//! a key takes a lock.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

use super::name::Name;
use crate::lock::locked;
use crate::metrics::Counter;

mod seat;

pub(super) use seat::Seat;

/// How many slots a set has.
const WAYS: usize = 8;
/// Up to this many keys stand in one set of exactly that size.
const ONE_SET: usize = 64;
/// How many buckets the keys share that found no slot.
const SHARED: usize = 16;
/// The TAT of a slot without a key.
const EMPTY: u64 = 0;
/// The name of a slot without a key.
const NOBODY: Name = Name { place: 0, exact: [0, 0] };
/// The TAT of a slot whose name is being written.
const CLAIMED: u64 = u64::MAX;
/// How often a change is tried without the lock when others change the same slot at the same time.
const TRIES: usize = 16;

/// The TAT of each key, for at most `max` keys.
pub(super) struct Table {
    shards: Box<[Shard]>,
    /// The size of a set, and how many a shard has.
    ways: usize,
    sets: usize,
    /// How many slots are not empty, over all shards; never more than `max`.
    used: AtomicUsize,
    max: usize,
    shared: [AtomicU64; SHARED],
    /// Taken, after that of the shard, by whoever holds a shared bucket.
    sharing: Mutex<()>,
    /// How many calls were judged by a shared bucket: here, and by all policies of this name.
    overflowed: AtomicU64,
    counter: Counter,
}

#[derive(Default)]
struct Shard {
    /// Made when the first of its keys comes, so that an idle limiter holds next to no memory.
    slots: OnceLock<Box<[Slot]>>,
    making: Mutex<()>,
}

/// One key. Whoever owns the slot, a TAT never comes back: it changes hands only when its TAT has passed, and the new
/// one lies ahead. So a successful compare-and-swap of the TAT proves that the name did not change either. Only
/// [`EMPTY`] comes back, and leaving it takes the lock.
#[derive(Default)]
struct Slot {
    tat: AtomicU64,
    name: [AtomicU64; 2],
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Update {
    /// The TAT that was judged.
    pub(super) before: u64,
    /// Whether it was changed.
    pub(super) changed: bool,
}

impl Table {
    /// A table for at most `max` keys. What is judged by a shared bucket is counted.
    pub(super) fn new(max: usize, counter: Counter) -> Self {
        let shards = (max / 1024).clamp(1, 64).next_power_of_two();
        // A quarter more slots than keys: with two sets to choose from, a key practically always finds room.
        let (ways, sets) = if max <= ONE_SET { (max, 1) } else { (WAYS, (max + max / 4).div_ceil(shards * WAYS)) };
        Self {
            shards: (0..shards).map(|_| Shard::default()).collect(),
            ways,
            sets,
            used: AtomicUsize::new(0),
            max,
            shared: Default::default(),
            sharing: Mutex::default(),
            overflowed: AtomicU64::new(0),
            counter,
        }
    }

    /// Lets `step` judge the TAT of a key and replace it. `step` may be called again when another thread was faster,
    /// and must have no effects; it sees 0 for a key that is not there.
    pub(super) fn update(&self, name: Name, now: u64, step: impl Fn(u64) -> Option<u64>) -> Update {
        let shard = self.shard(name);
        match self.try_update(shard, name, &step) {
            Some(update) => update,
            None => self.make(shard, name, now, &step),
        }
    }

    /// The TAT of a key; 0 if it has no slot.
    pub(super) fn peek(&self, name: Name) -> u64 {
        self.try_update(self.shard(name), name, &|_| None).map_or(0, |update| update.before)
    }

    /// The place of a key, held: for calls that are counted here only if they are counted elsewhere too. A table whose
    /// keys are counted this way is never changed by [`update`](Self::update), which does not wait for who holds a
    /// place.
    pub(super) fn seat(&self, name: Name, now: u64) -> Seat<'_> {
        let shard = self.shard(name);
        let making = locked(&shard.making);
        let slots = shard.slots.get_or_init(|| self.empty_slots());
        if let Some(slot) = self.find(slots, name) {
            return Seat::held(&slot.tat, [Some(making), None]);
        }
        match self.claim(slots, name, now) {
            Some(slot) => Seat::fresh(slot, name, &self.used, making),
            None => {
                let sharing = locked(&self.sharing);
                Seat::held(self.overflow(name), [Some(making), Some(sharing)])
            }
        }
    }

    /// The most bytes of memory it can ever hold.
    pub(super) fn memory_bound(&self) -> usize {
        let slots = self.shards.len() * self.sets * self.ways;
        size_of::<Self>() + self.shards.len() * size_of::<Shard>() + slots * size_of::<Slot>()
    }

    fn shard(&self, name: Name) -> &Shard {
        &self.shards[name.spread(2, self.shards.len())]
    }

    fn empty_slots(&self) -> Box<[Slot]> {
        (0..self.sets * self.ways).map(|_| Slot::default()).collect()
    }

    /// Changes a key that is there, without a lock.
    fn try_update(&self, shard: &Shard, name: Name, step: &impl Fn(u64) -> Option<u64>) -> Option<Update> {
        let slots = shard.slots.get()?;
        (0..TRIES).find_map(|_| self.find(slots, name)?.update(name, step))
    }

    /// Changes a key that may not be there. Names change under the lock only, so a key is made once.
    fn make(&self, shard: &Shard, name: Name, now: u64, step: &impl Fn(u64) -> Option<u64>) -> Update {
        let _making = locked(&shard.making);
        let slots = shard.slots.get_or_init(|| self.empty_slots());
        while let Some(slot) = self.find(slots, name) {
            if let Some(update) = slot.update(name, step) {
                return update;
            }
        }
        let Some(next) = step(0) else { return Update { before: 0, changed: false } };
        match self.claim(slots, name, now) {
            Some(slot) => {
                slot.own(name, next);
                Update { before: 0, changed: true }
            }
            None => change(self.overflow(name), step),
        }
    }

    #[inline]
    fn find<'a>(&self, slots: &'a [Slot], name: Name) -> Option<&'a Slot> {
        let [first, second] = self.homes(slots, name);
        first.iter().chain(second).find(|slot| slot.holds(name))
    }

    /// The two sets a key may live in; the second is empty where both are the same.
    fn homes<'a>(&self, slots: &'a [Slot], name: Name) -> [&'a [Slot]; 2] {
        let (first, second) = (name.spread(0, self.sets), name.spread(1, self.sets));
        let set = |at: usize| &slots[at * self.ways..(at + 1) * self.ways];
        [set(first), if first == second { &[] } else { set(second) }]
    }

    /// Takes a slot that nobody needs, in the emptier set of the two if it can.
    fn claim<'a>(&self, slots: &'a [Slot], name: Name, now: u64) -> Option<&'a Slot> {
        let [mut first, mut second] = self.homes(slots, name);
        let free = |set: &[Slot]| set.iter().filter(|slot| slot.tat.load(Ordering::Relaxed) <= now).count();
        if free(second) > free(first) {
            std::mem::swap(&mut first, &mut second);
        }
        let expired = first.iter().chain(second).find(|slot| slot.claim_expired(now));
        expired.or_else(|| {
            let empty = first.iter().chain(second).find(|slot| slot.tat.load(Ordering::Relaxed) == EMPTY)?;
            (self.reserve() || self.retire(slots, name, now)).then_some(empty)
        })
    }

    /// Counts one more slot in use, if that is allowed.
    fn reserve(&self) -> bool {
        let room = |used| (used < self.max).then_some(used + 1);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).is_ok()
    }

    /// Empties an expired slot elsewhere, so that an empty one can be used instead.
    fn retire(&self, slots: &[Slot], name: Name, now: u64) -> bool {
        let (before, behind) = slots.split_at(name.spread(3, slots.len()));
        let expired = behind.iter().chain(before).take(2 * WAYS).find(|slot| slot.claim_expired(now));
        expired.map(|slot| slot.own(NOBODY, EMPTY)).is_some()
    }

    /// The bucket that a key shares which found no slot.
    fn overflow(&self, name: Name) -> &AtomicU64 {
        self.counter.increment();
        let overflowed = self.overflowed.fetch_add(1, Ordering::Relaxed) + 1;
        if overflowed.is_power_of_two() {
            tracing::warn!(overflowed, max_keys = self.max, "rate-limit has more keys than buckets; some share one");
        }
        &self.shared[name.spread(3, SHARED)]
    }
}

impl Slot {
    fn holds(&self, name: Name) -> bool {
        self.name[0].load(Ordering::Acquire) == name.exact[0] && self.name[1].load(Ordering::Acquire) == name.exact[1]
    }

    /// Changes the TAT once; `None` when the slot changed meanwhile.
    fn update(&self, name: Name, step: &impl Fn(u64) -> Option<u64>) -> Option<Update> {
        let before = self.tat.load(Ordering::Acquire);
        // Read after the TAT: had the slot changed hands since then, the TAT would not be the same below.
        if before == EMPTY || before == CLAIMED || !self.holds(name) {
            return None;
        }
        let (next, changed) = step(before).map_or((before, false), |next| (next, true));
        let same = match changed {
            true => self.tat.compare_exchange(before, next, Ordering::AcqRel, Ordering::Relaxed).is_ok(),
            false => self.tat.load(Ordering::Relaxed) == before,
        };
        same.then_some(Update { before, changed })
    }

    /// Takes the slot from a key that needs it no more.
    fn claim_expired(&self, now: u64) -> bool {
        let tat = self.tat.load(Ordering::Relaxed);
        let expired = tat != EMPTY && tat <= now;
        expired && self.tat.compare_exchange(tat, CLAIMED, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Gives a slot that was claimed, or that is empty, to a key.
    fn own(&self, name: Name, tat: u64) {
        self.name[0].store(name.exact[0], Ordering::Release);
        self.name[1].store(name.exact[1], Ordering::Release);
        self.tat.store(tat, Ordering::Release);
    }
}

/// Changes a bucket that has no name.
pub(super) fn change(bucket: &AtomicU64, step: &impl Fn(u64) -> Option<u64>) -> Update {
    match bucket.fetch_update(Ordering::AcqRel, Ordering::Acquire, step) {
        Ok(before) => Update { before, changed: true },
        Err(before) => Update { before, changed: false },
    }
}

#[cfg(test)]
mod tests;
