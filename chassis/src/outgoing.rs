//! Calls that a part of the process makes itself over HTTP: for keys that are published, for decisions of others.
//!
//! Each is bounded in time and size, follows no redirect, and goes out encrypted unless the other side is this machine
//! or YAML says otherwise.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;

use crate::conf::BuildError;

mod address;
#[cfg(test)]
pub(crate) mod tests;

pub use address::{Encryption, address};

/// Makes calls. Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub struct Outgoing(Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

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

/// How long a connection is kept for the next call.
const IDLE: Duration = Duration::from_secs(30);

impl Outgoing {
    /// Trusts the certificates that the operating system trusts, or those that `SSL_CERT_FILE` names.
    ///
    /// # Errors
    /// There are none.
    pub fn build() -> Result<Self, BuildError> {
        let mut roots = RootCertStore::empty();
        let (added, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if added == 0 {
            let help = "install the package `ca-certificates`, or name a file in the environment: SSL_CERT_FILE";
            return Err(BuildError::new("", "no certificates are trusted on this machine").with_help(help));
        }
        Self::trusting(roots)
    }

    /// Trusts no certificates: for calls that are not encrypted.
    ///
    /// # Errors
    /// The cryptography is not there.
    pub fn plain() -> Result<Self, BuildError> {
        Self::trusting(RootCertStore::empty())
    }

    fn trusting(roots: RootCertStore) -> Result<Self, BuildError> {
        // The provider is named: a default of the process is neither set nor read.
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let tls = tls.map_err(|error| BuildError::new("", format!("encryption is not there: {error}")))?;
        let tls = tls.with_root_certificates(roots).with_no_client_auth();
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
        let mut builder = Client::builder(TokioExecutor::new());
        builder.pool_idle_timeout(IDLE).pool_timer(TokioTimer::new());
        Ok(Self(builder.build(connector)))
    }

    /// Makes a call and takes in the whole reply, whatever its status is. A redirect is a reply like any other.
    ///
    /// # Errors
    /// There was no whole reply within the bounds.
    pub async fn send(&self, request: Request<Full<Bytes>>, bounds: Bounds) -> Result<Response<Bytes>, OutgoingError> {
        let whole = tokio::time::timeout(bounds.time, self.whole(request, bounds.body)).await;
        whole.unwrap_or(Err(OutgoingError::Late(bounds.time)))
    }

    /// Asks for what stands at an address.
    ///
    /// # Errors
    /// As of [`send`](Self::send).
    pub async fn get(&self, address: &Uri, bounds: Bounds) -> Result<Response<Bytes>, OutgoingError> {
        let mut request = Request::new(Full::default());
        *request.uri_mut() = address.clone();
        self.send(request, bounds).await
    }

    async fn whole(&self, request: Request<Full<Bytes>>, most: usize) -> Result<Response<Bytes>, OutgoingError> {
        let response = self.0.request(request).await.map_err(|error| OutgoingError::Broken(chain(&error)))?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, most).collect().await.map_err(|error| match error.is::<LengthLimitError>() {
            true => OutgoingError::TooLarge(most),
            false => OutgoingError::Broken(chain(&*error)),
        })?;
        Ok(Response::from_parts(parts, body.to_bytes()))
    }
}

/// An error with all its causes: the outermost alone says only that something went wrong.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
