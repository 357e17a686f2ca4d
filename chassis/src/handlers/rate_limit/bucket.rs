//! Where the states of keys are kept: one cell when all calls count together, a table otherwise.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::name::{Keys, Name};
use super::table::{Seat, Table, Update, change};
use crate::invocation::Invocation;
use crate::lock::locked;

/// One bucket.
#[derive(Default)]
pub(super) struct Cell {
    tat: AtomicU64,
    taking: Mutex<()>,
}

/// The buckets of one policy.
pub(super) enum Buckets {
    /// All calls count together.
    One(Box<Cell>),
    /// Each key counts by itself.
    Many(Box<PerKey>),
}

/// A bucket for each key.
pub(super) struct PerKey {
    pub(super) keys: Keys,
    pub(super) table: Table,
}

/// Where one call is counted.
pub(super) enum Place<'a> {
    /// In this bucket.
    Cell(&'a Cell),
    /// In the bucket of this key.
    Key(&'a Table, Name),
}

impl Buckets {
    /// Where this call is counted.
    #[inline]
    pub(super) fn place(&self, invocation: &Invocation) -> Place<'_> {
        match self {
            Self::One(cell) => Place::Cell(cell),
            Self::Many(many) => Place::Key(&many.table, many.keys.name(invocation)),
        }
    }

    /// The most bytes of memory they can ever hold.
    pub(super) fn memory_bound(&self) -> usize {
        match self {
            Self::One(_) => size_of::<Cell>(),
            Self::Many(many) => size_of::<PerKey>() + many.table.memory_bound(),
        }
    }
}

impl<'a> Place<'a> {
    /// Lets `step` judge the TAT and replace it, without a lock.
    pub(super) fn update(&self, now: u64, step: impl Fn(u64) -> Option<u64>) -> Update {
        match self {
            Self::Cell(cell) => change(&cell.tat, &step),
            Self::Key(table, name) => table.update(*name, now, step),
        }
    }

    /// The TAT; 0 for a key that is not there.
    pub(super) fn peek(&self) -> u64 {
        match self {
            Self::Cell(cell) => cell.tat.load(Ordering::Relaxed),
            Self::Key(table, name) => table.peek(*name),
        }
    }

    /// The place, held: see [`Table::seat`].
    pub(super) fn seat(&self, now: u64) -> Seat<'a> {
        match self {
            Self::Cell(cell) => Seat::held(&cell.tat, [Some(locked(&cell.taking)), None]),
            Self::Key(table, name) => table.seat(*name, now),
        }
    }
}
