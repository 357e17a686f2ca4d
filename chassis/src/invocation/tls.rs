//! How a call came that was encrypted up to here, and who the other end of its connection proved to be.

use super::Call;

/// What is known about the encryption of a connection. All its calls share it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// The certificate that the other end showed, verified; `None` where it showed none.
    pub certificate: Option<Certificate>,
}

/// A certificate that somebody whom the listener trusts has signed, whose private key the other end holds, and that was
/// valid when the connection was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate {
    /// The URIs among its alternative names (RFC 5280 §4.2.1.6), in the order of the certificate.
    pub uris: Vec<String>,
    /// The DNS names among them.
    pub dns: Vec<String>,
    /// The e-mail addresses among them.
    pub emails: Vec<String>,
    /// Its serial number, in hexadecimal digits: unique for whoever signed it.
    pub serial: String,
    /// When it stops to be valid, in seconds since the Unix epoch.
    pub expires: u64,
}

impl Call {
    /// The certificate that the other end of the connection showed, verified.
    pub fn certificate(&self) -> Option<&Certificate> {
        self.tls.as_ref()?.certificate.as_ref()
    }
}
