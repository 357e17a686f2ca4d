//! Gathers what waits in a queue and sends it together.

use std::future::{Future, pending};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;

use super::courier::{Courier, Delivery};
use super::specs::Loss;
use crate::background::Ending;
use crate::conf::Interval;
use crate::metrics::Counter;

/// Where things wait that are sent together.
pub(super) trait Source {
    /// Waits for the first, and then for as many as are sent at once or as long as it may wait for them. Nothing is lost if
    /// that is dropped.
    fn gather(&mut self, longest: Duration) -> impl Future<Output = ()> + Send;

    /// What is sent next, if anything waits.
    fn take(&mut self) -> Option<Written>;

    /// Lets nothing more in: what waits can still be taken.
    fn close(&mut self);
}

/// Things that are sent together.
pub(super) struct Written {
    pub(super) message: Bytes,
    pub(super) items: usize,
}

/// Sends what waits. When it is dropped, whether it came to its end or was cut off, it says how much was not sent.
pub(super) struct Batches<S: Source> {
    pub(super) source: S,
    pub(super) courier: Courier,
    /// How much was taken to be sent.
    pub(super) taken: Counter,
    /// How much is being sent.
    pub(super) under_way: usize,
    /// How much was given up because the process ends, and counted.
    pub(super) given_up: usize,
}

impl<S: Source> Batches<S> {
    /// Sends until the process ends, and then what is left.
    pub(super) async fn run(mut self, interval: Interval, mut ending: Ending) {
        loop {
            tokio::select! {
                biased;
                () = ending.told() => break,
                () = self.source.gather(interval.0) => {}
            }
            match self.source.take() {
                Some(written) => self.deliver(written, &mut ending).await,
                // Somebody has a place there, and has not written yet.
                None => tokio::task::yield_now().await,
            }
        }
        self.source.close();
        while self.given_up == 0
            && let Some(written) = self.source.take()
        {
            self.deliver(written, &mut ending).await;
        }
    }

    async fn deliver(&mut self, written: Written, ending: &mut Ending) {
        let items = written.items;
        self.taken.add(items as u64);
        self.under_way = items;
        if self.courier.deliver(written, ending).await == Delivery::Ended {
            self.given_up += items;
        }
        self.under_way = 0;
    }
}

impl<S: Source> Drop for Batches<S> {
    fn drop(&mut self) {
        self.source.close();
        let left: usize = std::iter::from_fn(|| self.source.take()).map(|written| written.items).sum();
        let uncounted = left + self.under_way;
        if uncounted > 0 {
            self.taken.add(left as u64);
            self.courier.tally.lost(uncounted as u64, Loss::Unavailable);
        }
        let lost = uncounted + self.given_up;
        if lost > 0 {
            let signal = self.courier.signal;
            tracing::warn!(?signal, lost, "the process ends before the collector took all that waited");
        }
    }
}

/// Things that wait one by one, and are written by `encode` when they are sent.
pub(super) struct Queued<T, E> {
    queue: Receiver<T>,
    batch: Vec<T>,
    most: usize,
    encode: E,
}

impl<T, E> Queued<T, E> {
    pub(super) fn new(queue: Receiver<T>, most: usize, encode: E) -> Self {
        Self { queue, batch: Vec::new(), most, encode }
    }

    async fn fill(&mut self) {
        loop {
            let room = self.most - self.batch.len();
            if room == 0 || self.queue.recv_many(&mut self.batch, room).await == 0 {
                return;
            }
        }
    }
}

impl<T: Send, E: Fn(&[T]) -> Vec<u8> + Send> Source for Queued<T, E> {
    async fn gather(&mut self, longest: Duration) {
        if self.batch.is_empty() && self.queue.recv_many(&mut self.batch, self.most).await == 0 {
            // Nobody can queue anything any more.
            return pending().await;
        }
        // Either way it is sent now.
        let _ = timeout(longest, self.fill()).await;
    }

    fn take(&mut self) -> Option<Written> {
        while self.batch.len() < self.most
            && let Ok(thing) = self.queue.try_recv()
        {
            self.batch.push(thing);
        }
        let items = self.batch.len();
        let message = (items > 0).then(|| (self.encode)(&self.batch).into())?;
        self.batch.clear();
        Some(Written { message, items })
    }

    fn close(&mut self) {
        self.queue.close();
    }
}
