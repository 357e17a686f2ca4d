//! Makes TLS of accepted connections, with certificates that may be exchanged while they are in use.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::Credentials;
use crate::clock::Clock;
use crate::conf::{BuildContext, BuildError, Files};
use crate::fault::Code;
use crate::invocation::Tls;
use crate::metrics::Metrics;
use crate::protocol::{Phase, Served};
use crate::wire::accept::{Accept, serve_behind};
use crate::wire::connection::{End, obey, run, turn_away};
use crate::wire::doorway::Doorway;
use crate::wire::line::Line;
use crate::wire::order::{CUT, LATE};
use crate::wire::stream::Stream;
use crate::wire::{Connection, Flaw, Limits, Serve};

mod material;
mod metric;
mod names;
mod opening;
mod rotation;

pub(crate) use material::certificate;

use material::Material;
use metric::Handshakes;
use opening::{Opened, Opening};
use rotation::Rotation;

/// Makes TLS of accepted connections.
pub(crate) struct Acceptor {
    credentials: Credentials,
    current: Arc<ArcSwap<ServerConfig>>,
    /// Until when the certificate in use is good.
    until: Arc<AtomicU64>,
    seen: [u8; 32],
    files: Option<Arc<dyn Files + Send + Sync>>,
    metrics: Metrics,
    clock: Clock,
}

impl Acceptor {
    /// Reads the files.
    ///
    /// # Errors
    /// One of them cannot be read or does not hold what it should, or the key is not that of the certificate.
    pub(crate) fn build(credentials: Credentials, context: &BuildContext<'_>) -> Result<Self, BuildError> {
        let material = Material::read(&credentials, context.files)?;
        let config = material.config(&credentials)?;
        if let Some(warning) = material.expired(&credentials, context.clock.unix_seconds()) {
            context.warnings.warn_at(warning.below("tls"));
        }
        Ok(Self {
            current: Arc::new(ArcSwap::from_pointee(config)),
            until: Arc::new(AtomicU64::new(material.until().unwrap_or(0))),
            seen: material.digest(),
            files: context.files.again(),
            metrics: context.process.metrics.clone(),
            clock: context.clock,
            credentials,
        })
    }

    /// Serves calls over TLS until the phase says to stop, and looks at the files meanwhile.
    pub(crate) async fn serve<A: Accept, S: Serve>(
        self,
        accept: A,
        service: S,
        limits: &Limits,
        phase: watch::Receiver<Phase>,
    ) -> Served {
        let handshakes = Arc::new(Handshakes::of(&self.metrics));
        let until = Arc::clone(&self.until);
        metric::remaining(&self.metrics, &self.credentials.certificate, &until, self.clock);
        let gate = Gate { current: Arc::clone(&self.current), handshakes };
        let rotated = async {
            match Rotation::of(self) {
                Some(rotation) => rotation.run().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            served = serve_behind(gate, accept, service, limits, phase) => served,
            () = rotated => Served::default(),
        }
    }
}

/// What connections pass: the handshake.
struct Gate {
    current: Arc<ArcSwap<ServerConfig>>,
    handshakes: Arc<Handshakes>,
}

impl Doorway for Gate {
    fn open<T, C>(&self, tasks: &mut JoinSet<()>, io: T, line: Arc<Line>, calls: C)
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        C: Connection,
    {
        let acceptor = TlsAcceptor::from(self.current.load_full());
        tasks.spawn(enter(acceptor, Arc::clone(&self.handshakes), io, line, calls));
    }
}

const PLAIN: Flaw = Flaw::new(Code::InvalidArgument, "This port speaks TLS: write `https://` where `http://` stands.");

/// Serves one connection, from its handshake to its end. It is told to leave as a new connection is that has sent no
/// request: when the time for that is over, or a moment after the listener closes.
async fn enter<T, C>(acceptor: TlsAcceptor, handshakes: Arc<Handshakes>, io: T, line: Arc<Line>, calls: C)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    C: Connection,
{
    match obey(&line, pin!(greet(acceptor, io)), |_, given| given & (LATE | CUT) != 0).await {
        End::Done(Ok(Greeted::Secure(stream, tls))) => {
            handshakes.done.increment();
            run(*stream, line, calls, Some(tls)).await;
        }
        End::Done(Ok(Greeted::Plain(opening))) => {
            handshakes.failed.increment();
            tracing::debug!(peer = %line.peer, "plain HTTP was sent to a port that speaks TLS");
            turn_away(Stream::new(opening, Arc::clone(&line)), &line, PLAIN).await;
        }
        End::Done(Err(error)) => {
            handshakes.failed.increment();
            tracing::debug!(peer = %line.peer, %error, "no TLS handshake");
        }
        End::Told => {
            handshakes.late.increment();
            tracing::debug!(peer = %line.peer, "the TLS handshake took too long");
        }
    }
}

/// What a connection turned out to be.
enum Greeted<T> {
    Secure(Box<TlsStream<Opening<T>>>, Arc<Tls>),
    Plain(Opening<T>),
}

async fn greet<T: AsyncRead + AsyncWrite + Unpin>(acceptor: TlsAcceptor, io: T) -> io::Result<Greeted<T>> {
    let opening = match Opening::of(io).await? {
        (opening, Opened::Http) => return Ok(Greeted::Plain(opening)),
        (opening, Opened::Else) => opening,
    };
    let stream = acceptor.accept(opening).await?;
    let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
    // One that was verified and cannot be read is no reason to take its owner for nobody.
    let certificate = shown.map(|shown| names::certificate(shown)).transpose();
    let certificate = certificate.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    Ok(Greeted::Secure(Box::new(stream), Arc::new(Tls { certificate })))
}
