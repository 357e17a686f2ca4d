//! The guest book: who was greeted, in memory.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use chassis::prelude::*;

/// Remembers visitors until the process ends.
#[component("guest-book")]
pub(crate) struct GuestBook {
    capacity: usize,
    guests: RwLock<BTreeMap<String, String>>,
}

/// How the guest book is kept.
#[conf]
pub(crate) struct GuestBookConf {
    /// How many visitors are remembered; further ones are turned away.
    #[conf(default = 1000, range(1..=1_000_000))]
    capacity: usize,
}

/// Why a visitor was not written down.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unwritten {
    /// It is there already.
    Known,
    /// The book is full.
    Full,
}

impl Start for GuestBook {
    type Conf = GuestBookConf;

    async fn start(conf: GuestBookConf, _: &mut Starting<'_>) -> Result<Self, BuildError> {
        Ok(Self { capacity: conf.capacity, guests: RwLock::default() })
    }
}

impl GuestBook {
    /// Writes a visitor down, together with who brought it.
    pub(crate) fn write(&self, name: &str, host: &str) -> Result<(), Unwritten> {
        let mut guests = self.guests_mut();
        if guests.contains_key(name) {
            return Err(Unwritten::Known);
        }
        if guests.len() >= self.capacity {
            return Err(Unwritten::Full);
        }
        guests.insert(name.to_owned(), host.to_owned());
        Ok(())
    }

    /// Strikes a visitor out; whether it was there.
    pub(crate) fn strike(&self, name: &str) -> bool {
        self.guests_mut().remove(name).is_some()
    }

    /// At most `limit` names that come after `after`, in order.
    pub(crate) fn names(&self, after: &str, limit: usize) -> Vec<String> {
        let guests = self.guests();
        guests.keys().filter(|name| name.as_str() > after).take(limit).cloned().collect()
    }

    // A panic while the lock is held leaves a whole map behind: every change is one call.
    fn guests(&self) -> RwLockReadGuard<'_, BTreeMap<String, String>> {
        self.guests.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn guests_mut(&self) -> RwLockWriteGuard<'_, BTreeMap<String, String>> {
        self.guests.write().unwrap_or_else(PoisonError::into_inner)
    }
}
