//! Handles by operation and traits, found without a lock: each is made once and never moved.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::traits::Traits;
use crate::metrics::MOST_SERIES;
use crate::operation::Operation;

/// At most as many as a metric has series: further ones would share one anyway.
pub(super) struct Table<T> {
    slots: Box<[OnceLock<Box<Entry<T>>>]>,
    taken: AtomicUsize,
}

struct Entry<T> {
    // An operation that is mounted anew may have another template under the same id. Both are empty for calls that
    // match nothing.
    id: String,
    template: String,
    traits: Traits,
    // The operation that was found here last: it need not be compared again.
    last: AtomicU64,
    kept: T,
}

impl<T> Table<T> {
    /// More than half of the slots stay free, so that what is sought is near.
    const SLOTS: usize = (2 * MOST_SERIES).next_power_of_two();

    pub(super) fn new() -> Self {
        Self { slots: (0..Self::SLOTS).map(|_| OnceLock::new()).collect(), taken: AtomicUsize::new(0) }
    }

    /// What is kept for these, made if it is the first time; `None` if there is no room for more.
    pub(super) fn find(&self, operation: Option<&Operation>, traits: Traits, make: impl Fn() -> T) -> Option<&T> {
        let (id, template) = operation.map_or(("", ""), |operation| (&operation.id, &operation.template));
        let serial = operation.map_or(0, |operation| operation.own.serial.get());
        let first = hash(id, traits);
        for at in first..first + Self::SLOTS {
            let slot = &self.slots[at % Self::SLOTS];
            let entry = match slot.get() {
                Some(entry) => entry,
                None if self.taken.load(Ordering::Relaxed) >= MOST_SERIES => return None,
                // Another thread may be faster, with something else: then it is the next slot.
                None => slot.get_or_init(|| {
                    self.taken.fetch_add(1, Ordering::Relaxed);
                    let (id, template) = (id.to_owned(), template.to_owned());
                    Box::new(Entry { id, template, traits, last: AtomicU64::new(serial), kept: make() })
                }),
            };
            if entry.traits == traits && entry.is_of(serial, id, template) {
                return Some(&entry.kept);
            }
        }
        None
    }
}

impl<T> Entry<T> {
    #[inline]
    fn is_of(&self, serial: u64, id: &str, template: &str) -> bool {
        let is_last = self.last.load(Ordering::Relaxed) == serial;
        is_last
            || self.id == id && self.template == template && {
                self.last.store(serial, Ordering::Relaxed);
                true
            }
    }
}

/// Where to begin to look. Whoever writes operations chooses their ids, not who calls them.
fn hash(id: &str, traits: Traits) -> usize {
    let id = id.as_bytes();
    // Both ends tell nearly all ids of a service apart, and what they do not, a look at the next place does.
    let ends = match (id.first_chunk(), id.last_chunk()) {
        (Some(first), Some(last)) => [u64::from_le_bytes(*first), u64::from_le_bytes(*last)],
        _ => [id.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0],
    };
    let start = traits.number() ^ (id.len() as u64) << 32;
    let mix = |hash: u64, word: u64| (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    let mixed = ends.into_iter().fold(start, mix);
    (mixed >> 16) as usize % (1 << 32)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::invocation::fixture;

    fn operation(id: usize, template: &str) -> Operation {
        Operation::new("test", &id.to_string(), "GET", template)
    }

    #[test]
    fn what_is_made_once_is_found_again() {
        let (table, traits) = (Table::new(), Traits::of(&fixture::call(fixture::request("GET", "/"))));
        let head = Traits::of(&fixture::call(fixture::request("HEAD", "/")));
        let (one, other) = (operation(1, "/a"), operation(1, "/b"));
        assert_eq!(table.find(Some(&one), traits, || 1), Some(&1));
        assert_eq!(table.find(Some(&other), traits, || 2), Some(&2), "the template differs");
        assert_eq!(table.find(None, traits, || 3), Some(&3));
        assert_eq!(table.find(Some(&one), head, || 4), Some(&4));
        assert_eq!(table.find(Some(&one), traits, || 5), Some(&1));
        assert_eq!(table.find(Some(&one.clone()), traits, || 6), Some(&1), "mounted anew");
        assert_eq!(table.find(Some(&one), traits, || 7), Some(&1));
    }

    #[test]
    fn it_takes_no_more_than_its_bound_and_forgets_nothing() {
        let (table, traits) = (Table::new(), Traits::of(&fixture::call(fixture::request("GET", "/"))));
        let kept = (0..MOST_SERIES + 50).filter(|id| table.find(Some(&operation(*id, "/")), traits, || *id).is_some());
        assert_eq!(kept.count(), MOST_SERIES);
        assert_eq!(table.find(Some(&operation(7, "/")), traits, || 0), Some(&7));
    }

    #[test]
    fn threads_that_come_first_together_find_the_same() {
        let (table, traits) = (Table::new(), Traits::of(&fixture::call(fixture::request("GET", "/"))));
        let operations: Vec<_> = (0..500).map(|id| operation(id, "/")).collect();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for operation in &operations {
                        assert_eq!(table.find(Some(operation), traits, || operation.id.clone()), Some(&operation.id));
                    }
                });
            }
        });
        assert_eq!(table.taken.load(Ordering::Relaxed), 500);
    }
}
