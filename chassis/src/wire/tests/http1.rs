//! What a well-behaved HTTP/1.1 peer relies on.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::rig::{Rig, check, exchange, get, head, last, one_reply, rest, until};
use crate::wire::Limits;

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let (_rig, address) = Rig::tcp().await;
    let reply = exchange(address, format!("{}{}{}", get("/1"), get("/2"), last("/3"))).await;
    let order: Vec<_> = reply.match_indices("GET /").map(|(at, _)| &reply[at..at + 6]).collect();
    assert_eq!(order, ["GET /1", "GET /2", "GET /3"]);
}

#[tokio::test]
async fn a_connection_is_used_again_after_a_reply_of_any_status() {
    let (_rig, address) = Rig::tcp().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    for (path, status) in [("/missing", 404), ("/x", 200), ("/missing", 404)] {
        stream.write_all(get(path).as_bytes()).await.unwrap();
        check(&one_reply(&mut stream).await, status, &[]);
    }
}

#[tokio::test]
async fn a_body_may_come_in_chunks() {
    let (_rig, address) = Rig::tcp().await;
    let chunks = "transfer-encoding: chunked\r\nconnection: close\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    let reply = exchange(address, format!("POST /echo HTTP/1.1\r\nhost: test\r\n{chunks}")).await;
    check(&reply, 200, &["abcde"]);
}

#[tokio::test]
async fn a_request_may_come_byte_by_byte() {
    let (_rig, address) = Rig::tcp().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    for byte in last("/slow").bytes() {
        stream.write_u8(byte).await.unwrap();
        tokio::task::yield_now().await;
    }
    check(&rest(&mut stream).await, 200, &["GET /slow"]);
}

#[tokio::test]
async fn a_protocol_can_be_switched() {
    let (_rig, address) = Rig::tcp().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream
        .write_all(b"GET /upgrade HTTP/1.1\r\nhost: test\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n")
        .await
        .unwrap();
    check(&head(&mut stream).await, 101, &["upgrade: echo"]);
    stream.write_all(b"ping").await.unwrap();
    assert_eq!(rest(&mut stream).await, "ping");
}

#[tokio::test]
async fn a_caller_that_goes_away_ends_its_call() {
    let (rig, address) = Rig::tcp().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(get("/gate").as_bytes()).await.unwrap();
    rig.started().await;
    drop(stream);
    until(|| rig.site.ended.load(Ordering::SeqCst) > 0).await;
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_ends_its_call_wherever_its_body_is() {
    let (rig, pipes) = Rig::pipes(Limits::default());
    let bodies = ["content-length: 3\r\n\r\nabc", "transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"];
    let mut calls = 0;
    // Held unread, taken, and taken in another task; at once, or when it was waited for.
    for (path, body) in ["/gate", "/taken", "/elsewhere"].into_iter().flat_map(|path| bodies.map(|body| (path, body))) {
        for pause in [Duration::ZERO, Duration::from_millis(1)] {
            let mut stream = pipes.connect();
            let (fields, content) = body.split_once("\r\n\r\n").unwrap();
            stream
                .write_all(format!("POST {path} HTTP/1.1\r\nhost: test\r\n{fields}\r\n\r\n").as_bytes())
                .await
                .unwrap();
            sleep(pause).await;
            stream.write_all(content.as_bytes()).await.unwrap();
            sleep(Duration::from_millis(1)).await;
            assert_eq!(rig.site.ended.load(Ordering::SeqCst), calls, "{path} {body}");
            drop(stream);
            sleep(Duration::from_millis(1)).await;
            calls += 1;
            assert_eq!(rig.site.ended.load(Ordering::SeqCst), calls, "{path} {body}");
        }
    }
}

#[tokio::test]
async fn a_caller_that_goes_away_while_its_reply_pauses_ends_its_call() {
    let (rig, address) = Rig::tcp().await;
    let gates = || Arc::strong_count(&rig.site.gate);
    let idle = gates();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(get("/drip").as_bytes()).await.unwrap();
    check(&head(&mut stream).await, 200, &[]);
    // The connection and the reply that waits each have one.
    assert!(gates() > idle);
    drop(stream);
    until(|| gates() == idle).await;
}

#[tokio::test(start_paused = true)]
async fn what_arrives_during_a_call_is_the_next_request() {
    let (rig, pipes) = Rig::pipes(Limits::default());
    let request = last("/next");
    // Less than is read ahead, as much, more, and all of it.
    for early in [1, 7, 24, 25, request.len()] {
        let mut stream = pipes.connect();
        stream.write_all(get("/gate").as_bytes()).await.unwrap();
        sleep(Duration::from_millis(1)).await;
        stream.write_all(&request.as_bytes()[..early]).await.unwrap();
        sleep(Duration::from_millis(1)).await;
        rig.site.gate.notify_one();
        check(&one_reply(&mut stream).await, 200, &["through the gate"]);
        stream.write_all(&request.as_bytes()[early..]).await.unwrap();
        check(&rest(&mut stream).await, 200, &["GET /next"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_taken_late_is_whole() {
    let (rig, pipes) = Rig::pipes(Limits::default());
    let body = "x".repeat(100);
    for early in [0, 1, 24, 25, 99, 100] {
        let mut stream = pipes.connect();
        let head = format!("POST /later HTTP/1.1\r\nhost: test\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).await.unwrap();
        sleep(Duration::from_millis(1)).await;
        stream.write_all(&body.as_bytes()[..early]).await.unwrap();
        sleep(Duration::from_millis(1)).await;
        rig.site.gate.notify_one();
        sleep(Duration::from_millis(1)).await;
        stream.write_all(&body.as_bytes()[early..]).await.unwrap();
        check(&one_reply(&mut stream).await, 200, &[&body]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_off_is_said_so_to_a_peer_that_still_reads() {
    let (_rig, pipes) = Rig::pipes(Limits::default());
    let (mut reading, mut writing) = tokio::io::split(pipes.connect());
    writing.write_all(b"POST /broken HTTP/1.1\r\nhost: test\r\ncontent-length: 5\r\n\r\nabc").await.unwrap();
    writing.shutdown().await.unwrap();
    check(&rest(&mut reading).await, 400, &["broken off"]);
}

#[tokio::test]
async fn a_panic_ends_one_connection_and_no_other() {
    let (_rig, address) = Rig::tcp().await;
    let mut other = TcpStream::connect(address).await.unwrap();
    assert_eq!(exchange(address, get("/panic")).await, "");
    other.write_all(last("/fine").as_bytes()).await.unwrap();
    check(&rest(&mut other).await, 200, &["GET /fine"]);
}

#[tokio::test]
async fn pipelined_requests_with_bodies_are_told_apart() {
    let (_rig, address) = Rig::tcp().await;
    let post =
        |body: &str| format!("POST /echo HTTP/1.1\r\nhost: test\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let chunked = "POST /echo HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n2\r\nbb\r\n0\r\n\r\n";
    let reply = exchange(address, [&post("a"), chunked, &post(""), &last("/end")].concat()).await;
    let bodies: Vec<_> =
        reply.split("HTTP/1.1 200 OK").filter_map(|reply| Some(reply.split_once("\r\n\r\n")?.1)).collect();
    assert_eq!(bodies, ["a", "bb", "", "GET /end on test"]);
}

#[tokio::test]
async fn what_follows_the_last_request_is_not_looked_at() {
    let (rig, address) = Rig::tcp().await;
    let reply = exchange(address, format!("{}{}", last("/last"), get("/more"))).await;
    check(&reply, 200, &["GET /last"]);
    assert_eq!((reply.matches("HTTP/1.1").count(), rig.site.begun.load(Ordering::SeqCst)), (1, 1));
}

#[tokio::test]
async fn a_peer_that_has_said_all_still_reads_the_reply() {
    let (_rig, address) = Rig::tcp().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("{}{}", get("/one"), get("/two")).as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    check(&rest(&mut stream).await, 200, &["GET /one", "GET /two"]);
}

#[tokio::test]
async fn http_1_0_keeps_a_connection_only_if_asked_to() {
    let (_rig, address) = Rig::tcp().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    for _ in 0..2 {
        stream.write_all(b"GET /old HTTP/1.0\r\nconnection: keep-alive\r\n\r\n").await.unwrap();
        let reply = one_reply(&mut stream).await;
        assert!(reply.starts_with("HTTP/1.0 200 ") && reply.contains("connection: keep-alive"), "{reply}");
    }
    stream.write_all(b"GET /old HTTP/1.0\r\n\r\n").await.unwrap();
    let reply = rest(&mut stream).await;
    assert!(reply.starts_with("HTTP/1.0 200 ") && !reply.contains("keep-alive"), "{reply}");
}

#[tokio::test]
async fn http_1_0_is_sent_no_chunks() {
    let (rig, address) = Rig::tcp().await;
    rig.site.gate.notify_one();
    let reply = exchange(address, "GET /drip HTTP/1.0\r\n\r\n").await;
    assert!(!reply.contains("transfer-encoding") && reply.ends_with("\r\n\r\npart 0;part 1;"), "{reply}");
}

#[tokio::test]
async fn replies_that_have_no_content_get_none() {
    let (_rig, address) = Rig::tcp().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    for (request, status) in [
        (get("/204"), 204),
        (get("/205"), 205),
        (get("/304"), 304),
        (get("/x").replace("GET", "HEAD"), 200),
        (get("/missing").replace("GET", "HEAD"), 404),
        (get("/drip").replace("GET", "HEAD"), 200),
    ] {
        stream.write_all(request.as_bytes()).await.unwrap();
        check(&head(&mut stream).await, status, &[]);
    }
    // The next reply follows at once, so that the ones before had nothing behind their heads.
    stream.write_all(last("/end").replace("GET", "HEAD").as_bytes()).await.unwrap();
    let reply = rest(&mut stream).await;
    check(&reply, 200, &["content-length: 17"]);
    assert!(reply.ends_with("\r\n\r\n"), "{reply}");
}

#[tokio::test]
async fn an_upgrade_to_http_2_is_ignored() {
    let (_rig, address) = Rig::tcp().await;
    let fields =
        "host: test\r\nconnection: upgrade, http2-settings, close\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n\r\n";
    let reply = exchange(address, format!("GET /x HTTP/1.1\r\n{fields}")).await;
    check(&reply, 200, &["GET /x on test"]);
    assert!(!reply.contains("upgrade"), "{reply}");
}
