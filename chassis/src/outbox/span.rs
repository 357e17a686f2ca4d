//! A span as OTLP writes it (`opentelemetry/proto/trace/v1/trace.proto`), field by field into the bytes that are sent.
//!
//! Written by hand, because a message of a library would be filled with copies of every text first. What a library reads
//! from it is proved where that is at hand, with the feature `otlp`.

use super::wire::{self, BYTES, FIXED64, VARINT};
use crate::trace::{SAMPLED, TraceContext};

/// The flags that say that a parent, or what a link leads to, is of another process.
const REMOTE: u32 = 0x300;

/// `SPAN_KIND_SERVER`, and `STATUS_CODE_ERROR`.
const SERVER: u8 = 2;
const FAILED: u8 = 2;

/// A span that is being written. The order of its fields is free.
pub struct Writing<'a>(&'a mut Vec<u8>);

/// Writes a span behind others.
pub fn written(spans: &mut Vec<u8>, write: impl FnOnce(&mut Writing<'_>)) {
    // `ScopeSpans.spans`.
    wire::nested(spans, 2, |span| write(&mut Writing(span)));
}

impl<'a> Writing<'a> {
    /// Begins one that is finished elsewhere.
    pub fn begin(fields: &'a mut Vec<u8>) -> Self {
        Self(fields)
    }

    /// Fields that were written before.
    pub fn fields(&mut self, fields: &[u8]) {
        self.0.extend_from_slice(fields);
    }

    /// Its ids and those of the span it belongs to. It is one that is recorded, and of a server.
    pub fn place(&mut self, trace: &TraceContext) {
        wire::bytes(self.0, 1, &trace.trace_id);
        wire::bytes(self.0, 2, &trace.span_id);
        let mut flags = u32::from(trace.flags | SAMPLED);
        if trace.is_continued() {
            wire::bytes(self.0, 4, &trace.parent_id);
            flags |= REMOTE;
        }
        self.0.extend_from_slice(&[wire::tag(6, VARINT), SERVER]);
        // The number of the field takes two bytes: 16, of 32 bits.
        self.0.extend_from_slice(&[0x85, 0x01]);
        self.0.extend_from_slice(&flags.to_le_bytes());
    }

    /// What tracing systems added to the trace it continues.
    pub fn state(&mut self, state: &str) {
        wire::bytes(self.0, 3, state.as_bytes());
    }

    /// What was done, of low cardinality: parts of one text.
    pub fn name(&mut self, parts: [&str; 3]) {
        self.0.push(wire::tag(5, BYTES));
        wire::varint(self.0, parts.iter().map(|part| part.len()).sum());
        parts.iter().for_each(|part| self.0.extend_from_slice(part.as_bytes()));
    }

    /// When it began, in nanoseconds since 1970.
    pub fn start(&mut self, at: u64) {
        self.moment(7, at);
    }

    /// When it was over, in nanoseconds since 1970.
    pub fn end(&mut self, at: u64) {
        self.moment(8, at);
    }

    fn moment(&mut self, field: u8, at: u64) {
        self.0.push(wire::tag(field, FIXED64));
        self.0.extend_from_slice(&at.to_le_bytes());
    }

    /// What else is known: a text, by the names of OpenTelemetry's conventions.
    // Inlined, because nearly all names are known then, and their lengths.
    #[inline]
    pub fn text(&mut self, name: &str, value: &str) {
        self.text_of(name, value.len(), |bytes| bytes.extend_from_slice(value.as_bytes()));
    }

    /// A text in UTF-8 which is written where it stands: exactly so many bytes, or what comes after it cannot be read.
    #[inline]
    pub(crate) fn text_of(&mut self, name: &str, length: usize, write: impl FnOnce(&mut Vec<u8>)) {
        let write = |bytes: &mut Vec<u8>| {
            let before = bytes.len();
            write(bytes);
            debug_assert_eq!(bytes.len() - before, length, "of `{name}`");
        };
        let long = wire::length(length);
        let pair = wire::length(name.len()) + wire::length(long);
        if pair >= 0x80 {
            return self.attribute(name, long, |bytes| {
                bytes.push(wire::tag(1, BYTES));
                wire::varint(bytes, length);
                write(bytes);
            });
        }
        // All lengths take a byte, as those of nearly all attributes do.
        self.0.reserve(2 + pair);
        self.0.extend_from_slice(&[wire::tag(9, BYTES), pair as u8, wire::tag(1, BYTES), name.len() as u8]);
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(&[wire::tag(2, BYTES), long as u8, wire::tag(1, BYTES), length as u8]);
        write(self.0);
    }

    /// What else is known: a number that is not negative.
    #[inline]
    pub fn number(&mut self, name: &str, value: u32) {
        let value = value as usize;
        self.attribute(name, 1 + wire::size(value), |bytes| {
            bytes.push(wire::tag(3, VARINT));
            wire::varint(bytes, value);
        });
    }

    /// A `KeyValue` with an `AnyValue` of so many bytes.
    #[inline]
    fn attribute(&mut self, name: &str, long: usize, write: impl FnOnce(&mut Vec<u8>)) {
        self.0.push(wire::tag(9, BYTES));
        wire::varint(self.0, wire::length(name.len()) + wire::length(long));
        wire::bytes(self.0, 1, name.as_bytes());
        self.0.push(wire::tag(2, BYTES));
        wire::varint(self.0, long);
        write(self.0);
    }

    /// The span of another trace that led to it.
    pub fn link(&mut self, caller: &TraceContext) {
        wire::nested(self.0, 13, |link| {
            wire::bytes(link, 1, &caller.trace_id);
            wire::bytes(link, 2, &caller.parent_id);
            link.push(wire::tag(6, wire::FIXED32));
            link.extend_from_slice(&(u32::from(caller.flags) | REMOTE).to_le_bytes());
        });
    }

    /// The service failed.
    pub fn failed(&mut self) {
        self.0.extend_from_slice(&[wire::tag(15, BYTES), 2, wire::tag(3, VARINT), FAILED]);
    }
}
