//! How many file descriptors the process may open, and how many of them connections may take.
//!
//! Half of them are for the connections of listeners; the other half is for all else: operators and probes, files, and
//! connections of the process's own. So callers that hold on to connections never keep operators out.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// How many connections the listeners of a process want. Cheap to clone; all clones are one.
#[derive(Clone, Debug, Default)]
pub struct Descriptors(Arc<AtomicU64>);

/// What one listener wants, for as long as it is kept.
#[derive(Debug)]
pub struct Claim {
    wanted: usize,
    descriptors: Descriptors,
}

impl Descriptors {
    /// Says that a listener wants to have so many connections at once.
    #[must_use = "the claim goes when this is dropped"]
    pub fn claim(&self, wanted: usize) -> Claim {
        self.0.fetch_add(wanted as u64, Ordering::Relaxed);
        Claim { wanted, descriptors: self.clone() }
    }

    /// How many connections all listeners want together.
    fn all(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Claim {
    /// How many it wants.
    pub fn wanted(&self) -> usize {
        self.wanted
    }

    /// How many it may have now: what it wants, or its part of what there is where all together want more.
    pub fn granted(&self) -> usize {
        granted(self.wanted, self.descriptors.all(), limit())
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.descriptors.0.fetch_sub(self.wanted as u64, Ordering::Relaxed);
    }
}

fn granted(wanted: usize, all: u64, limit: Option<u64>) -> usize {
    let Some(half) = limit.map(|limit| limit / 2).filter(|half| *half < all) else { return wanted };
    let part = u128::from(half) * wanted as u128 / u128::from(all);
    usize::try_from(part).unwrap_or(wanted).max(1)
}

/// How many file descriptors the process may open; `None` if as many as it likes.
pub fn limit() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// Lets the process open as many as it is allowed to let itself. The lower limit that it begins with is for programs
/// that use `select`, which knows no higher ones.
pub fn raise_limit() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        // Where the system does not let it, the limit stays what it is.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
}

/// Whether there are none left.
pub fn are_used_up(error: &io::Error) -> bool {
    matches!(rustix::io::Errno::from_io_error(error), Some(rustix::io::Errno::MFILE | rustix::io::Errno::NFILE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_take_no_more_than_half_of_the_descriptors() {
        assert_eq!(granted(512, 512, Some(1024)), 512);
        assert_eq!(granted(10_000, 10_000, Some(1024)), 512);
        assert_eq!(granted(10_000, 10_000, None), 10_000);
        assert_eq!(granted(10_000, 10_000, Some(1)), 1);
    }

    #[test]
    fn listeners_that_want_more_than_there_is_get_parts_of_it() {
        let of = |wanted| granted(wanted, 1000, Some(1000));
        assert_eq!((of(600), of(300), of(100)), (300, 150, 50));
    }

    #[test]
    fn a_listener_that_is_gone_wants_nothing() {
        let descriptors = Descriptors::default();
        let (one, other) = (descriptors.claim(3), descriptors.claim(4));
        assert_eq!((descriptors.all(), one.wanted()), (7, 3));
        drop(one);
        assert_eq!((descriptors.all(), other.granted()), (4, 4));
    }
}
