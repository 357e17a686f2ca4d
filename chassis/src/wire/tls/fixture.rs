//! Authorities, certificates and clients for tests, made anew each time.

use std::io;
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType, SerialNumber};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::conf::source::InMemory;
use crate::conf::{BuildError, FileRef, Files};

/// Somebody who signs certificates.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) pem: String,
}

/// A certificate and its key, in PEM.
#[derive(Clone)]
pub(crate) struct Issued {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let (mut params, key) = (CertificateParams::default(), KeyPair::generate().unwrap());
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate for these names.
    pub(crate) fn issue(&self, names: impl IntoIterator<Item = SanType>) -> Issued {
        self.issue_with(names, |_| {})
    }

    /// The same, with something else in it.
    pub(crate) fn issue_with(
        &self,
        names: impl IntoIterator<Item = SanType>,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Issued {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.subject_alt_names = names.into_iter().collect();
        params.serial_number = Some(SerialNumber::from_slice(&[0x2a, 0xff]));
        params.not_after = rcgen::date_time_ymd(2100, 1, 1);
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        Issued { certificate, key: key.serialize_pem() }
    }

    /// A certificate for the name that clients here ask for.
    pub(crate) fn server(&self) -> Issued {
        self.issue([dns("localhost")])
    }

    /// Makes a connection to somebody who has a certificate of this authority, with a certificate of one's own.
    pub(crate) async fn connect<T>(&self, io: T, own: Option<&Issued>, protocol: &str) -> io::Result<TlsStream<T>>
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        connect(&self.client(own, protocol), io).await
    }

    /// What makes such connections, and remembers their sessions.
    pub(crate) fn client(&self, own: Option<&Issued>, protocol: &str) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let builder = builder.with_root_certificates(roots);
        let mut config = match own {
            None => builder.with_no_client_auth(),
            Some(Issued { certificate, key }) => {
                let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
                builder.with_client_auth_cert(chain, key).unwrap()
            }
        };
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        TlsConnector::from(Arc::new(config))
    }
}

/// Makes a connection.
pub(crate) async fn connect<T>(client: &TlsConnector, io: T) -> io::Result<TlsStream<T>>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    client.connect(ServerName::try_from("localhost").unwrap(), io).await
}

pub(crate) fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().unwrap())
}

pub(crate) fn uri(name: &str) -> SanType {
    SanType::URI(name.try_into().unwrap())
}

pub(crate) fn email(name: &str) -> SanType {
    SanType::Rfc822Name(name.try_into().unwrap())
}

/// Files that may be exchanged for others while they are in use.
#[derive(Clone, Default)]
pub(crate) struct Shelf(Arc<Mutex<InMemory>>);

impl Shelf {
    /// Holds a certificate and its key, and whose certificates callers may show.
    pub(crate) fn of(issued: &Issued, signers: &Authority) -> Self {
        let shelf = Self::default();
        shelf.put("tls.crt", &issued.certificate);
        shelf.put("tls.key", &issued.key);
        shelf.put("ca.crt", &signers.pem);
        shelf
    }

    pub(crate) fn put(&self, name: &str, content: &str) {
        self.0.lock().unwrap().0.insert(name.into(), content.into());
    }
}

impl Files for Shelf {
    fn read(&self, file: &FileRef) -> Result<Vec<u8>, BuildError> {
        self.0.lock().unwrap().read(file)
    }

    fn again(&self) -> Option<Arc<dyn Files + Send + Sync>> {
        Some(Arc::new(self.clone()))
    }
}
