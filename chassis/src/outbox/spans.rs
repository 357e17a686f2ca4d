//! Spans on their way to whoever sends them: each is written once, where it ends, behind those that ended before it.
//!
//! What is sent together lies together, so that sending it takes no copy of a span. Threads write into lanes of their own
//! and meet at one number only, which bounds how many wait.

use std::cell::Cell;
use std::collections::VecDeque;
use std::future::Future;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

use crate::metrics::Counter;

/// How many threads write without meeting.
const LANES: usize = 8;

/// Takes spans that are over to whoever sends them. Cheap to clone; all clones are one.
#[derive(Clone, Default)]
pub struct Spans(Arc<OnceLock<Arc<Queue>>>);

/// How many spans wait, and how they are sent.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// How many wait at most; further ones are dropped.
    pub queue: usize,
    /// How many are sent at once.
    pub batch: usize,
    /// The bytes that are left free in front of the first one of a batch, for what is said of all.
    pub front: usize,
}

/// Spans that are sent at once, one behind the other, each behind its length.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// What is free in front, and then the spans.
    pub bytes: Vec<u8>,
    /// How many they are.
    pub spans: usize,
}

struct Queue {
    sizes: Sizes,
    waiting: AtomicUsize,
    lanes: [Lane; LANES],
    /// Batches that are complete, the oldest first.
    complete: Mutex<VecDeque<Batch>>,
    news: Notify,
    is_closed: AtomicBool,
    dropped: Counter,
}

/// What a thread writes to, on cache lines of its own.
#[derive(Default)]
#[repr(align(128))]
struct Lane(Mutex<Batch>);

impl Spans {
    /// Whether anybody sends.
    #[inline]
    pub fn is_wanted(&self) -> bool {
        self.0.get().is_some()
    }

    /// Has a span written, if there is room; else it is counted as dropped, and not written.
    pub fn offer(&self, write: impl FnOnce(&mut Vec<u8>)) {
        if let Some(queue) = self.0.get() {
            queue.offer(write);
        }
    }

    /// Begins to queue spans, and counts those for which there is no room. `None` if somebody sends already.
    pub fn open(&self, sizes: Sizes, dropped: Counter) -> Option<Waiting> {
        let queue = Arc::new(Queue {
            sizes: Sizes { queue: sizes.queue.max(1), batch: sizes.batch.max(1), ..sizes },
            waiting: AtomicUsize::new(0),
            lanes: Default::default(),
            complete: Mutex::default(),
            news: Notify::new(),
            is_closed: AtomicBool::new(false),
            dropped,
        });
        self.0.set(Arc::clone(&queue)).is_ok().then_some(Waiting(queue))
    }
}

impl Queue {
    fn offer(&self, write: impl FnOnce(&mut Vec<u8>)) {
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        if before >= self.sizes.queue || !self.write(write) {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return self.dropped.increment();
        }
        // The first one begins the time that it waits for others; more than a batch is waited for by nobody.
        if before == 0 || before + 1 == self.sizes.batch {
            self.news.notify_one();
        }
    }

    /// Writes a span, unless nothing more is taken.
    fn write(&self, write: impl FnOnce(&mut Vec<u8>)) -> bool {
        let mut batch = locked(&self.lanes[lane() % LANES].0);
        // Behind the lock: what is written before the lane is looked at for the last time is taken, and nothing else is.
        if self.is_closed.load(Ordering::Relaxed) {
            return false;
        }
        if batch.bytes.is_empty() {
            batch.bytes.resize(self.sizes.front, 0);
        }
        write(&mut batch.bytes);
        batch.spans += 1;
        if batch.spans == self.sizes.batch {
            // The next one will be as long.
            let next = Vec::with_capacity(batch.bytes.len());
            let complete = mem::replace(&mut *batch, Batch { bytes: next, spans: 0 });
            locked(&self.complete).push_back(complete);
        }
        true
    }

    /// What is sent next, if anything waits: a whole batch, or what there is of several lanes.
    fn take(&self) -> Option<Batch> {
        // One may have become complete while the lanes were looked at.
        let batch = self.completed().or_else(|| self.gathered()).or_else(|| self.completed())?;
        self.waiting.fetch_sub(batch.spans, Ordering::Relaxed);
        Some(batch)
    }

    fn completed(&self) -> Option<Batch> {
        locked(&self.complete).pop_front()
    }

    fn gathered(&self) -> Option<Batch> {
        let mut all = Batch::default();
        for lane in &self.lanes {
            let mut batch = locked(&lane.0);
            if all.spans == 0 {
                all = mem::take(&mut *batch);
            } else if all.spans + batch.spans <= self.sizes.batch {
                let more = mem::take(&mut *batch);
                all.bytes.extend(more.bytes.iter().skip(self.sizes.front));
                all.spans += more.spans;
            }
        }
        (all.spans > 0).then_some(all)
    }

    async fn more_than(&self, spans: usize) {
        while self.waiting.load(Ordering::Relaxed) <= spans {
            self.news.notified().await;
        }
    }
}

/// The end of the queue that whoever sends holds. When it is dropped, nobody sends any more.
pub struct Waiting(Arc<Queue>);

impl Waiting {
    /// Waits for the first span, and then for as many as are sent at once or as long as it may wait for them. Nothing is
    /// lost if that is dropped.
    pub fn gather(&self, longest: Duration) -> impl Future<Output = ()> + Send {
        let queue = &self.0;
        async move {
            queue.more_than(0).await;
            // Either way they are sent now.
            let _ = timeout(longest, queue.more_than(queue.sizes.batch - 1)).await;
        }
    }

    /// What is sent next, if anything waits.
    pub fn take(&self) -> Option<Batch> {
        self.0.take()
    }

    /// Takes no more spans: what waits can still be taken.
    pub fn close(&self) {
        self.0.is_closed.store(true, Ordering::Relaxed);
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.close();
    }
}

/// Nothing panics while it holds a lock that would leave half of something.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The number of this thread: the first that writes is 0, the next 1.
fn lane() -> usize {
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
    use crate::clock::Clock;
    use crate::metrics::{Kind, Labels, Metrics, Spec, Unit};

    static DROPPED: Spec = Spec { name: "dropped", help: "", unit: Unit::Count("span"), kind: Kind::Counter };

    fn opened(queue: usize, batch: usize) -> (Spans, Waiting, Counter) {
        let (spans, dropped) = (Spans::default(), Metrics::default().counter(&DROPPED, Labels::new()));
        let waiting = spans.open(Sizes { queue, batch, front: 2 }, dropped.clone()).unwrap();
        (spans, waiting, dropped)
    }

    fn taken(waiting: &Waiting) -> Option<(Vec<u8>, usize)> {
        waiting.take().map(|batch| (batch.bytes, batch.spans))
    }

    #[test]
    fn what_finds_no_room_is_counted_and_not_written() {
        let idle = Spans::default();
        idle.offer(|_| panic!("nobody sends"));
        assert!(!idle.is_wanted());
        let (spans, waiting, dropped) = opened(2, 8);
        assert!(spans.is_wanted() && spans.open(waiting.0.sizes, dropped.clone()).is_none());
        spans.offer(|bytes| bytes.push(b'a'));
        spans.offer(|bytes| bytes.push(b'b'));
        spans.offer(|_| panic!("there is no room"));
        assert_eq!((taken(&waiting), dropped.count()), (Some((b"\0\0ab".to_vec(), 2)), 1));
        spans.offer(|bytes| bytes.push(b'c'));
        waiting.close();
        spans.offer(|_| panic!("nothing more is taken"));
        assert_eq!((taken(&waiting), taken(&waiting)), (Some((b"\0\0c".to_vec(), 1)), None));
        drop(waiting);
        spans.offer(|_| panic!("whoever sent is gone"));
        assert_eq!(dropped.count(), 3);
    }

    #[test]
    fn no_batch_is_larger_than_asked_for() {
        let (spans, waiting, _) = opened(100, 2);
        b"abcde".iter().for_each(|byte| spans.offer(|bytes| bytes.push(*byte)));
        let batches: Vec<_> = std::iter::from_fn(|| taken(&waiting)).collect();
        assert_eq!(batches, [(b"\0\0ab".to_vec(), 2), (b"\0\0cd".to_vec(), 2), (b"\0\0e".to_vec(), 1)]);
    }

    #[test]
    fn what_several_threads_wrote_is_sent_together_if_it_fits() {
        let (spans, waiting, dropped) = opened(1000, 10);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..25).for_each(|_| spans.offer(|bytes| bytes.push(b'x'))));
            }
        });
        let sizes: Vec<_> = std::iter::from_fn(|| taken(&waiting)).map(|(bytes, spans)| (bytes.len(), spans)).collect();
        assert!(sizes.iter().all(|(bytes, spans)| *bytes == spans + 2 && *spans <= 10), "{sizes:?}");
        assert_eq!((sizes.iter().map(|(_, spans)| spans).sum::<usize>(), dropped.count()), (100, 0));
    }

    #[test]
    fn every_span_is_taken_or_counted_whoever_closes_meanwhile() {
        for _ in 0..500 {
            let (spans, waiting, dropped) = opened(1000, 1);
            let offer = || (0..50).for_each(|_| spans.offer(|bytes| bytes.push(b'x')));
            let taken = thread::scope(|scope| {
                (0..2).for_each(|_| _ = scope.spawn(offer));
                let first = std::iter::repeat_with(|| waiting.take()).flatten().next();
                waiting.close();
                first.into_iter().chain(std::iter::from_fn(|| waiting.take())).count()
            });
            assert_eq!((waiting.take(), taken as u64 + dropped.count()), (None, 100));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_waits_for_nothing_and_less_for_its_time() {
        let (spans, waiting, _) = opened(100, 2);
        let hour = Duration::from_secs(3600);
        assert!(timeout(hour, waiting.gather(Duration::ZERO)).await.is_err(), "there is nothing to send");
        let begun = Clock::system().now();
        spans.offer(|bytes| bytes.push(b'a'));
        waiting.gather(hour).await;
        assert_eq!(begun.elapsed(), hour);
        spans.offer(|bytes| bytes.push(b'b'));
        waiting.gather(hour).await;
        assert_eq!(begun.elapsed(), hour);
    }
}
