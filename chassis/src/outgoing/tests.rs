//! Proves what outgoing calls promise, against a server on this machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{Response, Uri};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

const BOUNDS: Bounds = Bounds { time: Duration::from_secs(5), body: 100 };

/// A server that answers every call with what it is told to, and counts them. It ends with the runtime of the test.
pub(crate) struct Server {
    pub(crate) address: String,
    pub(crate) calls: Arc<AtomicUsize>,
}

impl Server {
    /// `answer` is given the head of the request, and says the whole reply.
    pub(crate) async fn start(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (calls, answer) = (Arc::new(AtomicUsize::new(0)), Arc::new(answer));
        let counted = Arc::clone(&calls);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (calls, answer) = (Arc::clone(&counted), Arc::clone(&answer));
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") && stream.read_buf(&mut head).await.is_ok_and(|read| read > 0) {}
                    calls.fetch_add(1, Ordering::SeqCst);
                    let reply = answer(&String::from_utf8_lossy(&head));
                    stream.write_all(reply.as_bytes()).await.ok();
                });
            }
        });
        Self { address, calls }
    }

    pub(crate) fn count(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

/// A whole reply.
pub(crate) fn reply(status: &str, fields: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{fields}\r\n{body}", body.len())
}

async fn get(server: &Server, bounds: Bounds) -> Result<Response<Bytes>, OutgoingError> {
    let address = address(&format!("{}/a", server.address), Encryption::Required).unwrap();
    Outgoing::plain().unwrap().get(&address, bounds).await
}

#[tokio::test]
async fn a_reply_is_taken_in_whole() {
    let server = Server::start(|head| reply("200 OK", "", head.lines().next().unwrap())).await;
    let response = get(&server, BOUNDS).await.unwrap();
    assert_eq!((response.status().as_u16(), &response.body()[..]), (200, &b"GET /a HTTP/1.1"[..]));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let server = Server::start(|_| reply("302 Found", "location: /b\r\n", "")).await;
    assert_eq!(get(&server, BOUNDS).await.unwrap().status().as_u16(), 302);
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn a_reply_that_is_too_large_is_broken_off() {
    let server = Server::start(|_| reply("200 OK", "", &"a".repeat(101))).await;
    assert!(matches!(get(&server, BOUNDS).await, Err(OutgoingError::TooLarge(100))));
}

#[tokio::test]
async fn a_reply_that_never_comes_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server =
        Server { address: format!("http://{}", listener.local_addr().unwrap()), calls: Arc::new(AtomicUsize::new(0)) };
    let error = get(&server, Bounds { time: Duration::from_millis(20), ..BOUNDS }).await.unwrap_err();
    assert_eq!(error.to_string(), "no whole answer within 20ms");
}

#[tokio::test]
async fn who_does_not_speak_tls_is_not_believed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}/", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(reply("200 OK", "", "").as_bytes()).await.unwrap();
    });
    let error = Outgoing::plain().unwrap().get(&address, BOUNDS).await.unwrap_err();
    assert!(matches!(error, OutgoingError::Broken(_)), "{error}");
}

/// A server whose certificate says 127.0.0.1, and who vouches for it.
async fn encrypted() -> (Uri, &'static [u8]) {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};

    let certificate = |pem: &[u8]| CertificateDer::from_pem_slice(pem).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("tests/keys/server.key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let own = vec![certificate(include_bytes!("tests/keys/server.pem"))];
    let acceptor =
        tokio_rustls::TlsAcceptor::from(Arc::new(tls.with_no_client_auth().with_single_cert(own, key).unwrap()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") && stream.read_buf(&mut head).await.is_ok_and(|read| read > 0) {}
            stream.write_all(reply("200 OK", "", "encrypted").as_bytes()).await.ok();
            stream.shutdown().await.ok();
        }
    });
    (format!("https://127.0.0.1:{port}/").parse().unwrap(), include_bytes!("tests/keys/ca.pem"))
}

#[tokio::test]
async fn who_is_vouched_for_is_believed_and_nobody_else() {
    let (address, signers) = encrypted().await;
    let trusting = || Outgoing::speaking(Dialect::Http1, Trust::Signers(signers)).unwrap();
    let known = trusting().get(&address, BOUNDS).await.unwrap();
    assert_eq!(&known.body()[..], b"encrypted");
    let unknown = Outgoing::plain().unwrap().get(&address, BOUNDS).await.unwrap_err().to_string();
    assert!(unknown.contains("invalid peer certificate: UnknownIssuer"), "{unknown}");
    let port = address.port_u16().unwrap();
    let other = format!("https://localhost:{port}/").parse().unwrap();
    let other = trusting().get(&other, BOUNDS).await.unwrap_err().to_string();
    assert!(other.contains("invalid peer certificate"), "{other}");
}
