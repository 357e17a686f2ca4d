//! TLS in front of HTTP: the handshake that a connection passes before it carries calls.
//!
//! A connection is counted, bounded in time and told to leave from the moment it is accepted, so that the handshake is
//! nothing that anybody could wait in for ever. What encrypts is behind the feature `tls`; a listener in the clear has
//! no part in it.

use std::time::Duration;

use crate::conf::FileRef;

#[cfg(feature = "tls")]
mod acceptor;
#[cfg(not(feature = "tls"))]
#[path = "tls/absent.rs"]
mod acceptor;

#[cfg(test)]
#[cfg(feature = "tls")]
pub(crate) mod fixture;

pub(crate) use acceptor::{Acceptor, certificate};

/// What a listener encrypts with, and whom it knows by a certificate.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    /// The certificate of the listener and those between it and a root, in PEM.
    pub certificate: FileRef,
    /// Its private key, in PEM.
    pub key: FileRef,
    /// Who may sign the certificates of callers; without it they are asked for none.
    pub clients: Option<Clients>,
    /// How often the files are looked at for a change.
    pub reload: Duration,
}

/// Who may sign the certificates of callers.
#[derive(Clone, Debug)]
pub(crate) struct Clients {
    /// Their certificates, in PEM.
    pub signers: FileRef,
    /// What becomes of a caller that shows none.
    pub demand: Demand,
}

/// What becomes of a caller that shows no certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Demand {
    /// It gets no connection.
    Required,
    /// It gets one, on which it is nobody.
    Optional,
}
