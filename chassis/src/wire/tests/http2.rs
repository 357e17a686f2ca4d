//! HTTP/2 with prior knowledge: many calls at once on one connection, and its own ways to leave and to misbehave.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;

use axum::body::Bytes;
use h2::client::{Connection, ResponseFuture, SendRequest};
use http::{Request, Response, StatusCode};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::rig::{Rig, check, exchange, last};
use crate::protocol::{Phase, Served};

async fn connect(address: SocketAddr) -> (SendRequest<Bytes>, JoinHandle<Result<(), h2::Error>>) {
    let stream = TcpStream::connect(address).await.unwrap();
    let (calls, connection): (_, Connection<TcpStream>) = h2::client::handshake(stream).await.unwrap();
    (calls, tokio::spawn(connection))
}

fn request(path: &str) -> Request<()> {
    Request::get(format!("http://test{path}")).body(()).unwrap()
}

async fn send(calls: &mut SendRequest<Bytes>, request: Request<()>) -> ResponseFuture {
    std::future::poll_fn(|cx| calls.poll_ready(cx)).await.unwrap();
    calls.send_request(request, true).unwrap().0
}

async fn text(reply: ResponseFuture) -> (StatusCode, String) {
    let (parts, mut body) = Response::into_parts(reply.await.unwrap());
    let mut text = String::new();
    while let Some(bytes) = body.data().await {
        let bytes = bytes.unwrap();
        body.flow_control().release_capacity(bytes.len()).unwrap();
        text.push_str(std::str::from_utf8(&bytes).unwrap());
    }
    (parts.status, text)
}

#[tokio::test]
async fn calls_share_a_connection_and_end_in_any_order() {
    let (rig, address) = Rig::tcp().await;
    let (mut calls, _connection) = connect(address).await;
    let waiting = send(&mut calls, request("/gate")).await;
    let quick = send(&mut calls, request("/quick")).await;
    assert_eq!(text(quick).await, (StatusCode::OK, "GET /quick on -".to_owned()));
    rig.site.gate.notify_one();
    assert_eq!(text(waiting).await, (StatusCode::OK, "through the gate".to_owned()));
}

#[tokio::test]
async fn a_body_is_read_and_a_large_reply_is_sent() {
    let (_rig, address) = Rig::tcp().await;
    let (mut calls, _connection) = connect(address).await;
    let post = Request::post("http://test/echo").body(()).unwrap();
    std::future::poll_fn(|cx| calls.poll_ready(cx)).await.unwrap();
    let (reply, mut body) = calls.send_request(post, false).unwrap();
    body.send_data(Bytes::from_static(b"abc"), false).unwrap();
    body.send_data(Bytes::from_static(b"def"), true).unwrap();
    assert_eq!(text(reply).await, (StatusCode::OK, "abcdef".to_owned()));
    let large = send(&mut calls, request("/large")).await;
    assert_eq!(text(large).await.1.len(), 1 << 20);
}

#[tokio::test]
async fn too_many_header_fields_are_431_and_too_long_a_target_is_414() {
    let (_rig, address) = Rig::tcp().await;
    let (mut calls, _connection) = connect(address).await;
    let mut many = request("/x");
    for at in 0..101 {
        many.headers_mut().append("x", at.into());
    }
    let reply = send(&mut calls, many).await;
    let (status, document) = text(reply).await;
    assert_eq!(status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    assert!(document.contains(r#""code":"header-fields-too-large""#), "{document}");
    let reply = send(&mut calls, request(&format!("/{}", "a".repeat(10_000)))).await;
    assert_eq!(text(reply).await.0, StatusCode::URI_TOO_LONG);
    let reply = send(&mut calls, request("/next")).await;
    assert_eq!(text(reply).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_call_that_is_reset_ends() {
    let (rig, address) = Rig::tcp().await;
    let (mut calls, _connection) = connect(address).await;
    let waiting = send(&mut calls, request("/gate")).await;
    rig.started().await;
    drop(waiting);
    while rig.site.ended.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn draining_says_goaway_and_lets_calls_end() {
    let (rig, address) = Rig::tcp().await;
    let (mut calls, connection) = connect(address).await;
    let waiting = send(&mut calls, request("/gate")).await;
    rig.started().await;
    rig.phase.send_replace(Phase::Draining);
    // The peer learns that it must not begin new calls here, while the old one goes on.
    while std::future::poll_fn(|cx| calls.poll_ready(cx)).await.is_ok() {
        tokio::task::yield_now().await;
    }
    rig.site.gate.notify_one();
    assert_eq!(text(waiting).await.0, StatusCode::OK);
    connection.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_connection_made_while_draining_gets_its_first_call_through() {
    let (rig, address) = Rig::tcp().await;
    rig.phase.send_replace(Phase::Draining);
    let (mut calls, connection) = connect(address).await;
    let reply = send(&mut calls, request("/late")).await;
    assert_eq!(text(reply).await.0, StatusCode::OK);
    connection.await.unwrap().unwrap();
}

#[tokio::test]
async fn closing_ends_idle_connections() {
    let (rig, address) = Rig::tcp().await;
    let (mut calls, connection) = connect(address).await;
    let reply = send(&mut calls, request("/x")).await;
    text(reply).await;
    rig.phase.send_replace(Phase::Closing);
    connection.await.unwrap().unwrap();
    assert_eq!(rig.serving.await.unwrap(), Served { cut: 0 });
}

#[tokio::test]
async fn cutting_ends_every_call_of_a_connection() {
    let (rig, address) = Rig::tcp().await;
    let (mut calls, connection) = connect(address).await;
    let mut waiting = Vec::new();
    for _ in 0..3 {
        waiting.push(send(&mut calls, request("/gate")).await);
        rig.started().await;
    }
    rig.phase.send_replace(Phase::Cutting);
    assert_eq!(rig.serving.await.unwrap(), Served { cut: 3 });
    for reply in waiting {
        assert!(reply.await.is_err());
    }
    let _ = connection.await;
    while rig.site.ended.load(Ordering::SeqCst) < 3 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_peer_that_resets_call_after_call_is_thrown_out() {
    let (_rig, address) = Rig::tcp().await;
    let (mut calls, connection) = connect(address).await;
    while std::future::poll_fn(|cx| calls.poll_ready(cx)).await.is_ok() {
        for _ in 0..200 {
            // Dropped at once: the call is reset before it is answered.
            let Ok((reply, _)) = calls.send_request(request("/gate"), true) else { break };
            drop(reply);
        }
        tokio::task::yield_now().await;
    }
    let error = connection.await.unwrap().unwrap_err();
    assert_eq!(error.reason(), Some(h2::Reason::ENHANCE_YOUR_CALM), "{error}");
    check(&exchange(address, last("/after")).await, 200, &[]);
}
