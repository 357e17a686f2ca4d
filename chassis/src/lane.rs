//! The number of a thread: what many write to has a place for each, so that they do not wait for each other.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The number of this thread: the first that asks is 0, the next 1. Only where it writes may depend on it, never what.
pub(crate) fn lane() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static LANE: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    LANE.with(|lane| {
        if lane.get() == usize::MAX {
            lane.set(NEXT.fetch_add(1, Ordering::Relaxed) & (usize::MAX >> 1));
        }
        lane.get()
    })
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_thread_keeps_its_number_and_shares_it_with_no_other() {
        let twice = || (lane(), lane());
        let (here, there) = (twice(), thread::spawn(twice).join().unwrap());
        assert_eq!((here.0, there.0), (here.1, there.1));
        assert_ne!(here.0, there.0);
    }
}
