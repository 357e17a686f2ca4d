//! What stands for TLS in a program whose listeners do not encrypt: it cannot be built, and says what to do.

use std::convert::Infallible;

use tokio::sync::watch;

use super::Credentials;
use crate::conf::{BuildContext, BuildError};
use crate::invocation::Certificate;
use crate::protocol::{Phase, Served};
use crate::wire::accept::Accept;
use crate::wire::{Limits, Serve};

/// Encrypts connections, in a program with the feature `tls`; there is none in this one.
pub(crate) struct Acceptor(Infallible);

impl Acceptor {
    /// Says what to do.
    ///
    /// # Errors
    /// Always.
    pub(crate) fn build(_: Credentials, _: &BuildContext<'_>) -> Result<Self, BuildError> {
        Err(absent())
    }

    /// Never called.
    pub(crate) async fn serve<A: Accept, S: Serve>(self, _: A, _: S, _: &Limits, _: watch::Receiver<Phase>) -> Served {
        match self.0 {}
    }
}

/// Says what to do.
///
/// # Errors
/// Always.
pub(crate) fn certificate(_: &[u8]) -> Result<Certificate, BuildError> {
    Err(absent())
}

fn absent() -> BuildError {
    let help = "chassis speaks TLS with a feature: write `features = [\"tls\"]` for `chassis` into the `Cargo.toml` of \
                the service";
    BuildError::new("", "this program speaks no TLS").with_help(help)
}
