//! A peer that speaks HTTP/2 with prior knowledge.

use std::net::SocketAddr;

use axum::body::Bytes;
use h2::client::{Connection, ResponseFuture, SendRequest};
use http::{Request, Response, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

pub(super) type Peer = (SendRequest<Bytes>, JoinHandle<Result<(), h2::Error>>);

pub(super) async fn connect(address: SocketAddr) -> Peer {
    over(TcpStream::connect(address).await.unwrap()).await
}

pub(super) async fn over<T: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: T) -> Peer {
    let (calls, connection): (_, Connection<T>) = h2::client::handshake(stream).await.unwrap();
    (calls, tokio::spawn(connection))
}

pub(super) fn request(path: &str) -> Request<()> {
    Request::get(format!("http://test{path}")).body(()).unwrap()
}

pub(super) async fn send(calls: &mut SendRequest<Bytes>, request: Request<()>) -> ResponseFuture {
    std::future::poll_fn(|cx| calls.poll_ready(cx)).await.unwrap();
    calls.send_request(request, true).unwrap().0
}

pub(super) async fn text(reply: ResponseFuture) -> (StatusCode, String) {
    let (parts, mut body) = Response::into_parts(reply.await.unwrap());
    let mut text = String::new();
    while let Some(bytes) = body.data().await {
        let bytes = bytes.unwrap();
        body.flow_control().release_capacity(bytes.len()).unwrap();
        text.push_str(std::str::from_utf8(&bytes).unwrap());
    }
    (parts.status, text)
}

/// Sends a request and reads the whole reply.
pub(super) async fn exchanged(calls: &mut SendRequest<Bytes>, request: Request<()>) -> (StatusCode, String) {
    text(send(calls, request).await).await
}
