//! Bodies that wait for more bytes, and since when: what a slow body is recognised by.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// The bodies of one connection that wait. Arming a timer instead would cost most calls with a body 0.7 µs, because
/// a body is never there at the first poll.
#[derive(Default)]
pub(super) struct Waits {
    waiting: AtomicU32,
    places: Mutex<Vec<Place>>,
}

enum Place {
    Free,
    Waiting { since: u32, waker: Waker },
    Late,
}

impl Waits {
    /// Waits in a place, the one from before if there is one. Ready when it has been waiting for too long.
    pub(super) fn wait(&self, place: &mut Option<usize>, now: u32, cx: &Context<'_>) -> Poll<()> {
        let mut places = self.places();
        let at = *place.get_or_insert_with(|| {
            self.waiting.fetch_add(1, Ordering::Relaxed);
            free(&mut places)
        });
        match &mut places[at] {
            Place::Late => return Poll::Ready(()),
            Place::Waiting { waker, .. } => waker.clone_from(cx.waker()),
            free => *free = Place::Waiting { since: now, waker: cx.waker().clone() },
        }
        Poll::Pending
    }

    /// Waits no longer.
    pub(super) fn leave(&self, place: &mut Option<usize>) {
        if let Some(at) = place.take() {
            self.places()[at] = Place::Free;
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Wakes those that have waited for more than `limit` ticks.
    pub(super) fn look(&self, now: u32, limit: u32) {
        if self.waiting.load(Ordering::Relaxed) == 0 {
            return;
        }
        for place in self.places().iter_mut() {
            if matches!(place, Place::Waiting { since, .. } if now.wrapping_sub(*since) > limit)
                && let Place::Waiting { waker, .. } = std::mem::replace(place, Place::Late)
            {
                waker.wake();
            }
        }
    }

    fn places(&self) -> MutexGuard<'_, Vec<Place>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn free(places: &mut Vec<Place>) -> usize {
    places.iter().position(|place| matches!(place, Place::Free)).unwrap_or_else(|| {
        places.push(Place::Free);
        places.len() - 1
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_waited_too_long_is_late_and_places_are_used_again() {
        let (waits, cx) = (Waits::default(), Context::from_waker(Waker::noop()));
        let (mut first, mut second) = (None, None);
        assert!(waits.wait(&mut first, 1, &cx).is_pending());
        assert!(waits.wait(&mut second, 3, &cx).is_pending());
        waits.look(4, 2);
        assert!(waits.wait(&mut first, 4, &cx).is_ready());
        assert!(waits.wait(&mut second, 4, &cx).is_pending());
        waits.leave(&mut first);
        let mut third = None;
        assert!(waits.wait(&mut third, 5, &cx).is_pending());
        assert_eq!(third, Some(0));
    }

    #[test]
    fn polling_again_does_not_start_the_wait_again() {
        let (waits, cx) = (Waits::default(), Context::from_waker(Waker::noop()));
        let mut place = None;
        assert!(waits.wait(&mut place, 1, &cx).is_pending());
        assert!(waits.wait(&mut place, 3, &cx).is_pending());
        waits.look(4, 2);
        assert!(waits.wait(&mut place, 4, &cx).is_ready());
    }
}
