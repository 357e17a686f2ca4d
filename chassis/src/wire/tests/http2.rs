//! HTTP/2 with prior knowledge: many calls at once on one connection, and its own ways to leave and to misbehave.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Bytes;
use http::{Method, Request, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::peer2::{connect, exchanged, over, request, send, text};
use super::rig::{PATIENCE, Rig, check, exchange, last, until};
use crate::protocol::{Phase, Served};
use crate::wire::Limits;

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
    until(|| rig.site.ended.load(Ordering::SeqCst) > 0).await;
}

#[tokio::test]
async fn draining_says_goaway_and_lets_calls_end() {
    let (rig, address) = Rig::tcp().await;
    let (mut calls, connection) = connect(address).await;
    let waiting = send(&mut calls, request("/gate")).await;
    rig.started().await;
    rig.phase.send_replace(Phase::Draining);
    // The peer learns that it must not begin new calls here, while the old one goes on.
    let told = async {
        while std::future::poll_fn(|cx| calls.poll_ready(cx)).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, told).await.unwrap();
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
    until(|| rig.site.ended.load(Ordering::SeqCst) == 3).await;
}

#[tokio::test]
async fn a_peer_that_resets_call_after_call_is_thrown_out() {
    let (_rig, address) = Rig::tcp().await;
    let (mut calls, connection) = connect(address).await;
    let thrown_out = async {
        while std::future::poll_fn(|cx| calls.poll_ready(cx)).await.is_ok() {
            for _ in 0..200 {
                // Dropped at once: the call is reset before it is answered.
                let Ok((reply, _)) = calls.send_request(request("/gate"), true) else { break };
                drop(reply);
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, thrown_out).await.unwrap();
    let error = connection.await.unwrap().unwrap_err();
    assert_eq!(error.reason(), Some(h2::Reason::ENHANCE_YOUR_CALM), "{error}");
    check(&exchange(address, last("/after")).await, 200, &[]);
}

#[tokio::test]
async fn an_authority_and_a_host_name_the_same() {
    let (_rig, address) = Rig::tcp().await;
    let (mut calls, _connection) = connect(address).await;
    for (authority, host, status) in [
        ("test", "test", 200),
        ("test", "TEST:80", 200),
        ("test:8080", "test:8080", 200),
        ("test", "other", 400),
        ("test:8080", "test", 400),
        ("test", "", 400),
        ("ada@test", "test", 400),
    ] {
        let request = Request::get(format!("http://{authority}/x")).header("host", host).body(()).unwrap();
        let (found, text) = exchanged(&mut calls, request).await;
        assert_eq!(found.as_u16(), status, "{authority} {host}: {text}");
    }
    let twice = Request::get("http://test/x").header("host", "test").header("host", "test").body(()).unwrap();
    assert_eq!(exchanged(&mut calls, twice).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_request_names_its_host_in_one_way_or_the_other() {
    let (_rig, address) = Rig::tcp().await;
    let (mut calls, _connection) = connect(address).await;
    let mut bare = Request::get("/x").body(()).unwrap();
    let (status, document) = exchanged(&mut calls, bare.clone()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(document.contains("neither `:authority` nor `host`"), "{document}");
    bare.headers_mut().insert("host", "test".parse().unwrap());
    assert_eq!(exchanged(&mut calls, bare).await, (StatusCode::OK, "GET /x on test".to_owned()));
}

#[tokio::test]
async fn replies_that_have_no_content_get_none() {
    let (_rig, address) = Rig::tcp().await;
    let (mut calls, _connection) = connect(address).await;
    for (method, path, status, length) in [
        (Method::GET, "/204", 204, None),
        (Method::GET, "/205", 205, None),
        (Method::GET, "/304", 304, None),
        (Method::HEAD, "/204", 204, None),
        (Method::HEAD, "/missing", 404, Some("7")),
        (Method::HEAD, "/large", 200, Some("1048576")),
        (Method::HEAD, "/drip", 200, None),
    ] {
        let request = Request::builder().method(method).uri(format!("http://test{path}")).body(()).unwrap();
        let reply = send(&mut calls, request).await.await.unwrap();
        let found = reply.headers().get("content-length").map(|length| length.to_str().unwrap());
        assert_eq!((reply.status().as_u16(), found), (status, length), "{path}");
        assert!(reply.into_body().is_end_stream(), "{path}");
    }
}

#[tokio::test]
async fn targets_that_are_no_paths_are_no_calls() {
    let (_rig, address) = Rig::tcp().await;
    let (mut calls, _connection) = connect(address).await;
    let connecting = Request::connect("test:1").body(()).unwrap();
    assert_eq!(exchanged(&mut calls, connecting).await.0, StatusCode::NOT_IMPLEMENTED);
    assert_eq!(exchanged(&mut calls, request("/next")).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_header_section_that_is_too_large_is_431_and_the_connection_goes_on() {
    let (rig, address) = Rig::tcp().await;
    let (mut calls, _connection) = connect(address).await;
    let mut large = request("/x");
    for _ in 0..10 {
        large.headers_mut().append("x", "y".repeat(10_000).parse().unwrap());
    }
    assert_eq!(exchanged(&mut calls, large).await.0, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    assert_eq!(exchanged(&mut calls, request("/next")).await.0, StatusCode::OK);
    assert_eq!(rig.site.begun.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_body_that_was_not_read_leaves_the_connection_usable() {
    let (_rig, address) = Rig::tcp().await;
    let (mut calls, _connection) = connect(address).await;
    std::future::poll_fn(|cx| calls.poll_ready(cx)).await.unwrap();
    let (reply, mut body) = calls.send_request(Request::post("http://test/refuse").body(()).unwrap(), false).unwrap();
    body.send_data(Bytes::from(vec![b'x'; 60_000]), false).unwrap();
    assert_eq!(text(reply).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(exchanged(&mut calls, request("/next")).await.0, StatusCode::OK);
}

#[tokio::test]
async fn what_is_no_frame_ends_its_connection_and_no_other() {
    let (_rig, address) = Rig::tcp().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nGET /x HTTP/1.1\r\nhost: test\r\n\r\n").await.unwrap();
    let mut said = Vec::new();
    // A reset is as good as an end: the peer broke the rules.
    let _ = stream.read_to_end(&mut said).await;
    assert!(!said.windows(4).any(|bytes| bytes == b"HTTP"), "{said:?}");
    check(&exchange(address, last("/after")).await, 200, &[]);
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_told_goaway_after_its_time() {
    let (_rig, pipes) = Rig::pipes(Limits::default());
    let (mut calls, connection) = over(pipes.connect()).await;
    for _ in 0..2 {
        assert_eq!(exchanged(&mut calls, request("/x")).await.0, StatusCode::OK);
        sleep(Duration::from_secs(70)).await;
    }
    connection.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_old_connection_is_told_goaway_and_lets_calls_end() {
    let (rig, pipes) = Rig::pipes(Limits { age: Some(Duration::from_secs(60)), ..Limits::default() });
    let (mut calls, connection) = over(pipes.connect()).await;
    let waiting = send(&mut calls, request("/gate")).await;
    sleep(Duration::from_secs(65)).await;
    assert!(std::future::poll_fn(|cx| calls.poll_ready(cx)).await.is_err());
    rig.site.gate.notify_one();
    assert_eq!(text(waiting).await.0, StatusCode::OK);
    connection.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_body_that_pauses_for_too_long_is_408_and_the_connection_goes_on() {
    let (_rig, pipes) = Rig::pipes(Limits::default());
    let (mut calls, _connection) = over(pipes.connect()).await;
    std::future::poll_fn(|cx| calls.poll_ready(cx)).await.unwrap();
    let (reply, mut body) = calls.send_request(Request::post("http://test/echo").body(()).unwrap(), false).unwrap();
    body.send_data(Bytes::from_static(b"abc"), false).unwrap();
    assert_eq!(text(reply).await.0, StatusCode::REQUEST_TIMEOUT);
    assert_eq!(exchanged(&mut calls, request("/next")).await.0, StatusCode::OK);
}
