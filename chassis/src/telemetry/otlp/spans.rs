//! Spans as OTLP has them sent: what was written where they ended, behind what is said of all.

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use prost::Message;
use prost::encoding::{encode_varint, encoded_len_varint};

use super::batches::{Source, Written};
use super::{Sender, Sizes};
use crate::metrics::Counter;
use crate::outbox::{self, Spans, Waiting};

/// Spans that wait to be sent.
pub(super) struct Queued {
    waiting: Waiting,
    front: Front,
}

/// What stands in front of the spans of a message: `ExportTraceServiceRequest.resource_spans`, with a `ResourceSpans.resource`,
/// and in its `scope_spans` a `ScopeSpans.scope`.
struct Front {
    resource: Vec<u8>,
    scope: Vec<u8>,
}

/// The tags of the first and of the second field of a message, where those are messages.
const FIRST: u8 = 1 << 3 | 2;
const SECOND: u8 = 2 << 3 | 2;

/// The most that the lengths in front of a message take, and the tags before them.
const LENGTHS: usize = 2 * (1 + 10);

impl Queued {
    /// Opens the queue, unless somebody does.
    pub(super) fn open(spans: &Spans, sizes: Sizes, dropped: Counter, sender: &Sender) -> Option<Self> {
        let front = Front { resource: first(&sender.resource), scope: first(&sender.scope) };
        let sizes = outbox::Sizes { queue: sizes.queue, batch: sizes.batch, front: front.most() };
        spans.open(sizes, dropped).map(|waiting| Self { waiting, front })
    }
}

impl Source for Queued {
    fn gather(&mut self, longest: Duration) -> impl Future<Output = ()> + Send {
        self.waiting.gather(longest)
    }

    fn take(&mut self) -> Option<Written> {
        let batch = self.waiting.take()?;
        Some(Written { message: self.front.before(batch.bytes), items: batch.spans })
    }

    fn close(&mut self) {
        self.waiting.close();
    }
}

impl Front {
    fn most(&self) -> usize {
        LENGTHS + self.resource.len() + self.scope.len()
    }

    /// The message of spans that have room for this in front of them.
    fn before(&self, mut bytes: Vec<u8>) -> Bytes {
        let most = self.most();
        let scope_spans = self.scope.len() + bytes.len().saturating_sub(most);
        let resource_spans = self.resource.len() + 1 + encoded_len_varint(scope_spans as u64) + scope_spans;
        let mut front = Vec::with_capacity(most);
        front.push(FIRST);
        encode_varint(resource_spans as u64, &mut front);
        front.extend_from_slice(&self.resource);
        front.push(SECOND);
        encode_varint(scope_spans as u64, &mut front);
        front.extend_from_slice(&self.scope);
        let begin = most - front.len();
        if let Some(room) = bytes.get_mut(begin..most) {
            room.copy_from_slice(&front);
        }
        Bytes::from(bytes).slice(begin..)
    }
}

/// A message as the first field of another.
fn first(message: &impl Message) -> Vec<u8> {
    let mut field = vec![FIRST];
    field.extend(message.encode_length_delimited_to_vec());
    field
}
