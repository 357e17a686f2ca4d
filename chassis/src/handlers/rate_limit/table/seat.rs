//! The place where a key is counted, held while several policies judge one call.

use std::sync::MutexGuard;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::{EMPTY, NOBODY, Name, Slot};

/// Where a key is counted. As long as it is held nobody else counts there; dropped, it leaves everything as it was.
pub(in super::super) struct Seat<'a> {
    tat: &'a AtomicU64,
    before: u64,
    fresh: Option<Fresh<'a>>,
    _held: [Option<MutexGuard<'a, ()>>; 2],
}

/// A slot that is the key's own as soon as something is counted.
struct Fresh<'a> {
    slot: &'a Slot,
    name: Name,
    used: &'a AtomicUsize,
}

impl<'a> Seat<'a> {
    /// Where something is counted already, or what has no name.
    pub(in super::super) fn held(tat: &'a AtomicU64, held: [Option<MutexGuard<'a, ()>>; 2]) -> Self {
        Self { tat, before: tat.load(Ordering::Acquire), fresh: None, _held: held }
    }

    /// A slot that was claimed and has no name yet.
    pub(super) fn fresh(slot: &'a Slot, name: Name, used: &'a AtomicUsize, held: MutexGuard<'a, ()>) -> Self {
        let fresh = Some(Fresh { slot, name, used });
        Self { tat: &slot.tat, before: EMPTY, fresh, _held: [Some(held), None] }
    }

    /// The TAT that stands; 0 for a key that is not there.
    pub(in super::super) fn before(&self) -> u64 {
        self.before
    }

    /// Counts: `next` is the TAT from now on.
    pub(in super::super) fn commit(mut self, next: u64) {
        match self.fresh.take() {
            Some(fresh) => fresh.slot.own(fresh.name, next),
            None => self.tat.store(next, Ordering::Release),
        }
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let Some(fresh) = self.fresh.take() else { return };
        // What was claimed had expired: it is as good as empty.
        fresh.slot.own(NOBODY, EMPTY);
        fresh.used.fetch_sub(1, Ordering::Relaxed);
    }
}
