//! The way out of a TCP connection, for its task and for whoever sends what was held.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use rustix::net::{SendFlags, send};
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use crate::lock::locked;

/// How a peer that is gone is no signal. Where there is no flag for it, the standard library has seen to that.
#[cfg(not(target_vendor = "apple"))]
pub(super) const QUIETLY: SendFlags = SendFlags::NOSIGNAL;
#[cfg(target_vendor = "apple")]
pub(super) const QUIETLY: SendFlags = SendFlags::empty();

/// The way out of a connection.
pub(super) struct Outlet {
    pub(super) stream: TcpStream,
    /// Whether the peer had no room for all that was held.
    is_behind: AtomicBool,
    rest: Mutex<Rest>,
    /// That of the stream. Whoever sends what was held may have another, or none.
    runtime: Option<Handle>,
}

/// What the peer had no room for.
#[derive(Default)]
struct Rest {
    bytes: Vec<u8>,
    /// Who sends it: the task of the connection may have nothing more to write, and look at nothing.
    sender: Option<AbortHandle>,
}

impl Outlet {
    pub(super) fn new(stream: TcpStream) -> Self {
        let runtime = Handle::try_current().ok();
        Self { stream, is_behind: AtomicBool::new(false), rest: Mutex::default(), runtime }
    }

    /// Sends what there is room for.
    pub(super) fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.try_io(Interest::WRITABLE, || Ok(send(&self.stream, bytes, QUIETLY)?))
    }

    /// Whether a part of what was held is still to be sent.
    pub(super) fn is_behind(&self) -> bool {
        self.is_behind.load(Ordering::Acquire)
    }

    /// Sends, behind what was held and is left. Only the task of the connection does.
    pub(super) fn poll_send(
        &self,
        cx: &mut Context<'_>,
        send: impl Fn(&Self) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_caught_up(cx))?;
        self.poll_with_room(cx, || send(self))
    }

    /// Sends what was held and is left. Only the task of the connection does.
    pub(super) fn poll_caught_up(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.is_behind() {
            ready!(self.poll_with_room(cx, || self.send_rest()))?;
        }
        Poll::Ready(Ok(()))
    }

    /// Sends as soon as the peer has room.
    fn poll_with_room<T>(&self, cx: &mut Context<'_>, send: impl Fn() -> io::Result<T>) -> Poll<io::Result<T>> {
        loop {
            match send() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready!(self.stream.poll_write_ready(cx))?,
                outcome => return Poll::Ready(outcome),
            }
        }
    }

    fn send_rest(&self) -> io::Result<()> {
        let mut rest = locked(&self.rest);
        let count = self.send(&rest.bytes)?;
        rest.bytes.drain(..count);
        if rest.bytes.is_empty() {
            rest.bytes = Vec::new();
            self.is_behind.store(false, Ordering::Release);
        }
        Ok(())
    }

    /// Leaves what there was no room for to a task that sends it.
    #[cold]
    pub(super) fn postpone(self: &Arc<Self>, bytes: &[u8]) {
        let mut rest = locked(&self.rest);
        rest.bytes.extend_from_slice(bytes);
        self.is_behind.store(true, Ordering::Release);
        if rest.sender.is_none()
            && let Some(runtime) = &self.runtime
        {
            rest.sender = Some(runtime.spawn(Arc::clone(self).catch_up()).abort_handle());
        }
    }

    async fn catch_up(self: Arc<Self>) {
        while !self.is_done() {
            let is_writable = self.stream.writable().await.is_ok();
            // A peer that is gone is the matter of whoever reads.
            let is_lost = |error: io::Error| error.kind() != io::ErrorKind::WouldBlock;
            if !is_writable || self.send_rest().is_err_and(is_lost) {
                return;
            }
        }
    }

    /// Whether nothing is left; then the next rest has another sender. There is never more than one.
    fn is_done(&self) -> bool {
        let mut rest = locked(&self.rest);
        let is_done = rest.bytes.is_empty();
        if is_done {
            rest.sender = None;
        }
        is_done
    }

    /// The connection is over, and what is left with it.
    pub(super) fn give_up(&self) {
        // A socket that refuses is already dead.
        let _ = self.stream.set_zero_linger();
        if let Some(sender) = locked(&self.rest).sender.take() {
            sender.abort();
        }
    }
}
