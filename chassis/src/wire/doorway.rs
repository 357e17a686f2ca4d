//! What an accepted connection passes before it carries calls: nothing, or a handshake.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;

use super::line::Line;
use super::{Connection, connection};

/// What an accepted connection passes before it carries calls.
pub(super) trait Doorway: Send + 'static {
    /// Serves one connection, in a task of its own.
    fn open<T, C>(&self, tasks: &mut JoinSet<()>, io: T, line: Arc<Line>, calls: C)
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        C: Connection;
}

/// Nothing.
pub(super) struct Open;

impl Doorway for Open {
    fn open<T, C>(&self, tasks: &mut JoinSet<()>, io: T, line: Arc<Line>, calls: C)
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        C: Connection,
    {
        tasks.spawn(connection::run(io, line, calls, None));
    }
}
