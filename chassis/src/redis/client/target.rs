//! Which Redis it is, and how it is reached.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{AsyncConnectionConfig, ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::conf::{BuildContext, BuildError, FileRef, Interval, Secret};
use crate::outgoing::Trust;

/// Which Redis it is.
pub(super) struct Target {
    place: Place,
    /// The place, for people.
    address: String,
    /// Who asks, and which database.
    login: RedisConnectionInfo,
}

enum Place {
    Tcp(String, u16),
    Tls(String, u16, TlsConnector, ServerName<'static>),
    Unix(PathBuf),
}

/// A connection, and what reads and writes it.
#[derive(Clone)]
pub(super) struct Established {
    pub(super) connection: MultiplexedConnection,
    driver: AbortHandle,
}

impl Established {
    /// Whether Redis has closed it.
    pub(super) fn has_ended(&self) -> bool {
        self.driver.is_finished()
    }
}

/// How long connecting may take in all.
const PATIENCE: Duration = Duration::from_secs(5);

impl Target {
    /// # Errors
    /// It is no address, or whom to trust is not known.
    pub(super) fn new(url: &Secret, ca: Option<&FileRef>, context: &BuildContext<'_>) -> Result<Self, BuildError> {
        // What it says is not repeated: there may be a password in it.
        let wrong = || {
            let help = "write `redis://HOST:PORT`, `rediss://HOST:PORT` or `unix:///PATH`; with a user, a password and a \
                        database: `rediss://USER:PASSWORD@HOST:PORT/1`, where characters such as `@` and `/` of a password \
                        are written `%40` and `%2F`";
            BuildError::new("url", "this is no address of a Redis").with_help(help)
        };
        // TLS is ours, so that there is one: the library is only told whom to greet.
        let (plain, is_encrypted) = match url.expose().strip_prefix("rediss://") {
            Some(rest) => (format!("redis://{rest}"), true),
            None => (url.expose().to_owned(), false),
        };
        let info = plain.as_str().into_connection_info().map_err(|_| wrong())?;
        let place = match info.addr() {
            ConnectionAddr::Tcp(host, port) if is_encrypted => Place::encrypted(host, *port, ca, context)?,
            ConnectionAddr::Tcp(host, port) => Place::Tcp(host.clone(), *port),
            ConnectionAddr::Unix(path) => Place::Unix(path.clone()),
            _ => return Err(wrong()),
        };
        Ok(Self { place, address: info.addr().to_string(), login: info.redis_settings().clone() })
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// # Errors
    /// Why there is no connection.
    pub(super) async fn connect(&self) -> Result<Established, String> {
        let connected = timeout(PATIENCE, self.connected()).await;
        connected.unwrap_or_else(|_| Err(format!("no connection within {}", Interval(PATIENCE))))
    }

    async fn connected(&self) -> Result<Established, String> {
        match &self.place {
            Place::Tcp(host, port) => self.greeted(tcp(host, *port).await?).await,
            Place::Tls(host, port, tls, name) => {
                let stream = tls.connect(name.clone(), tcp(host, *port).await?).await;
                self.greeted(stream.map_err(|error| error.to_string())?).await
            }
            Place::Unix(path) => {
                let stream = UnixStream::connect(path).await;
                self.greeted(stream.map_err(|error| error.to_string())?).await
            }
        }
    }

    /// Says who asks, and begins to read and write.
    async fn greeted<S>(&self, stream: S) -> Result<Established, String>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        // Who asks bounds the time.
        let conf = AsyncConnectionConfig::new().set_response_timeout(None).set_connection_timeout(None);
        let greeted = MultiplexedConnection::new_with_config(&self.login, stream, conf).await;
        let (connection, driver) = greeted.map_err(|error| error.to_string())?;
        // It ends with the last one who holds the connection.
        let driver = tokio::spawn(driver).abort_handle();
        Ok(Established { connection, driver })
    }
}

impl Place {
    fn encrypted(host: &str, port: u16, ca: Option<&FileRef>, context: &BuildContext<'_>) -> Result<Self, BuildError> {
        let signers = ca.map(|file| context.files.read(file)).transpose().map_err(|error| error.below("ca"))?;
        let trust = signers.as_deref().map_or(Trust::System, Trust::Signers);
        let tls = trust.tls().map_err(|error| error.below(if ca.is_some() { "ca" } else { "url" }))?;
        let name = ServerName::try_from(host.to_owned());
        let name = name.map_err(|_| BuildError::new("url", format!("`{host}` is no name that a certificate has")))?;
        Ok(Self::Tls(host.to_owned(), port, TlsConnector::from(Arc::new(tls)), name))
    }
}

async fn tcp(host: &str, port: u16) -> Result<TcpStream, String> {
    let stream = TcpStream::connect((host, port)).await.map_err(|error| error.to_string())?;
    // A question is small, and is not to wait for another one.
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    Ok(stream)
}
