//! A TCP connection that asks the system itself.
//!
//! The C library lets a thread be cancelled in each call that may wait. None of ours does, and four atomic operations a
//! request were spent on it.

use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustix::net::{RecvFlags, recv};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

use super::batch::Holding;
use super::outlet::Outlet;

/// Whether less than there was room for means that no more has arrived: what tokio takes readiness from says so on these
/// systems. Asking for more would be a call of the system for nothing.
const LESS_IS_ALL: bool = cfg!(any(target_os = "linux", target_os = "android", target_os = "macos"));

/// How often in a row there may be something to read or room to write before other tasks have their turn, as in tokio.
const MOST_IN_A_ROW: u8 = 128;

/// A TCP connection.
pub(crate) struct Tcp {
    pub(super) outlet: Arc<Outlet>,
    holding: Holding,
    // Whether the peer had no room for what was last to be sent.
    blocked: bool,
    // Whether it had room for a part of it.
    short: bool,
    in_a_row: u8,
}

impl Drop for Tcp {
    /// A peer that does not read has no claim to what is left: the system would keep it for as long as the peer likes.
    fn drop(&mut self) {
        self.holding.settle();
        if self.blocked || self.outlet.is_behind() {
            self.outlet.give_up();
        }
    }
}

impl Tcp {
    pub(super) fn new(stream: TcpStream) -> Self {
        let outlet = Arc::new(Outlet::new(stream));
        Self { outlet, holding: Holding::default(), blocked: false, short: false, in_a_row: 0 }
    }

    /// Whether the peer had no room for what was last to be sent.
    #[cfg(test)]
    pub(super) fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// A peer that is faster than we are must not keep its thread to itself: tokio sees to that only where it is asked.
    #[inline]
    fn poll_turn(&mut self, cx: &Context<'_>) -> Poll<()> {
        if self.in_a_row < MOST_IN_A_ROW {
            return Poll::Ready(());
        }
        self.in_a_row = 0;
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Reads once, if tokio knows of anything to read.
    fn receive(&mut self, buffer: &mut ReadBuf<'_>) -> io::Result<()> {
        let mut received = None;
        let stream = &self.outlet.stream;
        let outcome = stream.try_io(Interest::READABLE, || {
            #[expect(unsafe_code, reason = "to make the room readable first costs more than to read")]
            // SAFETY: nothing but what the system writes is written there.
            let room = unsafe { buffer.unfilled_mut() };
            let length = room.len();
            let (_, count) = recv(stream, room, RecvFlags::empty())?;
            received = Some(count);
            // It is all, and tokio must hear of more before the next try.
            if LESS_IS_ALL && (1..length).contains(&count) {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            self.in_a_row += 1;
            Ok(())
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

    /// Holds what is to be sent for a moment, or sends it.
    fn poll_part(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
        send: impl Fn(&Outlet) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_turn(cx));
        let length = bytes.iter().map(|piece| piece.len()).sum();
        // What the peer had no room for a moment ago it has hardly room for now.
        let outcome = if !self.short && self.holding.hold(&self.outlet, bytes) {
            Poll::Ready(Ok(length))
        } else {
            self.outlet.poll_send(cx, send)
        };
        self.blocked = outcome.is_pending();
        self.short = matches!(outcome, Poll::Ready(Ok(count)) if count < length);
        self.in_a_row = if self.blocked { 0 } else { self.in_a_row + 1 };
        outcome
    }
}

impl AsyncRead for Tcp {
    #[inline]
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_turn(cx));
        loop {
            match this.receive(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    this.in_a_row = 0;
                    ready!(this.outlet.stream.poll_read_ready(cx))?;
                }
                outcome => return Poll::Ready(outcome),
            }
        }
    }
}

impl AsyncWrite for Tcp {
    #[inline]
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().poll_part(cx, &[IoSlice::new(bytes)], |outlet| outlet.send(bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().poll_part(cx, slices, |outlet| outlet.stream.try_write_vectored(slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// What is held is on its way, and counts as sent. What is left of it does not.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outlet.poll_caught_up(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.holding.settle();
        ready!(this.outlet.poll_caught_up(cx))?;
        match SockRef::from(&this.outlet.stream).shutdown(Shutdown::Write) {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Poll::Ready(Ok(())),
            outcome => Poll::Ready(outcome),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

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

    /// How often something is done at once, before others have their turn.
    async fn in_a_row(mut done: impl FnMut(&mut Context<'_>) -> Poll<io::Result<()>>) -> usize {
        let mut count = 0;
        poll_fn(|cx| {
            while let Poll::Ready(outcome) = done(cx) {
                outcome.unwrap();
                count += 1;
            }
            Poll::Ready(())
        })
        .await;
        count
    }

    #[tokio::test]
    async fn a_peer_that_sends_without_end_leaves_others_their_turn() {
        let (mut tcp, mut peer) = pair().await;
        peer.write_all(&[7; 1000]).await.unwrap();
        tcp.outlet.stream.readable().await.unwrap();
        let mut byte = [0];
        let read = in_a_row(|cx| Pin::new(&mut tcp).poll_read(cx, &mut ReadBuf::new(&mut byte))).await;
        assert!((1..=usize::from(MOST_IN_A_ROW)).contains(&read), "{read}");
        let mut rest = vec![0; 1000 - read];
        tcp.read_exact(&mut rest).await.unwrap();
        assert_eq!(rest, [7].repeat(1000 - read));
    }

    #[tokio::test]
    async fn a_peer_that_takes_all_there_is_leaves_others_their_turn() {
        let (mut tcp, mut peer) = pair().await;
        let written = in_a_row(|cx| Pin::new(&mut tcp).poll_write(cx, &[7]).map_ok(|_| ())).await;
        assert!((1..=usize::from(MOST_IN_A_ROW)).contains(&written), "{written}");
        tcp.write_all(&[8]).await.unwrap();
        let mut all = vec![0; written + 1];
        peer.read_exact(&mut all).await.unwrap();
        assert_eq!(all.last(), Some(&8));
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
