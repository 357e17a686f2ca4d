//! The signals by which the platform or a person ends the process.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::Stream;
use tokio::signal::unix::{self, SignalKind};

/// A request to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// `SIGTERM`: from the platform.
    Terminate,
    /// `SIGINT`: from a person at the keyboard.
    Interrupt,
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Terminate => "SIGTERM",
            Self::Interrupt => "SIGINT",
        })
    }
}

/// The signals to this process. Once this exists they no longer kill it, not even after this is dropped.
#[derive(Debug)]
pub struct Signals {
    terminate: unix::Signal,
    interrupt: unix::Signal,
}

impl Signals {
    /// Starts to listen. Must be called within a runtime.
    ///
    /// # Errors
    /// The system does not let us.
    pub fn listen() -> io::Result<Self> {
        let terminate = unix::signal(SignalKind::terminate())?;
        let interrupt = unix::signal(SignalKind::interrupt())?;
        Ok(Self { terminate, interrupt })
    }
}

impl Stream for Signals {
    type Item = Signal;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Signal>> {
        if let Poll::Ready(Some(())) = self.terminate.poll_recv(cx) {
            return Poll::Ready(Some(Signal::Terminate));
        }
        if let Poll::Ready(Some(())) = self.interrupt.poll_recv(cx) {
            return Poll::Ready(Some(Signal::Interrupt));
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use futures_util::StreamExt;

    use super::*;

    #[tokio::test]
    async fn signals_to_the_process_are_seen() {
        let mut signals = Signals::listen().unwrap();
        for (name, signal) in [("TERM", Signal::Terminate), ("INT", Signal::Interrupt)] {
            let sent = Command::new("sh").arg("-c").arg(format!("kill -{name} $PPID")).status().unwrap();
            assert!(sent.success());
            assert_eq!(signals.next().await, Some(signal));
        }
    }
}
