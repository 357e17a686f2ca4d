//! Remembers verified tokens, because verifying one costs as much as all the rest of a small call.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use aws_lc_rs::error::Unspecified;

use super::conf;
use super::digest::{Digest, Digester};
use super::keys::Standing;
use super::verifier::Verified;
use super::weight;
use crate::clock::Instant;
use crate::lane::lane;
use crate::lock::locked;
use crate::principal::{Handle, Identity, Principal};

/// How many tokens share a set, and how many threads clone a principal without meeting.
const WAYS: usize = 8;
const LANES: usize = 8;

/// What a token takes in memory beside its end and its principal: the entry, and a handle for each lane.
const EACH: usize = size_of::<Handle<Remembered>>() + size_of::<Others>() + LANES * 64;

/// How many entries are made at once. Made one after the other they lie on few pages of memory; each beside the claims of
/// its caller, many callers that take turns would have a page each, and processors know the places of few pages.
const AT_ONCE: usize = 32;

/// The tag of a place that stays empty, in a set that has fewer. No token has an even tag.
const CLOSED: u64 = 2;

/// Verified tokens, in sets that their digests choose. It belongs to one set of keys and goes with it.
///
/// Reading takes no lock and allocates nothing; keeping takes one for a moment. Each token has two sets it may stand in and
/// takes a free place in either; there are never more places than configured. What is kept and compared is the whole digest
/// of a token, not the token: many callers that take turns need less memory to be near, and nobody finds a token in it.
pub(super) struct Cache {
    /// Made when the first token is kept.
    sets: OnceLock<Box<[Set]>>,
    max: usize,
    max_age: Duration,
    /// How many bytes all of them may take, and take.
    room: usize,
    taken: AtomicUsize,
    digester: Digester,
    /// Which of the places is given up next when all are taken.
    turn: AtomicUsize,
    /// Entries that are of no token yet.
    blank: Mutex<Vec<Arc<Handle<Remembered>>>>,
}

/// Places that are looked through together. The tags fill one cache line, the places the one that processors fetch with it.
#[repr(align(128))]
struct Set {
    /// A part of the digest in the place beside; 0 where there was none. A reader may see one of them before the
    /// other: the comparison of the whole digest settles it.
    tags: [AtomicU64; WAYS],
    places: [ArcSwapOption<Handle<Remembered>>; WAYS],
}

/// What a call looks at comes first, and together: where many callers take turns, nothing costs it more than memory that
/// is in no cache.
#[repr(C)]
struct Remembered {
    until: Instant,
    /// Of the key that signed it.
    standing: Standing,
    digest: Digest,
    /// The lane that counts on the entry itself.
    lane: u32,
    /// How many bytes it takes.
    weight: usize,
    others: OnceLock<Box<Others>>,
}

/// The same caller once more for each lane that asked, so that threads do not count on the same cache line.
type Others = [OnceLock<Principal>; LANES];

impl Cache {
    /// For tokens of at most so many bytes.
    pub(super) fn new(conf: &conf::Cache, longest: usize) -> Result<Self, Unspecified> {
        Ok(Self {
            digester: Digester::new(if conf.max == 0 { 0 } else { longest })?,
            sets: OnceLock::new(),
            max: conf.max,
            max_age: conf.max_age.duration(),
            room: conf.memory.length(),
            taken: AtomicUsize::new(0),
            turn: AtomicUsize::new(0),
            blank: Mutex::default(),
        })
    }

    /// Whom this token names, if it was kept and is still good.
    pub(super) fn find(&self, token: impl AsRef<[u8]>, now: Instant) -> Option<Principal> {
        let sets = self.sets.get()?;
        let digest = self.digester.of(token.as_ref())?;
        homes(sets, tag(&digest))?.into_iter().find_map(|set| set.find(&digest, now))
    }

    /// Keeps a verified token that is accepted for so long.
    pub(super) fn keep(&self, token: &str, proved: (&Verified, Standing), now: Instant, rest: Duration) {
        if self.max == 0 {
            return;
        }
        let Some(digest) = self.digester.of(token.as_bytes()) else { return };
        let tag = tag(&digest);
        let Some(homes) = homes(self.sets.get_or_init(|| sets(self.max)), tag) else { return };
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let (set, way) = place(homes, tag, now).unwrap_or_else(|| homes[turn % homes.len()].next(turn / homes.len()));
        let (verified, standing) = proved;
        let weight = EACH + weight::of(verified.principal.identity());
        let until = now + rest.min(self.max_age);
        let remembered = Remembered { until, standing, digest, lane: own_lane(), weight, others: OnceLock::new() };
        if self.make_room(weight, set, way) {
            let entry = self.entry(Handle::new(&verified.principal, remembered));
            set.tags[way].store(tag, Ordering::Relaxed);
            self.exchange(set, way, Some(entry));
        }
    }

    /// Whether there is room: what has the place gives way, and where that is not enough nothing is kept.
    fn make_room(&self, weight: usize, set: &Set, way: usize) -> bool {
        if self.taken.load(Ordering::Relaxed) + weight > self.room {
            self.exchange(set, way, None);
        }
        self.taken.load(Ordering::Relaxed) + weight <= self.room
    }

    /// An entry in the next place of those that lie together.
    fn entry(&self, handle: Handle<Remembered>) -> Arc<Handle<Remembered>> {
        if let Some(mut entry) = self.next_blank(&handle.kept)
            && let Some(place) = Arc::get_mut(&mut entry)
        {
            *place = handle;
            return entry;
        }
        Arc::new(handle)
    }

    /// There always is one, and nobody else has it.
    fn next_blank(&self, like: &Remembered) -> Option<Arc<Handle<Remembered>>> {
        let mut blank = locked(&self.blank);
        if blank.is_empty() {
            let nobody = Principal::new(Identity::default());
            blank.extend((0..AT_ONCE).map(|_| Arc::new(Handle::new(&nobody, like.blank()))));
        }
        blank.pop()
    }

    fn exchange(&self, set: &Set, way: usize, kept: Option<Arc<Handle<Remembered>>>) {
        self.taken.fetch_add(kept.as_ref().map_or(0, |kept| kept.kept.weight), Ordering::Relaxed);
        let old = set.places[way].swap(kept);
        self.taken.fetch_sub(old.map_or(0, |old| old.kept.weight), Ordering::Relaxed);
    }

    /// The most bytes it can take, those of its empty places included.
    pub(super) fn memory_bound(&self) -> usize {
        if self.max == 0 {
            return 0;
        }
        let blank = AT_ONCE * (EACH + size_of::<Identity>());
        self.room + self.max.div_ceil(WAYS) * size_of::<Set>() + self.digester.memory() + blank
    }
}

/// What is looked for in a set: never 0, which marks a place that was never taken.
fn tag(digest: &Digest) -> u64 {
    digest.number() | 1
}

/// The two sets a token may stand in.
fn homes(sets: &[Set], tag: u64) -> Option<[&Set; 2]> {
    let home = |hash: u64| sets.get(((u128::from(hash) * sets.len() as u128) >> 64) as usize);
    Some([home(tag)?, home(tag.wrapping_mul(0x9e37_79b9_7f4a_7c15))?])
}

/// Sets with so many places in all, as evenly as can be.
fn sets(places: usize) -> Box<[Set]> {
    let sets = places.div_ceil(WAYS);
    let until = |set: usize| (set as u128 * places as u128 / sets as u128) as usize;
    (0..sets).map(|set| Set::with(until(set + 1) - until(set))).collect()
}

impl Set {
    fn with(places: usize) -> Self {
        let tag = |way| AtomicU64::new(if way < places { 0 } else { CLOSED });
        Self { tags: std::array::from_fn(tag), places: Default::default() }
    }

    fn find(&self, digest: &Digest, now: Instant) -> Option<Principal> {
        let way = self.way(tag(digest))?;
        let place = self.places[way].load();
        let found = place.as_ref().filter(|found| found.kept.digest == *digest && found.kept.is_good(now))?;
        Some(principal(found))
    }

    fn way(&self, tag: u64) -> Option<usize> {
        self.tags.iter().position(|known| known.load(Ordering::Relaxed) == tag)
    }

    /// The place that is given up at this turn.
    fn next(&self, turn: usize) -> (&Self, usize) {
        (self, turn % self.way(CLOSED).unwrap_or(WAYS).max(1))
    }

    /// The places that are empty or whose token is no longer good.
    fn free(&self, now: Instant) -> impl Iterator<Item = usize> {
        let free = move |way: &usize| self.places[*way].load().as_ref().is_none_or(|found| !found.kept.is_good(now));
        (0..self.way(CLOSED).unwrap_or(WAYS)).filter(free)
    }
}

/// How many places of the set that is looked through first stay free for tokens that find none in the other.
const SPARE: usize = 4;

/// Where a token goes that is not there yet or no longer good: to the place it has, to its first set while that has room
/// to spare, so that most are found by one look into memory, and else to the emptier of its sets.
fn place(homes: [&Set; 2], tag: u64, now: Instant) -> Option<(&Set, usize)> {
    let own = homes.into_iter().find_map(|set| Some((set, set.way(tag)?)));
    own.or_else(|| {
        let [first, second] = homes;
        let free = first.free(now).count();
        let set = if free >= SPARE || free >= second.free(now).count() { first } else { second };
        Some((set, set.free(now).next()?))
    })
}

impl Remembered {
    /// What stands in an entry that is of no token yet, and is found by none.
    fn blank(&self) -> Self {
        let (standing, others) = (self.standing.clone(), OnceLock::new());
        Self { until: self.until, standing, digest: self.digest, lane: self.lane, weight: 0, others }
    }

    fn is_good(&self, now: Instant) -> bool {
        now < self.until && self.standing.is_trusted()
    }
}

/// Threads are numbered one after the other, so that a few of them never share a lane.
fn own_lane() -> u32 {
    (lane() % LANES) as u32
}

fn principal(found: &Arc<Handle<Remembered>>) -> Principal {
    let lane = own_lane();
    if lane == found.kept.lane {
        return Arc::clone(found).into();
    }
    let others = found.kept.others.get_or_init(Box::default);
    others[lane as usize].get_or_init(|| Handle::apart(found)).clone()
}

#[cfg(test)]
mod tests;
