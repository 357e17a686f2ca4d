//! A body that is encoded while it is sent.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use http_body::{Body as HttpBody, Frame};

use super::coding::{Coding, Effort, Encoder};
use super::metric::Sizes;

/// How much is encoded before others get their turn.
const PIECE: usize = 32 << 10;

/// A body that is encoded while it is sent. Nothing waits in it: as soon as there is nothing more to encode for the
/// moment, all that was is sent, and of events each one is.
pub(super) struct Encoded {
    body: Body,
    encoder: Stage,
    /// Not encoded yet.
    left: Bytes,
    /// What comes after the data.
    trailers: Option<Frame<Bytes>>,
    /// Whether something was encoded that did not come out.
    keeps_some: bool,
    is_events: bool,
    sizes: Sizes,
}

enum Stage {
    // It takes memory, and a `HEAD` never needs it.
    Before(Coding, Effort),
    Under(Encoder),
    Over,
}

impl Encoded {
    pub(super) fn new(body: Body, coding: Coding, effort: Effort, is_events: bool, sizes: Sizes) -> Self {
        let encoder = Stage::Before(coding, effort);
        Self { body, encoder, left: Bytes::new(), trailers: None, keeps_some: false, is_events, sizes }
    }

    fn encoder(&mut self) -> io::Result<&mut Encoder> {
        if let Stage::Before(coding, effort) = self.encoder {
            self.encoder = Stage::Under(Encoder::new(coding, effort)?);
        }
        match &mut self.encoder {
            Stage::Under(encoder) => Ok(encoder),
            Stage::Before(..) | Stage::Over => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Encodes some of what is left.
    fn encode(&mut self) -> io::Result<Option<Frame<Bytes>>> {
        let piece = self.left.split_to(self.left.len().min(PIECE));
        self.sizes.took(piece.len());
        self.encoder()?.write(&piece)?;
        self.keeps_some = true;
        if self.is_events && self.left.is_empty() { self.flush() } else { Ok(self.come_out()) }
    }

    fn flush(&mut self) -> io::Result<Option<Frame<Bytes>>> {
        self.keeps_some = false;
        self.encoder()?.flush()?;
        Ok(self.come_out())
    }

    fn finish(&mut self) -> io::Result<Option<Frame<Bytes>>> {
        self.encoder()?;
        match std::mem::replace(&mut self.encoder, Stage::Over) {
            Stage::Under(encoder) => Ok(self.made(encoder.finish()?)),
            Stage::Before(..) | Stage::Over => Ok(None),
        }
    }

    fn come_out(&mut self) -> Option<Frame<Bytes>> {
        match &mut self.encoder {
            Stage::Under(encoder) => {
                let out = encoder.take();
                self.made(out)
            }
            Stage::Before(..) | Stage::Over => None,
        }
    }

    fn made(&mut self, out: Vec<u8>) -> Option<Frame<Bytes>> {
        self.sizes.made(out.len());
        (!out.is_empty()).then(|| Frame::data(out.into()))
    }

    /// Goes a step on; `None` if the next one may lead further.
    fn step(&mut self, cx: &mut Context<'_>) -> Poll<Option<Step>> {
        if !self.left.is_empty() {
            return Poll::Ready(self.encode().transpose().map(Step::of));
        }
        if let Stage::Over = self.encoder {
            return Poll::Ready(Some(Step(self.trailers.take().map(Ok))));
        }
        let frame = match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Pending if self.keeps_some => {
                return match self.flush().transpose() {
                    Some(out) => Poll::Ready(Some(Step::of(out))),
                    None => Poll::Pending,
                };
            }
            Poll::Pending => return Poll::Pending,
            Poll::Ready(frame) => frame,
        };
        match frame.transpose() {
            Ok(Some(frame)) => match frame.into_data() {
                Ok(data) => self.left = data,
                Err(trailers) => {
                    self.trailers = Some(trailers);
                    return Poll::Ready(self.finish().transpose().map(Step::of));
                }
            },
            Ok(None) => return Poll::Ready(self.finish().transpose().map(Step::of)),
            Err(error) => {
                self.encoder = Stage::Over;
                return Poll::Ready(Some(Step(Some(Err(error)))));
            }
        }
        Poll::Ready(None)
    }
}

/// What a body says when it is asked.
struct Step(Option<Result<Frame<Bytes>, axum::Error>>);

impl Step {
    fn of(out: io::Result<Frame<Bytes>>) -> Self {
        Self(Some(out.map_err(axum::Error::new)))
    }
}

impl HttpBody for Encoded {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        loop {
            if let Some(Step(said)) = std::task::ready!(this.step(cx)) {
                return Poll::Ready(said);
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.encoder, Stage::Over) && self.trailers.is_none()
    }
}
