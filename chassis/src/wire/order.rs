//! What a connection is told to do by the task that watches over it.

use std::sync::atomic::{AtomicU8, Ordering};
use std::task::Waker;

use futures_util::task::AtomicWaker;

/// Leave with the next call: its reply asks the peer to close (RFC 9112 §9.6), or says GOAWAY (RFC 9113 §6.8).
pub(super) const RETIRE: u8 = 1;
/// Leave as soon as no call is in flight.
pub(super) const CLOSE: u8 = 2;
/// The head of the request is late.
pub(super) const LATE: u8 = 4;
/// Stop at once.
pub(super) const CUT: u8 = 8;

/// Answer calls that wait with 503, and leave: the process ends.
pub(super) const END: u8 = 16;

/// Orders that were given and not taken back.
#[derive(Debug, Default)]
pub(super) struct Orders {
    given: AtomicU8,
    waker: AtomicWaker,
}

impl Orders {
    pub(super) fn new(given: u8) -> Self {
        Self { given: AtomicU8::new(given), waker: AtomicWaker::new() }
    }

    pub(super) fn give(&self, order: u8) {
        if self.given.fetch_or(order, Ordering::Release) & order != order {
            self.waker.wake();
        }
    }

    pub(super) fn take_back(&self, order: u8) {
        self.given.fetch_and(!order, Ordering::Relaxed);
    }

    pub(super) fn given(&self) -> u8 {
        self.given.load(Ordering::Acquire)
    }

    pub(super) fn watch(&self, waker: &Waker) {
        self.waker.register(waker);
    }
}
