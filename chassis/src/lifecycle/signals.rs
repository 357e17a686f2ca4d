//! The signals by which the platform or a person ends the process.
//!
//! | signal | means |
//! |---|---|
//! | `SIGTERM`, `SIGINT`, `SIGQUIT` | drain and end; a further one of them ends whatever is waited for |
//! | `SIGHUP` | nothing yet: it is logged. It does not end the process when its terminal closes |

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
    /// `SIGQUIT`: from a person at the keyboard, or the stop signal of some images. It leaves no core dump.
    Quit,
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Terminate => "SIGTERM",
            Self::Interrupt => "SIGINT",
            Self::Quit => "SIGQUIT",
        })
    }
}

/// The signals to this process. Once this exists they no longer kill it, not even after this is dropped.
#[derive(Debug)]
pub struct Signals {
    terminate: unix::Signal,
    interrupt: unix::Signal,
    quit: unix::Signal,
    hangup: unix::Signal,
}

impl Signals {
    /// Starts to listen. Must be called within a runtime; signals are then seen in any runtime, also after this one.
    ///
    /// # Errors
    /// The system does not let us.
    pub fn listen() -> io::Result<Self> {
        let listen = unix::signal;
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            quit: listen(SignalKind::quit())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }
}

impl Stream for Signals {
    type Item = Signal;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Signal>> {
        while let Poll::Ready(Some(())) = self.hangup.poll_recv(cx) {
            tracing::warn!("SIGHUP means nothing here: the process goes on as before; SIGTERM ends it");
        }
        let Self { terminate, interrupt, quit, .. } = &mut *self;
        let kinds = [(terminate, Signal::Terminate), (interrupt, Signal::Interrupt), (quit, Signal::Quit)];
        for (listening, signal) in kinds {
            if let Poll::Ready(Some(())) = listening.poll_recv(cx) {
                return Poll::Ready(Some(signal));
            }
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
        for (name, signal) in [("TERM", Signal::Terminate), ("INT", Signal::Interrupt), ("QUIT", Signal::Quit)] {
            send(name);
            assert_eq!(signals.next().await, Some(signal));
        }
        // It neither kills the process nor is mistaken for a request to end.
        ["HUP", "TERM"].into_iter().for_each(send);
        assert_eq!(signals.next().await, Some(Signal::Terminate));
    }

    fn send(name: &str) {
        assert!(Command::new("sh").arg("-c").arg(format!("kill -{name} $PPID")).status().unwrap().success());
    }
}
