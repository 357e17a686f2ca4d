//! Gathers what waits in a queue and sends it together.

use std::future::pending;

use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;

use super::courier::Courier;
use crate::background::Ending;
use crate::conf::Interval;

/// Sends what waits in a queue, as messages that `encode` writes.
pub(super) struct Batches<E> {
    courier: Courier,
    most: usize,
    interval: Interval,
    encode: E,
}

impl<E> Batches<E> {
    pub(super) fn new(courier: Courier, most: usize, interval: Interval, encode: E) -> Self {
        Self { courier, most, interval, encode }
    }

    /// Sends until the process ends, and then what is left.
    pub(super) async fn run<T>(self, mut queue: Receiver<T>, mut ending: Ending)
    where
        E: Fn(&[T]) -> Vec<u8>,
    {
        let mut batch = Vec::new();
        loop {
            tokio::select! {
                biased;
                () = ending.told() => break,
                () = self.gather(&mut queue, &mut batch) => {}
            }
            self.send(&mut batch, &mut ending).await;
        }
        queue.close();
        while !batch.is_empty() || queue.recv_many(&mut batch, self.most).await > 0 {
            if !self.send(&mut batch, &mut ending).await {
                return;
            }
        }
    }

    /// Waits for the first, and then for as many as are sent at once or as long as they may wait. Nothing is lost if it is
    /// dropped.
    async fn gather<T>(&self, queue: &mut Receiver<T>, batch: &mut Vec<T>) {
        if batch.is_empty() && queue.recv_many(batch, self.most).await == 0 {
            // Nobody can queue anything any more.
            return pending().await;
        }
        let fill =
            async { while batch.len() < self.most && queue.recv_many(batch, self.most - batch.len()).await > 0 {} };
        // Either way it is sent now.
        let _ = timeout(self.interval.0, fill).await;
    }

    async fn send<T>(&self, batch: &mut Vec<T>, ending: &mut Ending) -> bool
    where
        E: Fn(&[T]) -> Vec<u8>,
    {
        let (message, items) = ((self.encode)(batch), batch.len());
        batch.clear();
        self.courier.deliver(message, items, ending).await
    }
}
