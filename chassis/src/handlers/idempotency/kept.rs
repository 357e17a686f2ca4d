//! A body that is remembered while it is sent.
//!
//! What ends it is held back until others know of the answer, so that whoever has seen the end and calls again gets that.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes};
use bytes::BytesMut;
use http::{HeaderMap, StatusCode};
use http_body::{Body as HttpBody, Frame, SizeHint};

use super::store::{End, Ended, Record};
use super::ticket::Ticket;

/// A body that is remembered while it is sent, up to a size. However it ends, the call is known to have been answered.
pub(super) struct Kept {
    body: Body,
    most: usize,
    seen: Option<Seen>,
    held: Option<Held>,
}

/// What the body ends with.
struct Held {
    end: Option<Result<Frame<Bytes>, axum::Error>>,
    until: Ended,
}

struct Seen {
    ticket: Ticket,
    status: StatusCode,
    headers: HeaderMap,
    body: BytesMut,
}

impl Kept {
    pub(super) fn new(body: Body, most: usize, ticket: Ticket, status: StatusCode, headers: HeaderMap) -> Self {
        Self { body, most, seen: Some(Seen { ticket, status, headers, body: BytesMut::new() }), held: None }
    }

    fn see(&mut self, data: &Bytes) {
        let fits = self.seen.as_ref().is_some_and(|seen| seen.body.len() + data.len() <= self.most);
        match &mut self.seen {
            Some(seen) if fits => seen.body.extend_from_slice(data),
            _ => self.give_up(),
        }
    }

    fn keep(&mut self) -> Option<Ended> {
        let Seen { ticket, status, headers, body } = self.seen.take()?;
        Some(ticket.end(End::Answered(Record { status, headers, body: body.freeze() })))
    }

    fn give_up(&mut self) {
        if let Some(seen) = self.seen.take() {
            // More of it may be sent: nobody waits.
            drop(seen.ticket.end(End::Unkept));
        }
    }

    /// Gives what was held back, when it may be.
    fn release(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Some(held) = &mut self.held {
            ready!(held.until.as_mut().poll(cx));
        }
        Poll::Ready(self.held.take().and_then(|held| held.end))
    }
}

impl HttpBody for Kept {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        if this.held.is_some() {
            return this.release(cx);
        }
        let end = ready!(Pin::new(&mut this.body).poll_frame(cx));
        match &end {
            None => {}
            Some(Err(_)) => this.give_up(),
            Some(Ok(frame)) => match frame.data_ref() {
                Some(data) => this.see(data),
                // Trailers are not given again.
                None => this.give_up(),
            },
        }
        let is_over = end.is_none() || this.body.is_end_stream();
        match is_over.then(|| this.keep()).flatten() {
            Some(until) => {
                this.held = Some(Held { end, until });
                this.release(cx)
            }
            None => Poll::Ready(end),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.held.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if self.body.is_end_stream() {
            drop(self.keep());
        }
        self.give_up();
    }
}
