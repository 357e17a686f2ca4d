//! HTTP/1.1 and HTTP/2 over sockets: what the REST protocol and the admin listener share.
//!
//! One task accepts connections and watches over them, one task serves each connection. No timer is armed for a
//! call: connections note what they do in ticks of the watching task, and that task looks at all of them once a
//! tick. A timeout therefore ends late by at most a tick, which is an eighth of the shortest timeout and never
//! more than a second.
//!
//! What is no call is answered with a problem document all the same. A request that was understood but breaks a rule of
//! HTTP is refused by whoever answers calls, so that it passes a chain. Where there is no request to speak of — a
//! malformed request line or header field (400), a head that is too large (431) or late (408), a target beyond 64 KiB
//! (414) — the connection itself says so, counts it in its listener's [`Refusals`] and closes. That peer may have
//! meant HEAD and gets a body nevertheless; after it, nothing comes that it could be taken for.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::{Request, Response};

use crate::invocation::{Peer, Tls};
use crate::protocol::Refusals;

mod accept;
mod batch;
mod body;
pub(crate) mod call;
pub(crate) mod check;
mod connection;
mod doorway;
mod flaw;
mod line;
mod order;
mod outlet;
mod pieces;
mod refused;
mod server;
mod socket;
mod stream;
mod tcp;
#[cfg(test)]
mod tests;
mod tick;
#[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "nobody reads what to encrypt with where nothing does"))]
pub(crate) mod tls;
mod unix;
mod wait;

pub(crate) use accept::serve;
pub(crate) use flaw::Flaw;
pub(crate) use socket::Sockets;

/// What answers the calls of a listener.
pub(crate) trait Serve: Send + 'static {
    /// What answers the calls of one connection.
    type Connection: Connection;

    /// Takes a connection on.
    fn connect(&self, peer: Peer) -> Self::Connection;

    /// Where is counted what never becomes a call.
    fn refusals(&self) -> Arc<Refusals>;
}

/// What answers the calls of one connection.
pub(crate) trait Connection: Send + 'static {
    /// What answers one call.
    type Answer: Future<Output = Response<Body>> + Send + Unpin + 'static;

    /// Says how the connection is encrypted, before its first call; not where nothing encrypts it.
    fn secured(&mut self, _: Arc<Tls>) {}

    /// Answers one call.
    fn call(&mut self, request: Request<Body>) -> Self::Answer;

    /// Answers one that HTTP does not allow.
    fn refuse(&mut self, request: Request<Body>, flaw: Flaw) -> Self::Answer;
}

/// What a listener lets its peers do.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// How long the head of a request may take, from its first byte; on a new connection, from the start.
    pub header_read: Duration,
    /// How long a connection may stay without a call.
    pub idle: Duration,
    /// How long the body of a request may pause.
    pub body_read: Duration,
    /// How long a reply may find no room because the peer does not read.
    pub write: Duration,
    /// How long a connection may live before its peer is asked to open another.
    pub age: Option<Duration>,
    /// The largest head of a request, in bytes.
    pub header_bytes: usize,
    /// The most header fields of a request.
    pub headers: usize,
    /// The longest target of a request, in bytes.
    pub target_bytes: usize,
    /// The most connections at once. While more are wanted, new ones that send nothing are closed after two seconds, and
    /// those that have been without a call for longer than that, longest first and a few at a time.
    pub connections: usize,
    /// What HTTP/2 adds.
    pub h2: H2Limits,
}

/// What a listener lets its HTTP/2 peers do.
#[derive(Clone, Debug)]
pub(crate) struct H2Limits {
    /// The most calls at once on a connection.
    pub streams: u32,
    /// How often the peer is asked whether it is still there.
    pub ping_interval: Option<Duration>,
    /// How long it may take to answer.
    pub ping_timeout: Duration,
    /// The most calls that were reset by the peer before they were looked at (rapid reset, CVE-2023-44487).
    pub pending_resets: usize,
    /// The most calls that were reset because the peer broke the rules.
    pub local_resets: usize,
}

impl Limits {
    /// What the head of a request may have.
    pub(crate) fn head(&self) -> check::Head {
        check::Head { headers: self.headers, bytes: self.header_bytes, target_bytes: self.target_bytes }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_read: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            body_read: Duration::from_secs(30),
            write: Duration::from_secs(30),
            age: None,
            header_bytes: 64 << 10,
            headers: 100,
            target_bytes: 8 << 10,
            connections: 10_000,
            h2: H2Limits::default(),
        }
    }
}

impl Default for H2Limits {
    fn default() -> Self {
        Self {
            streams: 200,
            ping_interval: None,
            ping_timeout: Duration::from_secs(20),
            pending_resets: 20,
            local_resets: 1024,
        }
    }
}
