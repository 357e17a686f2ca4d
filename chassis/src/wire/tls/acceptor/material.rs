//! What the files of a listener hold, proved to belong together before anything is encrypted with it.

use std::sync::Arc;

use ::aws_lc_rs::digest::{Context, SHA256};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{Error, InconsistentKeys, RootCertStore, ServerConfig};

use super::names;
use crate::clock::rfc3339;
use crate::conf::{BuildError, FileRef, Files};
use crate::invocation::Certificate;
use crate::wire::tls::{Clients, Credentials, Demand};

/// What the files hold.
pub(super) struct Material {
    certificate: Vec<u8>,
    key: Vec<u8>,
    signers: Option<Vec<u8>>,
}

/// What a connection may go on with, the better one first (RFC 7301).
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

impl Material {
    /// Reads the files.
    pub(super) fn read(credentials: &Credentials, files: &dyn Files) -> Result<Self, BuildError> {
        let read = |key: &str, file: &FileRef| files.read(file).map_err(|error| error.below(key));
        let signers = credentials.clients.as_ref().map(|clients| read("client-ca", &clients.signers));
        Ok(Self {
            certificate: read("certificate", &credentials.certificate)?,
            key: read("key", &credentials.key)?,
            signers: signers.transpose()?,
        })
    }

    /// Tells what was read from what is read later.
    pub(super) fn digest(&self) -> [u8; 32] {
        let mut context = Context::new(&SHA256);
        for part in [&self.certificate, &self.key, self.signers.as_ref().unwrap_or(&Vec::new())] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut digest = [0; 32];
        digest.copy_from_slice(context.finish().as_ref());
        digest
    }

    /// How to encrypt with it.
    pub(super) fn config(&self, credentials: &Credentials) -> Result<ServerConfig, BuildError> {
        // The provider is named: a default of the process is neither set nor read.
        let provider = Arc::new(aws_lc_rs::default_provider());
        let certified = self.certified(credentials, &provider)?;
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_protocol_versions(&[&TLS13, &TLS12]).map_err(|error| unavailable(&error))?;
        let builder = match (&credentials.clients, &self.signers) {
            (Some(clients), Some(pem)) => builder.with_client_cert_verifier(verifier(clients, pem, provider)?),
            _ => builder.with_no_client_auth(),
        };
        let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        if credentials.clients.is_some() {
            // A session that is taken up again would be that of a certificate which was looked at long ago.
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        Ok(config)
    }

    fn certified(&self, credentials: &Credentials, provider: &CryptoProvider) -> Result<CertifiedKey, BuildError> {
        let chain = certificates("certificate", &credentials.certificate, &self.certificate)?;
        let key = private_key(&credentials.key, &self.key)?;
        let key = provider.key_provider.load_private_key(key).map_err(|error| {
            let message = format!("the key in `{}` is none to encrypt with: {error}", credentials.key);
            BuildError::new("key", message).with_help(
                "make one with `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`, and have it certified",
            )
        })?;
        let certified = CertifiedKey::new(chain, key);
        match certified.keys_match() {
            Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(certified),
            Err(Error::InconsistentKeys(_)) => Err(mismatch(credentials)),
            Err(error) => Err(unreadable("certificate", &credentials.certificate, &error.to_string())),
        }
    }

    /// Until when the certificate is good, in seconds since the Unix epoch; `None` where it cannot be read.
    pub(super) fn until(&self) -> Option<u64> {
        Some(certificate(&self.certificate).ok()?.expires)
    }

    /// What to say about a certificate that is not valid any more.
    pub(super) fn expired(&self, credentials: &Credentials, now: u64) -> Option<BuildError> {
        let until = self.until()?;
        let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(until);
        let message = format!("the certificate in `{}` expired at {}", credentials.certificate, rfc3339(at));
        let help = "put another into its place: callers believe this one no more";
        (until <= now).then(|| BuildError::new("certificate", message).with_help(help))
    }
}

/// Reads the first certificate of a PEM file.
///
/// # Errors
/// There is none, or it cannot be read.
pub(crate) fn certificate(pem: &[u8]) -> Result<Certificate, BuildError> {
    let unreadable = |error: String| BuildError::new("", format!("there is no certificate in it: {error}"));
    let der = CertificateDer::from_pem_slice(pem).map_err(|error| unreadable(error.to_string()))?;
    names::certificate(&der).map_err(|error| unreadable(error.to_string()))
}

fn verifier(
    clients: &Clients,
    pem: &[u8],
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, BuildError> {
    let unreadable = |error: String| unreadable("client-ca", &clients.signers, &error);
    let mut roots = RootCertStore::empty();
    for certificate in certificates("client-ca", &clients.signers, pem)? {
        roots.add(certificate).map_err(|error| unreadable(error.to_string()))?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let builder = match clients.demand {
        Demand::Required => builder,
        Demand::Optional => builder.allow_unauthenticated(),
    };
    builder.build().map_err(|error| unreadable(error.to_string()))
}

fn certificates(key: &str, file: &FileRef, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, BuildError> {
    let found: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|error| unreadable(key, file, &error.to_string()))?;
    if found.is_empty() {
        let help = "is it the right file? A certificate in PEM begins with `-----BEGIN CERTIFICATE-----`";
        return Err(BuildError::new(key, format!("there is no certificate in `{file}`")).with_help(help));
    }
    Ok(found)
}

fn private_key(file: &FileRef, pem: &[u8]) -> Result<PrivateKeyDer<'static>, BuildError> {
    let locked = pem.windows(LOCKED.len()).any(|window| window == LOCKED);
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| match error {
        pem::Error::NoItemsFound if locked => {
            BuildError::new("key", format!("the private key in `{file}` is locked with a password"))
                .with_help("unlock it with `openssl pkey -in FILE`, and let nobody else read what that writes")
        }
        pem::Error::NoItemsFound => BuildError::new("key", format!("there is no private key in `{file}`"))
            .with_help("is it the right file? A private key in PEM begins with `-----BEGIN PRIVATE KEY-----`"),
        error => unreadable("key", file, &error.to_string()),
    })
}

/// How a private key begins that a password protects (RFC 5958).
const LOCKED: &[u8] = b"-----BEGIN ENCRYPTED PRIVATE KEY-----";

fn mismatch(Credentials { certificate, key, .. }: &Credentials) -> BuildError {
    let message = format!("the private key in `{key}` is not that of the certificate in `{certificate}`");
    let help = format!(
        "name two files that belong together: `openssl pkey -in {key} -pubout` and `openssl x509 -in {certificate} \
         -noout -pubkey` write the same then; the certificate of the listener stands before those that signed it"
    );
    BuildError::new("key", message).with_help(help)
}

fn unreadable(key: &str, file: &FileRef, error: &str) -> BuildError {
    BuildError::new(key, format!("what `{file}` holds cannot be read: {error}"))
        .with_help("copy it again, whole, in PEM, as it was issued")
}

fn unavailable(error: &Error) -> BuildError {
    BuildError::new("", format!("encryption is not there: {error}"))
}
