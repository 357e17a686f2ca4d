//! Gathers what waits in a queue and sends it together.

use std::future::{Future, pending};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;

use super::courier::Courier;
use crate::background::Ending;
use crate::conf::Interval;

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

/// Sends what waits.
pub(super) struct Batches {
    pub(super) courier: Courier,
    pub(super) interval: Interval,
}

impl Batches {
    /// Sends until the process ends, and then what is left.
    pub(super) async fn run(self, mut source: impl Source, mut ending: Ending) {
        loop {
            tokio::select! {
                biased;
                () = ending.told() => break,
                () = source.gather(self.interval.0) => {}
            }
            match source.take() {
                Some(written) => _ = self.courier.deliver(written, &mut ending).await,
                // Somebody has a place there, and has not written yet.
                None => tokio::task::yield_now().await,
            }
        }
        source.close();
        while let Some(written) = source.take() {
            if !self.courier.deliver(written, &mut ending).await {
                return;
            }
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
