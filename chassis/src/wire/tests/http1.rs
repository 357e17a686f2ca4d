//! What a well-behaved HTTP/1.1 peer relies on.

use std::io;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::rig::{Rig, check, exchange, get, head, last, one_reply, rest};
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
    while rig.site.ended.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_panic_ends_one_connection_and_no_other() {
    let (_rig, address) = Rig::tcp().await;
    let mut other = TcpStream::connect(address).await.unwrap();
    assert_eq!(exchange(address, get("/panic")).await, "");
    other.write_all(last("/fine").as_bytes()).await.unwrap();
    check(&rest(&mut other).await, 200, &["GET /fine"]);
}

#[tokio::test(start_paused = true)]
async fn connections_beyond_the_cap_wait_for_one_to_close() {
    let (_rig, pipes) = Rig::pipes(Limits { connections: 1, ..Limits::default() });
    let mut first = pipes.connect();
    first.write_all(get("/first").as_bytes()).await.unwrap();
    check(&one_reply(&mut first).await, 200, &[]);
    let mut second = pipes.connect();
    second.write_all(get("/second").as_bytes()).await.unwrap();
    assert!(timeout(Duration::from_secs(5), second.read_u8()).await.is_err());
    drop(first);
    check(&one_reply(&mut second).await, 200, &["GET /second"]);
}

#[tokio::test(start_paused = true)]
async fn accepting_goes_on_after_failures() {
    let (_rig, pipes) = Rig::pipes(Limits::default());
    const EMFILE: i32 = 24;
    for _ in 0..5 {
        pipes.fail(io::Error::from_raw_os_error(EMFILE));
        pipes.fail(io::ErrorKind::ConnectionAborted.into());
    }
    let mut stream = pipes.connect();
    stream.write_all(last("/after").as_bytes()).await.unwrap();
    check(&rest(&mut stream).await, 200, &["GET /after"]);
}
