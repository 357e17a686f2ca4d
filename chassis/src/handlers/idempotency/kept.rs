//! A body that is remembered while it is sent.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use bytes::BytesMut;
use http::{HeaderMap, StatusCode};
use http_body::{Body as HttpBody, Frame, SizeHint};

use super::store::{End, Record, Ticket};

/// A body that is remembered while it is sent, up to a size. However it ends, the call is known to have been answered.
pub(super) struct Kept {
    body: Body,
    most: usize,
    seen: Option<Seen>,
}

struct Seen {
    ticket: Ticket,
    status: StatusCode,
    headers: HeaderMap,
    body: BytesMut,
}

impl Kept {
    pub(super) fn new(body: Body, most: usize, ticket: Ticket, status: StatusCode, headers: HeaderMap) -> Self {
        Self { body, most, seen: Some(Seen { ticket, status, headers, body: BytesMut::new() }) }
    }

    fn see(&mut self, data: &Bytes) {
        let fits = self.seen.as_ref().is_some_and(|seen| seen.body.len() + data.len() <= self.most);
        match &mut self.seen {
            Some(seen) if fits => seen.body.extend_from_slice(data),
            _ => self.give_up(),
        }
    }

    fn keep(&mut self) {
        if let Some(Seen { ticket, status, headers, body }) = self.seen.take() {
            ticket.end(End::Answered(Record { status, headers, body: body.freeze() }));
        }
    }

    fn give_up(&mut self) {
        if let Some(seen) = self.seen.take() {
            seen.ticket.end(End::Unkept);
        }
    }
}

impl HttpBody for Kept {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.body).poll_frame(cx);
        match &polled {
            Poll::Pending => {}
            Poll::Ready(None) => this.keep(),
            Poll::Ready(Some(Err(_))) => this.give_up(),
            Poll::Ready(Some(Ok(frame))) => match frame.data_ref() {
                Some(data) => this.see(data),
                // Trailers are not given again.
                None => this.give_up(),
            },
        }
        if this.body.is_end_stream() {
            this.keep();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if self.body.is_end_stream() {
            self.keep();
        }
        self.give_up();
    }
}
