//! Spans on their way to whoever sends them: each is written once, where it ends, behind those that ended before it.
//!
//! What is sent together lies together, so that sending it takes no copy of a span. Threads write into lanes of their own
//! and meet at one number only, which bounds how many wait.

use std::collections::VecDeque;
use std::future::Future;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

use crate::lane::lane;
use crate::lock::locked;
use crate::metrics::Counter;

#[cfg(test)]
mod tests;

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
    /// Which lane comes first when they are gathered.
    turn: AtomicUsize,
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
            turn: AtomicUsize::new(0),
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
        if before >= self.sizes.queue || !self.write(lane(), write) {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return self.dropped.increment();
        }
        // The first one begins the time that it waits for others; more than a batch is waited for by nobody.
        if before == 0 || before + 1 == self.sizes.batch {
            self.news.notify_one();
        }
    }

    /// Writes a span, unless nothing more is taken.
    fn write(&self, lane: usize, write: impl FnOnce(&mut Vec<u8>)) -> bool {
        let mut batch = locked(&self.lanes[lane % LANES].0);
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
        // Another one comes first each time, so that none waits for ever because the first leave it no room.
        let first = self.turn.fetch_add(1, Ordering::Relaxed) % LANES;
        for lane in self.lanes.iter().cycle().skip(first).take(LANES) {
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
