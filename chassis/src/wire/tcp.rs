//! A TCP connection that asks the system itself.
//!
//! The C library lets a thread be cancelled in each call that may wait. None of ours does, and four atomic operations a
//! request were spent on it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::net::{RecvFlags, SendFlags, recv, send};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

/// Whether less than there was room for means that no more has arrived: what tokio takes readiness from says so on these
/// systems. Asking for more would be a call of the system for nothing.
const LESS_IS_ALL: bool = cfg!(any(target_os = "linux", target_os = "android", target_os = "macos"));

/// A TCP connection.
pub(crate) struct Tcp {
    pub(super) stream: TcpStream,
    // Whether the peer had no room for what was last to be sent.
    blocked: bool,
}

impl Drop for Tcp {
    /// A peer that does not read has no claim to what is left: the system would keep it for as long as the peer likes.
    fn drop(&mut self) {
        if self.blocked {
            // A socket that refuses is already dead.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl Tcp {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, blocked: false }
    }

    /// Reads once, if tokio knows of anything to read.
    fn receive(&self, buffer: &mut ReadBuf<'_>) -> io::Result<()> {
        let mut received = None;
        let outcome = self.stream.try_io(Interest::READABLE, || {
            #[expect(unsafe_code, reason = "to make the room readable first costs more than to read")]
            // SAFETY: nothing but what the system writes is written there.
            let room = unsafe { buffer.unfilled_mut() };
            let length = room.len();
            let (_, count) = recv(&self.stream, room, RecvFlags::empty())?;
            received = Some(count);
            // It is all, and tokio must hear of more before the next try.
            if LESS_IS_ALL && (1..length).contains(&count) { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
        });
        let Some(count) = received else { return outcome };
        #[expect(unsafe_code, reason = "only the system knows how much it wrote")]
        // SAFETY: the system wrote this many bytes from the start of the room.
        unsafe {
            buffer.assume_init(count);
        }
        buffer.advance(count);
        Ok(())
    }

    fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.try_io(Interest::WRITABLE, || Ok(send(&self.stream, bytes, SendFlags::NOSIGNAL)?))
    }
}

impl AsyncRead for Tcp {
    #[inline]
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            match self.receive(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready!(self.stream.poll_read_ready(cx))?,
                outcome => return Poll::Ready(outcome),
            }
        }
    }
}

impl AsyncWrite for Tcp {
    #[inline]
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        loop {
            let outcome = this.send(bytes);
            this.blocked = outcome.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
            if !this.blocked {
                return Poll::Ready(outcome);
            }
            ready!(this.stream.poll_write_ready(cx))?;
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_write_vectored(cx, slices);
        this.blocked = outcome.is_pending();
        outcome
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    async fn pair() -> (Tcp, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (Tcp::new(listener.accept().await.unwrap().0), peer)
    }

    #[tokio::test]
    async fn all_bytes_arrive_in_order_whatever_the_room_and_the_rhythm() {
        let (mut tcp, mut peer) = pair().await;
        let sent: Vec<u8> = (0..100_000_u32).map(|number| number as u8).collect();
        let wanted = sent.clone();
        let sender = tokio::spawn(async move {
            for piece in sent.chunks(333) {
                peer.write_all(piece).await.unwrap();
                tokio::task::yield_now().await;
            }
        });
        let mut read = Vec::new();
        let mut room = [0; 1000];
        for size in [1, 332, 333, 334, 1000].into_iter().cycle() {
            match tcp.read(&mut room[..size]).await.unwrap() {
                0 => break,
                count => read.extend_from_slice(&room[..count]),
            }
        }
        sender.await.unwrap();
        assert!(read == wanted, "{} bytes of {}", read.len(), wanted.len());
    }

    #[tokio::test]
    async fn more_than_the_system_holds_is_written_when_the_peer_reads() {
        let (mut tcp, mut peer) = pair().await;
        let sent = vec![7; 16 << 20];
        let reader = tokio::spawn(async move {
            let mut read = Vec::new();
            peer.read_to_end(&mut read).await.unwrap();
            read.len()
        });
        tcp.write_all(&sent).await.unwrap();
        tcp.shutdown().await.unwrap();
        assert_eq!(reader.await.unwrap(), sent.len());
    }

    #[tokio::test]
    async fn a_peer_that_is_gone_is_an_error_and_no_signal() {
        let (mut tcp, peer) = pair().await;
        peer.set_zero_linger().unwrap();
        drop(peer);
        let gone = async { while tcp.write_all(&[0; 1 << 10]).await.is_ok() {} };
        tokio::time::timeout(std::time::Duration::from_secs(10), gone).await.unwrap();
    }
}
