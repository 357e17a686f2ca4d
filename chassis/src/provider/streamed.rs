//! A body that is made while it is sent. Where that panics, it is counted and ends the reply, and nothing else.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use http::Response;
use http_body::{Body as HttpBody, Frame, SizeHint};
use thiserror::Error;

use super::lease::Lease;
use crate::chain::caught;
use crate::invocation::Ground;

/// What is told to the connection, which can only break off: the head of the reply has been sent.
#[derive(Debug, Error)]
#[error("what makes the body of the reply panicked")]
struct Panicked;

/// A body that is made while it is sent.
struct Streamed {
    body: Option<Body>,
    lease: Arc<Lease>,
}

/// Guards the body of a reply. One whose length is known is there already, and is left as it is.
pub(super) fn guarded(response: Response<Body>, lease: &Arc<Lease>) -> Response<Body> {
    if response.body().size_hint().exact().is_some() {
        return response;
    }
    let lease = Arc::clone(lease);
    response.map(|body| Body::new(Streamed { body: Some(body), lease }))
}

impl Streamed {
    fn release(&mut self) {
        let body = self.body.take();
        if caught(|| drop(body)).is_err() {
            self.lease.count_panic();
        }
    }

    fn panicked(&mut self) -> axum::Error {
        self.lease.count_panic();
        tracing::error!("what makes the body of a reply panicked while it was sent");
        self.release();
        axum::Error::new(Panicked)
    }
}

impl HttpBody for Streamed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let Some(body) = &mut this.body else { return Poll::Ready(None) };
        let polled = caught(|| Pin::new(body).poll_frame(cx));
        polled.unwrap_or_else(|_| Poll::Ready(Some(Err(this.panicked()))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(HttpBody::size_hint).unwrap_or_default()
    }
}

impl Drop for Streamed {
    fn drop(&mut self) {
        self.release();
    }
}
