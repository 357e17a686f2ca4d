//! The client: HTTP/1.1 or HTTP/2, over TLS where the address says so.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::{Bounds, Dialect, OutgoingError, Trailers, Trust};
use crate::conf::BuildError;

/// Makes calls. Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub struct Outgoing(Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

/// How long a connection is kept for the next call.
const IDLE: Duration = Duration::from_secs(30);

impl Outgoing {
    /// Speaks HTTP/1.1, and trusts the certificates that the operating system trusts, or those that `SSL_CERT_FILE` names.
    ///
    /// # Errors
    /// There are none.
    pub fn build() -> Result<Self, BuildError> {
        Self::speaking(Dialect::Http1, Trust::System)
    }

    /// Speaks HTTP/1.1, and trusts no certificates: for calls that are not encrypted.
    ///
    /// # Errors
    /// The cryptography is not there.
    pub fn plain() -> Result<Self, BuildError> {
        Self::speaking(Dialect::Http1, Trust::Nobody)
    }

    /// Speaks what the other side does, and trusts whom it is told to.
    ///
    /// # Errors
    /// There are no certificates to trust, or the cryptography is not there.
    pub fn speaking(dialect: Dialect, trust: Trust<'_>) -> Result<Self, BuildError> {
        let connector = HttpsConnectorBuilder::new().with_tls_config(trust.tls()?).https_or_http();
        let connector = match dialect {
            Dialect::Http1 => connector.enable_http1().build(),
            Dialect::Http2 => connector.enable_http2().build(),
        };
        let mut builder = Client::builder(TokioExecutor::new());
        builder.pool_idle_timeout(IDLE).pool_timer(TokioTimer::new()).http2_only(dialect == Dialect::Http2);
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
        let trailers = body.trailers().cloned().map(Trailers);
        let mut response = Response::from_parts(parts, body.to_bytes());
        trailers.and_then(|trailers| response.extensions_mut().insert(trailers));
        Ok(response)
    }
}

impl Trust<'_> {
    /// How to encrypt a connection to somebody who is trusted so.
    ///
    /// # Errors
    /// There are no certificates to trust, or the cryptography is not there.
    pub(crate) fn tls(self) -> Result<ClientConfig, BuildError> {
        // The provider is named: a default of the process is neither set nor read.
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let tls = tls.map_err(|error| BuildError::new("", format!("encryption is not there: {error}")))?;
        Ok(tls.with_root_certificates(self.roots()?).with_no_client_auth())
    }

    fn roots(self) -> Result<RootCertStore, BuildError> {
        let mut roots = RootCertStore::empty();
        let (certificates, missing, help) = match self {
            Self::Nobody => return Ok(roots),
            Self::System => (
                rustls_native_certs::load_native_certs().certs,
                "no certificates are trusted on this machine",
                "install the package `ca-certificates`, or name a file in the environment: SSL_CERT_FILE",
            ),
            Self::Signers(pem) => (
                CertificateDer::pem_slice_iter(pem).filter_map(Result::ok).collect(),
                "there is no certificate in it",
                "write certificates in PEM: they begin with `-----BEGIN CERTIFICATE-----`",
            ),
        };
        let (added, _) = roots.add_parsable_certificates(certificates);
        if added == 0 { Err(BuildError::new("", missing).with_help(help)) } else { Ok(roots) }
    }
}

/// An error with all its causes: the outermost alone says only that something went wrong.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
