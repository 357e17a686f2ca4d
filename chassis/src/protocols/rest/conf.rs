//! What YAML says about a REST listener, below `protocols.rest` and `protocols.rest-NAME`.

use std::time::Duration;

use crate::conf;
use crate::conf::{BuildError, FileRef, Interval, Size};
use crate::protocol::Listen;
use crate::wire::tls::{Clients, Credentials, Demand};
use crate::wire::{H2Limits, Limits};

/// A REST listener.
#[conf]
pub struct Conf {
    /// Where to listen: `host:port`, `:port` for every address of the machine, `[::1]:port` or `unix:/path`.
    #[conf(default = Listen::All(8080))]
    pub listen: Listen,
    /// The largest body of a request that operations read, unless the operation is allowed another size.
    #[conf(default = Size::mib(2))]
    pub max_body: Size,
    /// The most connections at once; 10000 if left out. Further ones wait until one closes. While one waits, new
    /// ones that have sent nothing of a request after two seconds, the handshake of TLS included, are closed; so are those
    /// that have been without a call for longer than that, longest first and a few at a time. All listeners together take
    /// no more than half of the file descriptors that the process may open, whatever is said here, so that operators and
    /// probes always get in.
    #[conf(range(1..))]
    #[schemars(extend("examples" = [10_000]))]
    pub max_connections: Option<u32>,
    /// The largest head of a request: its first line and its header fields. Larger ones get 431.
    #[conf(default = Size::kib(64))]
    pub max_header_bytes: Size,
    /// The most header fields of a request. More get 431; more than 100 cost every request an allocation.
    #[conf(default = 100, range(1..=10_000))]
    pub max_headers: u32,
    /// The longest target of a request, its query included. Longer ones get 414.
    #[conf(default = Size::kib(8))]
    pub max_target_bytes: Size,
    /// How long the head of a request may take, on a new connection from the start. Slower peers get 408.
    #[conf(default = Interval::secs(10))]
    pub header_read_timeout: Interval,
    /// How long the body of a request may pause. Slower peers get 408.
    #[conf(default = Interval::secs(30))]
    pub body_read_timeout: Interval,
    /// How long a reply may find no room because the peer does not read it. Slower peers are cut off.
    #[conf(default = Interval::secs(30))]
    pub write_timeout: Interval,
    /// How long a connection may stay without a call. Longer than that of a proxy in front, so that the proxy closes
    /// first and loses no call.
    #[conf(default = Interval::secs(75))]
    pub idle_timeout: Interval,
    /// How long a connection may live before its peer is asked to open another, which spreads long-lived peers over
    /// new instances. Without it, for ever.
    pub max_connection_age: Option<Interval>,
    /// What HTTP/2 adds.
    #[conf(default)]
    pub http2: Http2,
    /// How it encrypts. Without it, it speaks in the clear. Needs the Cargo feature `tls`.
    pub tls: Option<Tls>,
}

/// How a listener encrypts: TLS 1.3 or 1.2, HTTP/2 or HTTP/1.1 as the peer prefers (ALPN). A handshake may take as long
/// as the head of a request.
#[conf]
pub struct Tls {
    /// A file with its certificate in PEM, and behind it those between that and a root.
    pub certificate: FileRef,
    /// A file with its private key in PEM.
    pub key: FileRef,
    /// A file with certificates in PEM: callers are asked for a certificate that one of these has signed.
    pub client_ca: Option<FileRef>,
    /// What becomes of callers that show no certificate, where `client-ca` asks for one; `required` if left out.
    pub client_certificates: Option<ClientCertificates>,
    /// How often the files are looked at. What has changed is used for new connections; what is not good then is told in
    /// the log, and the former is used on.
    #[conf(default = Interval::mins(1))]
    pub reload: Interval,
}

/// What becomes of callers that show no certificate.
#[conf]
#[derive(Copy, PartialEq, Eq)]
pub enum ClientCertificates {
    /// They get no connection.
    Required,
    /// They get one, and `auth` decides about their calls. A certificate that is not valid gets none.
    Optional,
}

/// What HTTP/2 adds to a REST listener.
#[conf]
pub struct Http2 {
    /// The most calls at once on a connection (RFC 9113 §5.1.2).
    #[conf(default = 200, range(1..))]
    pub max_streams: u32,
    /// How often the peer is asked whether it is still there. Without it, never.
    pub ping_interval: Option<Interval>,
    /// How long it may take to answer.
    #[conf(default = Interval::secs(20))]
    pub ping_timeout: Interval,
    /// The most calls that a peer may have reset before they were looked at; more, and its connection is closed
    /// (rapid reset, CVE-2023-44487).
    #[conf(default = 20)]
    pub max_pending_resets: u32,
    /// The most calls that were reset because the peer broke the rules; more, and its connection is closed.
    #[conf(default = 1024)]
    pub max_local_resets: u32,
}

/// As many connections as nobody wants to have more of without saying so.
const MAX_CONNECTIONS: u32 = 10_000;

impl Conf {
    /// The limits, checked beyond what their types can say.
    pub(crate) fn limits(&self) -> Result<Limits, BuildError> {
        Ok(Limits {
            header_read: some_time("header-read-timeout", self.header_read_timeout)?,
            idle: some_time("idle-timeout", self.idle_timeout)?,
            body_read: some_time("body-read-timeout", self.body_read_timeout)?,
            write: some_time("write-timeout", self.write_timeout)?,
            age: self.max_connection_age.map(|age| some_time("max-connection-age", age)).transpose()?,
            header_bytes: header_bytes(self.max_header_bytes)?,
            headers: self.max_headers as usize,
            target_bytes: self.max_target_bytes.length(),
            connections: self.max_connections.unwrap_or(MAX_CONNECTIONS) as usize,
            h2: self.http2.limits().map_err(|error| error.below("http2"))?,
        })
    }
}

impl Tls {
    /// What to encrypt with, checked beyond what the types can say.
    pub(crate) fn credentials(self) -> Result<Credentials, BuildError> {
        let Self { certificate, key, client_ca, client_certificates, reload } = self;
        if client_certificates.is_some() && client_ca.is_none() {
            let error = BuildError::new("client-certificates", "callers are asked for no certificate");
            return Err(error.with_help("say with `client-ca` who may sign certificates of callers, or remove the key"));
        }
        let demand = match client_certificates {
            None | Some(ClientCertificates::Required) => Demand::Required,
            Some(ClientCertificates::Optional) => Demand::Optional,
        };
        let clients = client_ca.map(|signers| Clients { signers, demand });
        let least = Interval::secs(1);
        if reload < least {
            let error = BuildError::new("reload", "files are looked at once a second at most");
            return Err(error.with_help("write at least `1s`; a minute is soon enough for certificates"));
        }
        Ok(Credentials { certificate, key, clients, reload: reload.0 })
    }
}

impl Http2 {
    fn limits(&self) -> Result<H2Limits, BuildError> {
        Ok(H2Limits {
            streams: self.max_streams,
            ping_interval: self.ping_interval.map(|every| some_time("ping-interval", every)).transpose()?,
            ping_timeout: some_time("ping-timeout", self.ping_timeout)?,
            pending_resets: self.max_pending_resets as usize,
            local_resets: self.max_local_resets as usize,
        })
    }
}

fn some_time(key: &str, interval: Interval) -> Result<Duration, BuildError> {
    if interval > Interval::ZERO {
        return Ok(interval.0);
    }
    let error = BuildError::new(key, "no peer can be that fast: it must be longer than 0s");
    Err(error.with_help("write a long time, such as `24h`, to let peers be as slow as they like"))
}

fn header_bytes(size: Size) -> Result<usize, BuildError> {
    let bounds = Size::kib(1)..=Size::mib(1);
    if bounds.contains(&size) {
        return Ok(size.length());
    }
    let error = BuildError::new("max-header-bytes", format!("{size} is not from 1KiB to 1MiB"));
    Err(error.with_help("what is larger than a head belongs into a body"))
}
