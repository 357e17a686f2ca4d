//! The body of a request as operations read it, and of a reply as it is sent.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;

use super::call::InFlight;
use super::line::{Left, Line};
use super::pieces::Pieces;
use crate::fault::{Code, Fault};

/// The body of a request. One without a body costs nothing.
pub(super) fn request(incoming: Incoming, line: &Arc<Line>) -> Body {
    if incoming.is_end_stream() {
        return Body::empty();
    }
    Body::new(Paced { incoming, line: Arc::clone(line), place: None, ended: false, late: false, broken: false })
}

/// A body that must not pause for too long. Whatever is wrong with it is a [`Fault`].
struct Paced {
    incoming: Incoming,
    line: Arc<Line>,
    place: Option<usize>,
    ended: bool,
    late: bool,
    broken: bool,
}

impl HttpBody for Paced {
    type Data = Bytes;
    type Error = Fault;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        let this = self.get_mut();
        match Pin::new(&mut this.incoming).poll_frame(cx) {
            Poll::Pending => {
                let now = this.line.server.ticks.now();
                this.late |= this.line.waits.wait(&mut this.place, now, cx).is_ready();
                if this.late { Poll::Ready(Some(Err(late()))) } else { Poll::Pending }
            }
            Poll::Ready(frame) => {
                this.line.waits.leave(&mut this.place, Some(cx));
                this.broken |= matches!(frame, Some(Err(_)));
                this.ended |= frame.is_none() || this.incoming.is_end_stream();
                Poll::Ready(frame.map(|frame| frame.map_err(broken)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

/// What may have arrived together with the head of its request.
const LITTLE: u64 = 8 << 10;

impl Drop for Paced {
    fn drop(&mut self) {
        // A call that ended while it waited for more told its caller so with 408 or nothing: what is missing may never
        // come, and the reply must say that the connection closes (RFC 9110 §15.5.9). So it must where the body broke off.
        let awaited = self.place.is_some();
        self.line.waits.leave(&mut self.place, None);
        if !self.ended && !self.incoming.is_end_stream() {
            let hopeless = awaited || self.late || self.broken;
            let little = !hopeless && self.incoming.size_hint().upper().is_some_and(|bytes| bytes <= LITTLE);
            self.line.leave(if little { Left::Little } else { Left::Much });
        }
    }
}

fn late() -> Fault {
    Fault::new(Code::RequestTimeout, "The body of the request did not arrive in time.")
}

fn broken(error: hyper::Error) -> Fault {
    Fault::new(Code::InvalidArgument, "The body of the request is malformed or ended too early.").with_cause(error)
}

/// The body of a reply; the call ends with it.
pub(super) struct Outgoing {
    body: Pieces<Body>,
    _call: InFlight,
}

impl Outgoing {
    pub(super) fn new(body: Body, call: InFlight) -> Self {
        Self { body: Pieces::new(body, call.ends()), _call: call }
    }
}

impl HttpBody for Outgoing {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
