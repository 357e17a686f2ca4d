//! Bodies that wait for more bytes, and since when: what a slow body is recognised by.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};

use crate::lock::locked;

/// The bodies of one connection that wait. Arming a timer instead would cost most calls with a body 0.7 µs, because
/// a body is never there at the first poll.
#[derive(Default)]
pub(super) struct Waits {
    waiting: AtomicU32,
    places: Mutex<Places>,
}

#[derive(Default)]
struct Places {
    list: Vec<Place>,
    /// Who wants to know when none waits any longer.
    watcher: Option<Waker>,
}

enum Place {
    Free,
    Waiting { since: u32, waker: Waker },
    Late,
}

impl Waits {
    /// Waits in a place, the one from before if there is one. Ready when it has been waiting for too long.
    pub(super) fn wait(&self, place: &mut Option<usize>, now: u32, cx: &Context<'_>) -> Poll<()> {
        let mut places = locked(&self.places);
        let at = *place.get_or_insert_with(|| {
            self.waiting.fetch_add(1, Ordering::Relaxed);
            free(&mut places.list)
        });
        match &mut places.list[at] {
            Place::Late => return Poll::Ready(()),
            Place::Waiting { waker, .. } => waker.clone_from(cx.waker()),
            free => *free = Place::Waiting { since: now, waker: cx.waker().clone() },
        }
        Poll::Pending
    }

    /// Waits no longer. Who watches is woken, unless that is the task in which this happens.
    pub(super) fn leave(&self, place: &mut Option<usize>, here: Option<&Context<'_>>) {
        let Some(at) = place.take() else { return };
        let mut places = locked(&self.places);
        places.list[at] = Place::Free;
        if self.waiting.fetch_sub(1, Ordering::Relaxed) > 1 {
            return;
        }
        let watcher = places.watcher.take();
        drop(places);
        if let Some(watcher) = watcher.filter(|watcher| !here.is_some_and(|here| here.waker().will_wake(watcher))) {
            watcher.wake();
        }
    }

    /// Whether one waits. If so, the task is woken when none does any longer.
    pub(super) fn watch(&self, cx: &Context<'_>) -> bool {
        if self.waiting.load(Ordering::Relaxed) == 0 {
            return false;
        }
        let mut places = locked(&self.places);
        let is_waiting = self.waiting.load(Ordering::Relaxed) > 0;
        places.watcher = is_waiting.then(|| cx.waker().clone());
        is_waiting
    }

    /// Wakes those that have waited for more than `limit` ticks.
    pub(super) fn look(&self, now: u32, limit: u32) {
        if self.waiting.load(Ordering::Relaxed) == 0 {
            return;
        }
        for place in &mut locked(&self.places).list {
            if matches!(place, Place::Waiting { since, .. } if now.wrapping_sub(*since) > limit)
                && let Place::Waiting { waker, .. } = std::mem::replace(place, Place::Late)
            {
                waker.wake();
            }
        }
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
    use std::sync::Arc;
    use std::task::Wake;

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
        waits.leave(&mut first, None);
        let mut third = None;
        assert!(waits.wait(&mut third, 5, &cx).is_pending());
        assert_eq!(third, Some(0));
    }

    #[test]
    fn who_watches_is_woken_when_the_last_leaves_unless_it_is_there() {
        let (waits, woken) = (Waits::default(), Arc::new(Woken::default()));
        let waker = Waker::from(Arc::clone(&woken));
        let (watching, elsewhere) = (Context::from_waker(&waker), Context::from_waker(Waker::noop()));
        assert!(!waits.watch(&watching));
        for (here, times) in [(Some(&elsewhere), 1), (Some(&watching), 1), (None, 2)] {
            let (mut first, mut second) = (None, None);
            assert!(waits.wait(&mut first, 1, &elsewhere).is_pending());
            assert!(waits.wait(&mut second, 1, &elsewhere).is_pending());
            assert!(waits.watch(&watching));
            waits.leave(&mut first, None);
            assert!(waits.watch(&watching));
            waits.leave(&mut second, here);
            assert_eq!((woken.0.load(Ordering::Relaxed), waits.watch(&watching)), (times, false));
        }
    }

    #[derive(Default)]
    struct Woken(AtomicU32);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
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
