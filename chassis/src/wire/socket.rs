//! The sockets of a listener, and the connections they accept.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixStream, lookup_host};

use super::accept::Accept;
use super::refused::refused;
use super::tcp::Tcp;
use super::unix::UnixSocket;
use crate::conf::BuildError;
use crate::invocation::Peer;
use crate::protocol::{Address, Listen};

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;

/// How long nothing may come before the system asks whether the peer is still there.
const SILENCE: Duration = Duration::from_secs(60);

/// The sockets of a listener: more than one where a name stands for several addresses.
pub(crate) struct Sockets {
    first: Socket,
    more: Vec<Socket>,
    turn: bool,
}

enum Socket {
    Tcp(TcpListener, SocketAddr),
    Unix(UnixSocket),
}

impl Sockets {
    /// Takes the address.
    ///
    /// # Errors
    /// It is in use, is not of this machine, or may not be used.
    pub(crate) async fn bind(listen: &Listen) -> Result<Self, BuildError> {
        let bound = match listen {
            Listen::All(port) => all(*port),
            Listen::Ip(address) => tcp(*address),
            Listen::Name(name, port) => return named(name, *port).await.map_err(|error| refused(listen, &error)),
            Listen::Unix(path) => UnixSocket::bind(path).await.map(Socket::Unix),
        };
        let first = bound.map_err(|error| refused(listen, &error))?;
        Ok(Self { first, more: Vec::new(), turn: false })
    }

    /// The address, the first one if there are several.
    pub(crate) fn address(&self) -> Address {
        match &self.first {
            Socket::Tcp(_, address) => Address::Tcp(*address),
            Socket::Unix(socket) => Address::Unix(socket.path().to_owned()),
        }
    }
}

/// Every address of the machine; IPv4 alone where the kernel has no IPv6.
fn all(port: u16) -> io::Result<Socket> {
    match tcp((Ipv6Addr::UNSPECIFIED, port).into()) {
        Err(error) if lacks_family(&error) => tcp((Ipv4Addr::UNSPECIFIED, port).into()),
        bound => bound,
    }
}

fn lacks_family(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::AddrNotAvailable)
        || error.raw_os_error() == Some(EAFNOSUPPORT)
}

/// "Address family not supported"; the standard library has no name for it.
const EAFNOSUPPORT: i32 = if cfg!(target_os = "macos") { 47 } else { 97 };

/// Every address the name stands for, on one port.
async fn named(name: &str, port: u16) -> io::Result<Sockets> {
    let mut bound = Vec::new();
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the name stands for no address");
    let mut port = port;
    // The system has no kind of error for it.
    let unknown = |error: io::Error| io::Error::new(io::ErrorKind::NotFound, error);
    for mut address in lookup_host((name, port)).await.map_err(unknown)? {
        address.set_port(port);
        match tcp(address) {
            Ok(socket) => {
                if let Socket::Tcp(_, address) = &socket {
                    port = address.port();
                }
                bound.push(socket);
            }
            // A name may stand for an address of a family that this machine does not have.
            Err(error) if lacks_family(&error) => failure = error,
            Err(error) => return Err(error),
        }
    }
    let mut bound = bound.into_iter();
    let first = bound.next().ok_or(failure)?;
    Ok(Sockets { first, more: bound.collect(), turn: false })
}

fn tcp(address: SocketAddr) -> io::Result<Socket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    let options = SockRef::from(&socket);
    if address.ip() == Ipv6Addr::UNSPECIFIED {
        options.set_only_v6(false)?;
    }
    // Connections inherit it. A peer that vanished is noticed also while its call waits or its reply pauses.
    options.set_tcp_keepalive(&TcpKeepalive::new().with_time(SILENCE).with_interval(SILENCE / 6))?;
    // Lets a new process listen while connections of the former one still linger.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    let listener = socket.listen(BACKLOG)?;
    let address = listener.local_addr()?;
    Ok(Socket::Tcp(listener, address))
}

impl Accept for Sockets {
    type Stream = Connected;

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(Connected, Peer)>> {
        // In turns, so that one busy address does not starve the others.
        self.turn = !self.turn;
        let more = self.more.iter_mut();
        let mut poll = |socket: &mut Socket| match socket.poll_accept(cx) {
            Poll::Ready(accepted) => Some(accepted),
            Poll::Pending => None,
        };
        let accepted = if self.turn {
            std::iter::once(&mut self.first).chain(more).find_map(&mut poll)
        } else {
            more.chain(std::iter::once(&mut self.first)).find_map(&mut poll)
        };
        accepted.map_or(Poll::Pending, Poll::Ready)
    }

    fn close(self, room: usize) -> Vec<(Connected, Peer)> {
        let mut waiting = Vec::new();
        for socket in std::iter::once(self.first).chain(self.more) {
            // The first failure ends it: at best nothing is waiting, at worst the process has no descriptors left.
            let _ = socket.close(room, &mut waiting);
        }
        waiting
    }
}

impl Socket {
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(Connected, Peer)>> {
        match self {
            Self::Tcp(listener, _) => listener.poll_accept(cx).map_ok(|(stream, address)| over_tcp(stream, address)),
            Self::Unix(socket) => socket.poll_accept(cx).map_ok(over_unix),
        }
    }

    /// Asks the operating system itself: what tokio knows may be older than what is waiting.
    fn close(self, room: usize, waiting: &mut Vec<(Connected, Peer)>) -> io::Result<()> {
        match self {
            Self::Tcp(listener, _) => {
                let listener = listener.into_std()?;
                while waiting.len() < room {
                    let (stream, address) = listener.accept()?;
                    stream.set_nonblocking(true)?;
                    waiting.push(over_tcp(TcpStream::from_std(stream)?, address));
                }
            }
            Self::Unix(socket) => {
                let listener = socket.close()?;
                while waiting.len() < room {
                    let (stream, _) = listener.accept()?;
                    stream.set_nonblocking(true)?;
                    waiting.push(over_unix(UnixStream::from_std(stream)?));
                }
            }
        }
        Ok(())
    }
}

fn over_tcp(stream: TcpStream, address: SocketAddr) -> (Connected, Peer) {
    // Replies are written whole; waiting for more to send only delays them. A socket that refuses is already dead,
    // which reading it will tell.
    let _ = stream.set_nodelay(true);
    let address = SocketAddr::new(address.ip().to_canonical(), address.port());
    (Connected::Tcp { stream: Tcp::new(stream) }, Peer::Ip(address))
}

fn over_unix(stream: UnixStream) -> (Connected, Peer) {
    (Connected::Unix { stream }, Peer::Unix)
}

pin_project! {
    /// An accepted connection.
    #[project = ConnectedPinned]
    pub(crate) enum Connected {
        /// Over TCP.
        Tcp { #[pin] stream: Tcp },
        /// Over a Unix socket.
        Unix { #[pin] stream: UnixStream },
    }
}

macro_rules! delegate {
    ($connected:expr, $method:ident $(, $argument:expr)*) => {
        match $connected.project() {
            ConnectedPinned::Tcp { stream } => stream.$method($($argument),*),
            ConnectedPinned::Unix { stream } => stream.$method($($argument),*),
        }
    };
}

impl AsyncRead for Connected {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        delegate!(self, poll_read, cx, buffer)
    }
}

impl AsyncWrite for Connected {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        delegate!(self, poll_write, cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        delegate!(self, poll_write_vectored, cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self, poll_flush, cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self, poll_shutdown, cx)
    }
}
