//! Calls that a part of the process makes itself over HTTP: for keys that are published, for decisions of others.
//!
//! Each is bounded in time and size, follows no redirect, and goes out encrypted unless the other side is this machine
//! or YAML says otherwise.

use std::time::Duration;

use http::HeaderMap;
use thiserror::Error;

mod address;
#[cfg(feature = "outgoing")]
mod client;
#[cfg(not(feature = "outgoing"))]
#[path = "outgoing/absent.rs"]
mod client;
#[cfg(test)]
#[cfg(feature = "outgoing")]
pub(crate) mod tests;

pub use address::{Encryption, address};
pub use client::Outgoing;

/// Whose certificates are trusted.
#[derive(Clone, Copy, Debug)]
pub enum Trust<'a> {
    /// Nobody's: calls are not encrypted.
    Nobody,
    /// Those that the operating system trusts, or that `SSL_CERT_FILE` names.
    System,
    /// Those that one of these has signed: certificates in PEM.
    Signers(&'a [u8]),
}

/// What the other side speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2, also where nothing is encrypted and it cannot be asked for.
    Http2,
}

/// The fields that came behind the body of a reply: an extension of it.
#[derive(Clone, Debug)]
pub struct Trailers(pub HeaderMap);

/// What a call may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// How long it may take, from looking the name up to the last byte.
    pub time: Duration,
    /// How many bytes the body of the reply may have.
    pub body: usize,
}

/// Why a call brought nothing.
#[derive(Debug, Error)]
pub enum OutgoingError {
    /// The other side was not reached, or broke off.
    #[error("{0}")]
    Broken(String),
    /// It took too long.
    #[error("no whole answer within {}", crate::conf::Interval(*.0))]
    Late(Duration),
    /// The reply is too large.
    #[error("the answer has more than {0} bytes")]
    TooLarge(usize),
}
