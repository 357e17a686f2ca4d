//! Where calls enter: whatever protocol carried them, they are matched once and run through their chain.

use std::future::Future;

use axum::body::Body;
use http::{Request, Response};

use crate::invocation::Peer;

/// The way in for one listener. Every connection takes its own [`Connection`] from it.
#[derive(Clone)]
pub struct Entry {
    body_limit: u64,
}

impl Entry {
    /// Lets arguments read bodies of at most this many bytes.
    #[must_use]
    pub fn with_body_limit(mut self, bytes: u64) -> Self {
        self.body_limit = bytes;
        self
    }

    /// The way in for one connection.
    pub fn connect(&self, peer: Peer) -> Connection {
        Connection { entry: self.clone(), peer }
    }
}

/// The way in for one connection.
pub struct Connection {
    entry: Entry,
    peer: Peer,
}

impl Connection {
    /// Answers one call.
    pub fn call(&mut self, request: Request<Body>) -> impl Future<Output = Response<Body>> + Send + use<> {
        let _ = (request, self.peer, self.entry.body_limit);
        std::future::ready(Response::new(Body::empty()))
    }
}
