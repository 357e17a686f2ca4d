//! Where the states of keys are kept: one cell when all calls count together, a table otherwise.

use std::sync::atomic::{AtomicU64, Ordering};

use super::key::{Key, Keys};
use super::policy::Conf;
use super::table::{Table, Update, change};
use crate::clock::Instant;
use crate::invocation::{Invocation, Proxies};

/// The buckets of one limiter.
pub(super) struct Buckets {
    /// What TATs are counted from.
    epoch: Instant,
    kept: Kept,
}

enum Kept {
    One(AtomicU64),
    Many(Box<PerKey>),
}

struct PerKey {
    keys: Keys,
    table: Table,
}

impl Buckets {
    pub(super) fn new(conf: &Conf, epoch: Instant) -> Self {
        let keys = || {
            let proxies = Proxies(conf.trusted_proxies.clone());
            Keys::new(conf.key.clone(), proxies, (conf.ipv4_prefix, conf.ipv6_prefix))
        };
        let max = usize::try_from(conf.max_keys).unwrap_or(usize::MAX);
        let kept = match conf.key {
            Key::Global => Kept::One(AtomicU64::new(0)),
            _ => Kept::Many(Box::new(PerKey { keys: keys(), table: Table::new(max) })),
        };
        Self { epoch, kept }
    }

    /// The nanoseconds from the limiter's start to `instant`; 0 for a call that arrived before it.
    pub(super) fn since(&self, instant: Instant) -> u64 {
        u64::try_from(instant.saturating_duration_since(self.epoch).as_nanos()).unwrap_or(u64::MAX)
    }

    /// Lets `step` judge the TAT of the call's key and replace it.
    pub(super) fn update(&self, invocation: &Invocation, now: u64, step: impl Fn(u64) -> Option<u64>) -> Update {
        match &self.kept {
            Kept::One(cell) => change(cell, &step),
            Kept::Many(many) => many.table.update(many.keys.name(invocation), now, step),
        }
    }

    /// The TAT of the call's key.
    pub(super) fn peek(&self, invocation: &Invocation) -> u64 {
        match &self.kept {
            Kept::One(cell) => cell.load(Ordering::Relaxed),
            Kept::Many(many) => many.table.peek(many.keys.name(invocation)),
        }
    }

    pub(super) fn overflowed(&self) -> u64 {
        match &self.kept {
            Kept::One(_) => 0,
            Kept::Many(many) => many.table.overflowed(),
        }
    }

    /// The most bytes of memory they can ever hold.
    pub(super) fn memory_bound(&self) -> usize {
        match &self.kept {
            Kept::One(_) => size_of::<Self>(),
            Kept::Many(many) => size_of::<Self>() + size_of::<PerKey>() + many.table.memory_bound(),
        }
    }
}
