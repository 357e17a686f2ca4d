//! Where calls enter: whatever protocol carried them, they are matched once and run through their chain.

use axum::body::Body;
use http::{Request, Response};

use crate::invocation::Peer;

/// The way into the provider side, for one connection. Cloning it is for the next connection.
#[derive(Clone)]
pub struct Entry {}

impl Entry {
    /// Answers one call.
    pub async fn call(&self, request: Request<Body>, peer: Peer) -> Response<Body> {
        let _ = (request, peer);
        Response::new(Body::empty())
    }
}
