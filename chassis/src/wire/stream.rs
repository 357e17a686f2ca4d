//! The bytes of a connection, watched: when some arrive, when the peer stops reading or goes away, and how it ends.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

use super::flaw::Flaw;
use super::line::{Doing, Left, Line};

/// What an HTTP/2 client sends first (RFC 9113 §3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The most bytes that the system is given at once. A packet on the way to a process of the same machine holds a little
/// less than 64 KiB: with two packets for every piece, a body of 4 MiB cost three times as much.
const MOST_AT_ONCE: usize = 60 << 10;

const GONE: &str = "the peer closed the connection before it had its reply";

/// What a peer speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spoken {
    /// HTTP/1.0 or HTTP/1.1.
    Http1,
    /// HTTP/2, with prior knowledge.
    Http2,
    /// Nothing: the peer went away before that was clear.
    Nothing,
}

/// The bytes of a connection, watched.
pub(super) struct Stream<T> {
    io: T,
    line: Arc<Line>,
    /// What was read ahead of whoever reads, to see what the peer speaks or whether it is still there.
    ahead: [u8; PREFACE.len()],
    given: usize,
    filled: usize,
    http2: bool,
    /// Whether the peer will send nothing more, and hyper knows.
    ended: bool,
    blocked: bool,
    shut: bool,
    last_words: Bytes,
}

impl<T: AsyncRead + Unpin> Stream<T> {
    pub(super) fn new(io: T, line: Arc<Line>) -> Self {
        Self {
            io,
            line,
            ahead: [0; PREFACE.len()],
            given: 0,
            filled: 0,
            http2: false,
            ended: false,
            blocked: false,
            shut: false,
            last_words: Bytes::new(),
        }
    }

    /// Reads until it is clear what the peer speaks. What was read is given out again.
    pub(super) async fn sniff(&mut self) -> io::Result<Spoken> {
        while self.filled < PREFACE.len() {
            match self.io.read(&mut self.ahead[self.filled..]).await? {
                0 => return Ok(Spoken::Nothing),
                count => self.filled += count,
            }
            self.line.received();
            if self.ahead[..self.filled] != PREFACE[..self.filled] {
                return Ok(Spoken::Http1);
            }
        }
        self.http2 = true;
        Ok(Spoken::Http2)
    }
}

impl<T> Stream<T> {
    fn give(&mut self, buffer: &mut ReadBuf<'_>) -> bool {
        let rest = &self.ahead[self.given..self.filled];
        let count = rest.len().min(buffer.remaining());
        buffer.put_slice(&rest[..count]);
        self.given += count;
        count > 0
    }

    /// Notes whether the peer has room for more.
    fn wrote<R>(&mut self, outcome: Poll<R>) -> Poll<R> {
        if outcome.is_pending() != self.blocked {
            self.blocked = outcome.is_pending();
            if self.blocked { self.line.block() } else { self.line.unblock() }
        }
        outcome
    }

    /// Whether the peer may still be sending. To close the connection then makes the system answer with a reset,
    /// which can destroy the reply before the peer has read it (RFC 9112 §9.6).
    fn may_be_sending(&self) -> bool {
        self.line.has_refused() || self.line.is_reading_head() || self.line.has_left(Left::Little)
    }

    /// Puts a problem document in the place of what hyper says about bytes that are no request. It does so when no call
    /// has anything left to say, in one piece, and last.
    fn rephrase(&mut self, bytes: &[u8]) -> Option<usize> {
        if self.http2 || !self.line.is_silent() {
            return None;
        }
        let (flaw, words) = Flaw::last_words_instead(bytes, self.line.server.head)?;
        self.last_words = words.into();
        self.line.refuse(flaw.code);
        Some(bytes.len())
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Stream<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let has_given = this.given < this.filled && this.give(buffer);
        // With what was read ahead comes what has arrived since: of a body that nobody took hyper reads what one read
        // brings, and closes the connection if that is not the rest.
        if !has_given || buffer.remaining() > 0 {
            let read = Pin::new(&mut this.io).poll_read(cx, buffer)?;
            if !has_given && read.is_pending() {
                return Poll::Pending;
            }
        }
        if buffer.filled().len() == before {
            this.ended = buffer.remaining() > 0;
        } else if !this.http2 {
            // HTTP/2 sends more than requests; its connections are idle until there is a call.
            this.line.received();
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stream<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if let Some(count) = this.rephrase(bytes) {
            return Poll::Ready(Ok(count));
        }
        let outcome = Pin::new(&mut this.io).poll_write(cx, &bytes[..bytes.len().min(MOST_AT_ONCE)]);
        if outcome.is_pending() {
            this.look_out(cx)?;
        }
        this.wrote(outcome)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.io).poll_write_vectored(cx, slices);
        this.wrote(outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.say(cx))?;
        let outcome = Pin::new(&mut this.io).poll_flush(cx);
        if outcome.is_ready() {
            this.line.flushed();
        }
        this.look_out(cx)?;
        this.wrote(outcome)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.shut {
            ready!(this.say(cx))?;
            let outcome = Pin::new(&mut this.io).poll_shutdown(cx);
            ready!(this.wrote(outcome))?;
            this.shut = true;
            if !this.may_be_sending() {
                return Poll::Ready(Ok(()));
            }
            this.line.note(Doing::Leaving);
        }
        this.drain(cx)
    }
}

impl<T: AsyncWrite + Unpin> Stream<T> {
    /// Sends what is left of the last words, if there are any.
    fn say(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.last_words.is_empty() {
            let outcome = Pin::new(&mut self.io).poll_write(cx, &self.last_words);
            match ready!(self.wrote(outcome))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.last_words.advance(count),
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + Unpin> Stream<T> {
    /// Looks whether the peer is still there while it waits for a reply; the task is woken when it goes. hyper flushes
    /// whenever it has done what it can, so every time a call begins to wait. What is read is what comes next, of the same
    /// request or another; behind that, a peer that goes is not seen until the call has ended, nor while an operation
    /// holds a body that it began to wait for and does not ask any more.
    ///
    /// # Errors
    /// It has closed the connection, or its half of it: whoever does that before the reply is taken to have given up.
    fn look_out(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.http2 || !self.line.is_answering() || self.ended || self.given < self.filled {
            return Ok(());
        }
        // hyper reads what a body waits for, and sees there whether more comes.
        if self.line.waits.watch(cx) {
            return Ok(());
        }
        let mut ahead = ReadBuf::new(&mut self.ahead);
        let Poll::Ready(read) = Pin::new(&mut self.io).poll_read(cx, &mut ahead) else { return Ok(()) };
        (self.given, self.filled) = (0, ahead.filled().len());
        match read? {
            () if self.filled == 0 => Err(io::Error::new(io::ErrorKind::ConnectionAborted, GONE)),
            () => Ok(()),
        }
    }

    /// Reads and drops what the peer still sends, until it closes. The watching task bounds how long.
    fn drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut scratch = [0; 4 << 10];
        loop {
            let mut buffer = ReadBuf::new(&mut scratch);
            ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer))?;
            if buffer.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}
