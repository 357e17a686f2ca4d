//! Remembers verified tokens, because verifying one costs as much as all the rest of a small call.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwapOption;

use super::conf;
use super::keys::Standing;
use super::verifier::Verified;
use super::weight;
use crate::clock::Instant;
use crate::lane::lane;
use crate::principal::{Handle, Principal};
use crate::random::folded;

/// How many tokens share a set, and how many threads clone a principal without meeting.
const WAYS: usize = 8;
const LANES: usize = 8;

/// What a token takes in memory beside its end and its principal: the entry, and a handle for each lane.
const EACH: usize = size_of::<Handle<Remembered>>() + size_of::<Others>() + LANES * 64;

/// How much of a token, from its start, stands in the entry itself: all of most that are signed with HMAC.
const START: usize = 448;

/// The tag of a place that stays empty, in a set that has fewer. No token has an even tag.
const CLOSED: u64 = 2;

/// How much of a token, from its end, decides where it is kept: part of its signature, which differs from all others.
const TAIL: usize = 32;

/// Verified tokens, in sets that a keyed hash chooses. It belongs to one set of keys and goes with it.
///
/// Reading takes no lock and allocates nothing. Each token has two sets it may stand in and takes a free place in
/// either; there are never more places than configured. A hash only chooses the place: what is found is the token
/// itself, compared whole.
pub(super) struct Cache {
    /// Made when the first token is kept.
    sets: OnceLock<Box<[Set]>>,
    max: usize,
    max_age: Duration,
    /// How many bytes all of them may take, and take.
    room: usize,
    taken: AtomicUsize,
    /// Of this process, so that nobody knows which tokens share a set.
    secret: [u64; TAIL / 8],
    /// Which of the places is given up next when all are taken.
    turn: AtomicUsize,
}

/// Places that are looked through together. The tags fill one cache line, the places the one that processors fetch with it.
#[repr(align(128))]
struct Set {
    /// The hash of the token in the place beside; 0 where there was none. A reader may see one of them before the
    /// other: the comparison of the whole token settles it.
    tags: [AtomicU64; WAYS],
    places: [ArcSwapOption<Handle<Remembered>>; WAYS],
}

/// What a call looks at comes first, and together: where many callers take turns, nothing costs it more than memory that
/// is in no cache, and a part of the entry that lay elsewhere would be waited for once more.
#[repr(C)]
struct Remembered {
    until: Instant,
    /// Of the key that signed it.
    standing: Standing,
    length: usize,
    /// The lane that counts on the entry itself.
    lane: usize,
    start: [u8; START],
    end: Box<[u8]>,
    /// How many bytes it takes.
    weight: usize,
    others: OnceLock<Box<Others>>,
}

/// The same caller once more for each lane that asked, so that threads do not count on the same cache line.
type Others = [OnceLock<Principal>; LANES];

impl Cache {
    pub(super) fn new(conf: &conf::Cache) -> Self {
        Self {
            sets: OnceLock::new(),
            max: conf.max,
            max_age: conf.max_age.duration(),
            room: conf.memory.length(),
            taken: AtomicUsize::new(0),
            secret: std::array::from_fn(|_| RandomState::new().build_hasher().finish()),
            turn: AtomicUsize::new(0),
        }
    }

    /// Whom this token names, if it was kept and is still good.
    pub(super) fn find(&self, token: impl AsRef<[u8]>, now: Instant) -> Option<Principal> {
        let (token, tag) = (token.as_ref(), self.tag(token.as_ref()));
        self.homes(tag)?.into_iter().find_map(|set| set.find(tag, token, now))
    }

    /// Keeps a verified token that is accepted for so long.
    pub(super) fn keep(&self, token: &str, proved: (&Verified, Standing), now: Instant, rest: Duration) {
        if self.max == 0 {
            return;
        }
        self.sets.get_or_init(|| sets(self.max));
        let tag = self.tag(token.as_bytes());
        let Some(homes) = self.homes(tag) else { return };
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let (set, way) = place(homes, tag, now).unwrap_or_else(|| homes[turn % homes.len()].next(turn / homes.len()));
        let (verified, standing) = proved;
        let weight = EACH + token.len().saturating_sub(START) + weight::of(verified.principal.identity());
        let remembered = Remembered::new(token.as_bytes(), now + rest.min(self.max_age), standing, weight);
        let kept = Handle::new(&verified.principal, remembered);
        if let Some(kept) = self.fitting(kept, set, way) {
            set.tags[way].store(tag, Ordering::Relaxed);
            self.exchange(set, way, Some(kept));
        }
    }

    /// What is kept, if there is room: what has the place gives way, and where that is not enough nothing is kept.
    fn fitting(&self, kept: Handle<Remembered>, set: &Set, way: usize) -> Option<Handle<Remembered>> {
        let weight = kept.kept.weight;
        if self.taken.load(Ordering::Relaxed) + weight > self.room {
            self.exchange(set, way, None);
        }
        (self.taken.load(Ordering::Relaxed) + weight <= self.room).then_some(kept)
    }

    fn exchange(&self, set: &Set, way: usize, kept: Option<Handle<Remembered>>) {
        self.taken.fetch_add(kept.as_ref().map_or(0, |kept| kept.kept.weight), Ordering::Relaxed);
        let old = set.places[way].swap(kept.map(Into::into));
        self.taken.fetch_sub(old.map_or(0, |old| old.kept.weight), Ordering::Relaxed);
    }

    /// The most bytes it can take, those of its empty places included.
    pub(super) fn memory_bound(&self) -> usize {
        if self.max == 0 { 0 } else { self.room + self.max.div_ceil(WAYS) * size_of::<Set>() }
    }

    /// A hash of the end of the token. Two multiplications do: nobody can put into the cache what no trusted key
    /// signed, and a signature is as good as random.
    fn tag(&self, token: &[u8]) -> u64 {
        let tail = token.last_chunk().copied().unwrap_or_else(|| padded(token));
        let (words, _) = tail.as_chunks();
        let word = |at: usize| u64::from_le_bytes(words[at]) ^ self.secret[at];
        // Never 0, which marks a place that was never taken.
        folded(word(0), word(1)) ^ folded(word(2), word(3)) | 1
    }

    /// The two sets a token may stand in; `None` as long as nothing was kept.
    fn homes(&self, tag: u64) -> Option<[&Set; 2]> {
        let sets = self.sets.get()?;
        let home = |hash: u64| sets.get(((u128::from(hash) * sets.len() as u128) >> 64) as usize);
        Some([home(tag)?, home(tag.wrapping_mul(0x9e37_79b9_7f4a_7c15))?])
    }
}

/// The end of a token that is shorter than any that is signed.
#[cold]
fn padded(token: &[u8]) -> [u8; TAIL] {
    let mut tail = [0; TAIL];
    tail.iter_mut().zip(token).for_each(|(to, byte)| *to = *byte);
    tail
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

    fn find(&self, tag: u64, token: &[u8], now: Instant) -> Option<Principal> {
        let way = self.way(tag)?;
        let place = self.places[way].load();
        let found = place.as_ref().filter(|found| found.kept.is(token) && found.kept.is_good(now))?;
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
    fn new(token: &[u8], until: Instant, standing: Standing, weight: usize) -> Self {
        let (beginning, end) = token.split_at(token.len().min(START));
        let mut start = [0; START];
        start[..beginning.len()].copy_from_slice(beginning);
        let (length, lane) = (token.len(), own_lane());
        Self { until, standing, length, lane, start, end: end.into(), weight, others: OnceLock::new() }
    }

    fn is(&self, token: &[u8]) -> bool {
        self.length == token.len()
            && match self.start.get(..token.len()) {
                Some(whole) => *whole == *token,
                None => self.start == token[..START] && *self.end == token[START..],
            }
    }

    fn is_good(&self, now: Instant) -> bool {
        now < self.until && self.standing.is_trusted()
    }
}

/// Threads are numbered one after the other, so that a few of them never share a lane.
fn own_lane() -> usize {
    lane() % LANES
}

fn principal(found: &Arc<Handle<Remembered>>) -> Principal {
    let lane = own_lane();
    if lane == found.kept.lane {
        return Arc::clone(found).into();
    }
    let others = found.kept.others.get_or_init(Box::default);
    others[lane].get_or_init(|| Handle::apart(found)).clone()
}

#[cfg(test)]
mod tests;
