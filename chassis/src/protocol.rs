//! How calls arrive: what a protocol such as REST offers to the process and is offered by it.

use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use axum::body::Body;
use http::Request;
use tokio::sync::watch;

use crate::conf::BuildError;
use crate::fault::Code;
use crate::provider::Entry;
use crate::schema::BoxFuture;

mod listen;
mod obstacle;
mod refusals;

pub use listen::Listen;
pub use refusals::Refusals;

/// One listener of a protocol, made from its part of the configuration, not yet listening.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a listener",
    label = "`Listener` is not implemented for it",
    note = "a protocol makes a listener from its configuration: write `impl Listener for {Self}`"
)]
pub trait Listener: Send {
    /// Takes the address, so that a second process fails before it serves anything.
    fn bind(self: Box<Self>) -> BoxFuture<'static, Result<Box<dyn Bound>, BuildError>>;

    /// Why it would refuse this request for its size, before it is a call: `explain` asks. It refuses none by default.
    fn oversized(&self, _: &Request<Body>) -> Option<(Code, Cow<'static, str>)> {
        None
    }
}

/// A listener that has its address.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a listener that has its address",
    label = "`Bound` is not implemented for it",
    note = "`Listener::bind` takes the address and returns something that serves on it: write `impl Bound for {Self}`"
)]
pub trait Bound: Send {
    /// The address, with the port the system chose where the configuration said 0.
    fn address(&self) -> Address;

    /// What a client on this machine says to reach it; a Unix socket has no URL.
    fn url(&self) -> Option<String> {
        self.address().url()
    }

    /// Serves calls until the phase says to stop.
    fn serve(self: Box<Self>, entry: Entry, phase: watch::Receiver<Phase>) -> BoxFuture<'static, Served>;
}

/// Where a listener listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// An IP address and port.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

impl Address {
    /// What a client on this machine says to reach it with HTTP; a Unix socket has no URL.
    pub fn url(&self) -> Option<String> {
        match self {
            Self::Tcp(address) if address.ip().is_unspecified() => Some(format!("http://localhost:{}", address.port())),
            Self::Tcp(address) => Some(format!("http://{address}")),
            Self::Unix(_) => None,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// How far the process is on its way out. It only ever moves down this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Takes connections and calls.
    Serving,
    /// Still takes connections, because others learn late that it leaves; every reply asks for the connection to be closed.
    Draining,
    /// Takes no more connections; idle ones are closed, calls in flight go on.
    Closing,
    /// Calls in flight are cut off.
    Cutting,
}

/// What became of a listener.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// How many calls were cut off.
    pub cut: usize,
}
