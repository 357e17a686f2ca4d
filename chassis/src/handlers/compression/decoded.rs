//! The body of a request, decoded while it is read.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use http_body::{Body as HttpBody, Frame};

use super::coding::Coding;
use super::decoder::{Decoder, Flaw};
use crate::fault::{Code, Fault};

/// How much is decoded at once: a little of some bodies becomes a lot.
const PIECE: usize = 4 << 10;
/// What may come of a body whatever its ratio: the first bytes of text are often very much alike.
const FREE: u64 = 64 << 10;

/// How much a body may become.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// In bytes.
    pub(super) most: u64,
    /// How many times as much as was sent.
    pub(super) ratio: u64,
}

/// A body that is decoded while it is read. One that becomes too large fails with 413 there, one that is not what it
/// says with 400.
pub(super) struct Decoded {
    body: Body,
    coding: Coding,
    bounds: Bounds,
    decoder: Option<Decoder>,
    left: Bytes,
    taken: u64,
    made: u64,
    is_over: bool,
}

impl Decoded {
    pub(super) fn new(body: Body, coding: Coding, bounds: Bounds) -> Self {
        Self { body, coding, bounds, decoder: None, left: Bytes::new(), taken: 0, made: 0, is_over: false }
    }

    fn room(&self) -> u64 {
        self.bounds.most.min(self.by_ratio()).saturating_sub(self.made)
    }

    /// How much may have come of what was taken, by the ratio.
    fn by_ratio(&self) -> u64 {
        self.taken.saturating_mul(self.bounds.ratio).max(FREE)
    }

    fn decoder(&mut self) -> Result<&mut Decoder, Fault> {
        match &mut self.decoder {
            Some(decoder) => Ok(decoder),
            none => Ok(none.insert(Decoder::new(self.coding).map_err(Fault::internal)?)),
        }
    }

    fn decode(&mut self) -> Result<Bytes, Fault> {
        let piece = self.left.split_to(self.left.len().min(PIECE));
        self.taken += piece.len() as u64;
        let room = self.room();
        let out = self.decoder()?.decode(&piece, room);
        self.outcome(out)
    }

    fn finish(&mut self) -> Result<Bytes, Fault> {
        self.is_over = true;
        // A body of which nothing came is empty, and needs no coding.
        match self.taken {
            0 => Ok(Bytes::new()),
            _ => {
                let out = self.decoder()?.finish();
                self.outcome(out)
            }
        }
    }

    fn outcome(&mut self, out: Result<Vec<u8>, Flaw>) -> Result<Bytes, Fault> {
        match out {
            Ok(out) => {
                self.made += out.len() as u64;
                Ok(out.into())
            }
            Err(flaw) => Err(self.fault(&flaw)),
        }
    }

    #[cold]
    fn fault(&self, flaw: &Flaw) -> Fault {
        let coding = self.coding.as_str();
        let fault = match flaw {
            Flaw::Malformed => Fault::new(Code::InvalidArgument, format!("The body is not valid {coding}."))
                .with_evidence("decoded", self.made)
                .with_remedy("It passes with a body that is whole, and in the coding that `Content-Encoding` says."),
            Flaw::TooLarge(more) => {
                let most = self.bounds.most;
                let (policy, limit) = match most <= self.by_ratio() {
                    true => ("max-size", most),
                    false => ("max-ratio", self.bounds.ratio),
                };
                let detail = format!(
                    "Decoded, the body is too large: at most {most} bytes, and no more than {} times what is sent.",
                    self.bounds.ratio
                );
                Fault::new(Code::ContentTooLarge, detail)
                    .with_policy(policy)
                    .with_evidence("limit", limit)
                    .with_evidence("decoded", self.made + more)
                    .with_remedy(format!("It passes with a smaller body, or with a higher `{policy}` of `requests`."))
            }
        };
        fault.with_evidence("coding", coding).with_evidence("sent", self.taken).by("compression")
    }
}

impl HttpBody for Decoded {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        loop {
            if this.is_over {
                return Poll::Ready(None);
            }
            let out = if this.left.is_empty() {
                match std::task::ready!(Pin::new(&mut this.body).poll_frame(cx)).transpose() {
                    Ok(Some(frame)) => {
                        // Trailers belong to what was sent, not to what comes of it.
                        this.left = frame.into_data().unwrap_or_default();
                        continue;
                    }
                    Ok(None) => this.finish(),
                    Err(error) => {
                        this.is_over = true;
                        return Poll::Ready(Some(Err(error)));
                    }
                }
            } else {
                this.decode()
            };
            match out {
                Ok(out) if out.is_empty() => {}
                Ok(out) => return Poll::Ready(Some(Ok(Frame::data(out)))),
                Err(fault) => {
                    this.is_over = true;
                    return Poll::Ready(Some(Err(axum::Error::new(fault))));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.is_over
    }
}
