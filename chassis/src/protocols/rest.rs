//! `rest`: calls over HTTP/1.1 and HTTP/2, in the clear or over TLS.
//!
//! HTTP/2 is spoken to peers that begin with its preface (RFC 9113 §3.3); over TLS, ALPN has told them to. Further listeners are
//! configured as `protocols.rest-NAME`. A connection beyond `max-connections` waits until another one closes: its peer
//! sees a slow connection rather than an error, and tries no other way in. While one waits, new
//! ones that have sent nothing of a request after two seconds, the handshake of TLS included, are closed; so are those that
//! have been without a call for longer than that, longest first and a few at a time. All listeners together take half of the file descriptors at most ([`descriptors`]).

#![expect(unsafe_code, reason = "the entry of a protocol stands in a section of the linker")]

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use http::{Request, Response};
use linkme::distributed_slice;
use schemars::JsonSchema;
use serde_json::Value;
use tokio::sync::watch;

use crate::catalog::{CHASSIS_PROTOCOLS_V1, Head, ProtocolEntry};
use crate::conf::{BuildContext, BuildError, typed};
use crate::descriptors::{self, Claim};
use crate::fault::Code;
use crate::invocation::{self, Peer};
use crate::operation::Location;
use crate::protocol::{Address, Bound, Listen, Listener, Phase, Refusals, Served};
use crate::provider::{self, Entry};
use crate::schema::BoxFuture;
use crate::wire::tls::Acceptor;
use crate::wire::{Connection, Flaw, Limits, Serve, Sockets, check, serve};

mod conf;

pub use conf::{ClientCertificates, Conf, Http2, Tls};

#[distributed_slice(CHASSIS_PROTOCOLS_V1)]
static ENTRY: ProtocolEntry = ProtocolEntry {
    head: Head {
        name: "rest",
        doc: "Calls over HTTP/1.1 and HTTP/2, in the clear or over TLS.",
        location: Location { file: file!(), line: line!(), column: column!() },
        conf: Conf::json_schema,
    },
    build,
    asks_for_certificates,
};

fn build(value: Value, context: &BuildContext<'_>) -> Result<Box<dyn Listener>, BuildError> {
    let conf: Conf = typed(value)?;
    let limits = conf.limits()?;
    let claim = context.process.descriptors.claim(limits.connections);
    let tls = conf.tls.map(|tls| Acceptor::build(tls.credentials()?, context)).transpose();
    let tls = tls.map_err(|error| error.below("tls"))?;
    let is_said = conf.max_connections.is_some();
    Ok(Box::new(Rest { listen: conf.listen, limits, max_body: conf.max_body.0, claim, is_said, tls }))
}

fn asks_for_certificates(value: &Value) -> bool {
    value.get("tls").and_then(|tls| tls.get("client-ca")).is_some_and(|signers| !signers.is_null())
}

/// A listener that does not listen yet.
struct Rest {
    listen: Listen,
    limits: Limits,
    max_body: u64,
    claim: Claim,
    /// Whether somebody asked for so many connections.
    is_said: bool,
    tls: Option<Acceptor>,
}

impl Listener for Rest {
    fn bind(self: Box<Self>) -> BoxFuture<'static, Result<Box<dyn Bound>, BuildError>> {
        Box::pin(async move {
            let sockets = Sockets::bind(&self.listen).await?;
            let Self { limits, max_body, claim, is_said, tls, .. } = *self;
            let limits = Limits { connections: claim.granted(), ..limits };
            if is_said && claim.granted() < claim.wanted() {
                tracing::warn!(
                    max_connections = claim.wanted(),
                    connections = claim.granted(),
                    descriptors = descriptors::limit(),
                    "`max-connections` is not reached: all listeners together take no more than half of the file \
                     descriptors; raise `ulimit -n`, or lower it"
                );
            }
            Ok(Box::new(Listening { sockets, limits, max_body, tls, _claim: claim }) as Box<dyn Bound>)
        })
    }

    fn oversized(&self, request: &Request<Body>) -> Option<(Code, Cow<'static, str>)> {
        check::oversized(request, self.limits.head()).map(|Flaw { code, detail }| (code, detail))
    }
}

/// A listener that has its address.
struct Listening {
    sockets: Sockets,
    limits: Limits,
    max_body: u64,
    tls: Option<Acceptor>,
    _claim: Claim,
}

impl Bound for Listening {
    fn address(&self) -> Address {
        self.sockets.address()
    }

    fn url(&self) -> Option<String> {
        let url = self.address().url()?;
        Some(if self.tls.is_some() { url.replacen("http", "https", 1) } else { url })
    }

    fn serve(self: Box<Self>, entry: Entry, phase: watch::Receiver<Phase>) -> BoxFuture<'static, Served> {
        let Self { sockets, limits, max_body, tls, _claim: _ } = *self;
        let entry = entry.with_body_limit(max_body);
        match tls {
            Some(tls) => Box::pin(async move { tls.serve(sockets, entry, &limits, phase).await }),
            None => Box::pin(async move { serve(sockets, entry, &limits, phase).await }),
        }
    }
}

impl Serve for Entry {
    type Connection = provider::Connection;

    fn connect(&self, peer: Peer) -> provider::Connection {
        self.connect(peer)
    }

    fn refusals(&self) -> Arc<Refusals> {
        self.refusals()
    }
}

impl Connection for provider::Connection {
    type Answer = BoxFuture<'static, Response<Body>>;

    fn secured(&mut self, tls: Arc<invocation::Tls>) {
        self.secured(tls);
    }

    fn call(&mut self, request: Request<Body>) -> Self::Answer {
        self.call(request)
    }

    fn refuse(&mut self, request: Request<Body>, Flaw { code, detail }: Flaw) -> Self::Answer {
        self.refuse(request, code, detail)
    }
}

#[cfg(test)]
mod tests;
