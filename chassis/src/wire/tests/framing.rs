//! Where a request ends is said once and plainly, or the connection ends with it: nothing can be smuggled behind it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::rig::{PROBLEM, Rig, check, exchange, get, head, last, one_reply, rest};
use crate::wire::Limits;

/// What comes back when a request is sent with these fields and this body, with a second one right behind it.
struct Sent {
    reply: String,
    calls: usize,
}

async fn sent(fields: &str, body: &str) -> Sent {
    let (rig, address) = Rig::tcp().await;
    let smuggled = last("/smuggled");
    let reply =
        exchange(address, format!("POST /echo HTTP/1.1\r\nhost: test\r\n{fields}\r\n\r\n{body}{smuggled}")).await;
    check(&exchange(address, last("/after")).await, 200, &["GET /after"]);
    Sent { reply, calls: rig.site.begun.load(Ordering::SeqCst) - 1 }
}

/// Refused, with nothing behind it ever looked at.
async fn check_refused(fields: &str, body: &str, status: u16) {
    let Sent { reply, calls } = sent(fields, body).await;
    check(&reply, status, &["connection: close", PROBLEM]);
    assert_eq!((reply.matches("HTTP/1.1").count(), calls), (1, 0), "{fields}: {reply}");
}

#[tokio::test]
async fn a_length_beside_chunks_is_ignored_and_the_connection_ends() {
    for fields in [
        "content-length: 4\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ncontent-length: 4",
        "content-length: 4\r\nTransfer-Encoding: CHUNKED",
    ] {
        let Sent { reply, calls } = sent(fields, "0\r\n\r\n").await;
        check(&reply, 200, &["connection: close", "content-length: 0"]);
        assert_eq!(calls, 1, "{fields}");
    }
}

#[tokio::test]
async fn lengths_that_contradict_each_other_or_are_none_are_400() {
    for fields in [
        "content-length: 5\r\ncontent-length: 6",
        "content-length: 5, 6",
        "content-length: 5, 5",
        "content-length: +5",
        "content-length: 5 5",
        "content-length: 0x5",
        "content-length: -5",
        "content-length:",
        "content-length: 18446744073709551616",
    ] {
        check_refused(fields, "abcde", 400).await;
    }
}

#[tokio::test]
async fn a_length_said_twice_is_one_length() {
    let Sent { reply, calls } = sent("content-length: 5\r\ncontent-length: 5", "abcde").await;
    check(&reply, 200, &["abcde", "GET /smuggled"]);
    assert_eq!(calls, 2);
}

#[tokio::test]
async fn a_transfer_coding_that_does_not_end_in_chunks_is_400() {
    for coding in [
        "gzip",
        "identity",
        "chunked, gzip",
        "xchunked",
        "chunked;q=1",
        "\"chunked\"",
        "",
        "chunked\r\ntransfer-encoding: gzip",
    ] {
        check_refused(&format!("transfer-encoding: {coding}"), "0\r\n\r\n", 400).await;
    }
}

#[tokio::test]
async fn a_transfer_coding_that_is_not_understood_is_501() {
    for coding in
        ["gzip, chunked", "chunked, chunked", "identity, chunked", ", chunked", "gzip\r\ntransfer-encoding: chunked"]
    {
        check_refused(&format!("transfer-encoding: {coding}"), "0\r\n\r\n", 501).await;
    }
}

#[tokio::test]
async fn chunks_are_no_part_of_http_1_0() {
    let (rig, address) = Rig::tcp().await;
    let head = "POST /echo HTTP/1.0\r\ntransfer-encoding: chunked\r\nconnection: keep-alive\r\n\r\n0\r\n\r\n";
    let reply = exchange(address, format!("{head}{}", get("/smuggled"))).await;
    check(&reply, 400, &["connection: close", PROBLEM]);
    assert_eq!(rig.site.begun.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn fields_are_one_line_each_and_their_names_touch_their_colons() {
    for field in [
        "x: a\r\n b",
        "x: a\r\n\tb",
        "transfer-encoding : chunked",
        "transfer-encoding\t: chunked",
        " x: first",
        "x: a\rb",
        "x: a\r\r\ny: b",
        "x: a\0",
        "x: \u{b}chunked",
        "\u{e4}: a",
        "x y: a",
    ] {
        check_refused(field, "", 400).await;
    }
}

#[tokio::test]
async fn a_line_may_end_without_a_carriage_return() {
    let (_rig, address) = Rig::tcp().await;
    let reply = exchange(address, "GET /bare HTTP/1.1\nhost: test\nconnection: close\n\n").await;
    check(&reply, 200, &["GET /bare on test"]);
}

#[tokio::test]
async fn empty_lines_before_a_request_are_skipped() {
    let (_rig, address) = Rig::tcp().await;
    check(&exchange(address, format!("\r\n\r\n{}", last("/x"))).await, 200, &["GET /x"]);
}

#[tokio::test]
async fn a_malformed_chunk_is_a_fault_of_the_caller_and_ends_the_connection() {
    for body in [
        "zz\r\n",
        "-1\r\na\r\n",
        "0x1\r\na\r\n",
        "fffffffffffffffff\r\n",
        "1\r\nab\r\n",
        "1 1\r\na\r\n",
        "1;\nx\r\na\r\n0\r\n\r\n",
    ] {
        let Sent { reply, calls } = sent("transfer-encoding: chunked", body).await;
        check(&reply, 400, &["connection: close", "malformed or ended too early"]);
        assert_eq!((calls, reply.matches("HTTP/1.1").count()), (1, 1), "{body:?}: {reply}");
    }
}

#[tokio::test]
async fn extensions_of_chunks_and_trailers_are_bounded() {
    let extensions = format!("{}0\r\n\r\n", format!("1;{}\r\na\r\n", "e".repeat(5_000)).repeat(4));
    let trailers = format!("0\r\n{}\r\n", "t: u\r\n".repeat(10_000));
    let large = format!("0\r\nt: {}\r\n\r\n", "u".repeat(100_000));
    for body in [extensions, trailers, large] {
        let Sent { reply, calls } = sent("transfer-encoding: chunked", &body).await;
        check(&reply, 400, &["connection: close", "malformed or ended too early"]);
        assert_eq!(calls, 1);
    }
}

#[tokio::test]
async fn a_few_extensions_and_trailers_do_no_harm() {
    let Sent { reply, calls } = sent("transfer-encoding: chunked", "1;a=b\r\nx\r\n0\r\ntrailer: y\r\n\r\n").await;
    check(&reply, 200, &["GET /smuggled"]);
    assert_eq!(calls, 2);
}

#[tokio::test]
async fn a_body_is_never_read_as_a_request() {
    let inner = get("/smuggled");
    let Sent { reply, calls } = sent(&format!("content-length: {}", inner.len()), &inner).await;
    check(&reply, 200, &[&inner]);
    assert_eq!(calls, 2);
}

#[tokio::test]
async fn a_body_that_ends_too_early_is_a_fault_of_the_caller() {
    let (rig, address) = Rig::tcp().await;
    for body in ["content-length: 10\r\n\r\nabc", "transfer-encoding: chunked\r\n\r\n5\r\nabc"] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(format!("POST /echo HTTP/1.1\r\nhost: test\r\n{body}").as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        check(&rest(&mut stream).await, 400, &["connection: close", "malformed or ended too early"]);
    }
    assert_eq!(rig.site.begun.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_refused_body_that_is_small_keeps_the_connection() {
    let (_rig, address) = Rig::tcp().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"POST /refuse HTTP/1.1\r\nhost: test\r\ncontent-length: 4\r\n\r\nbody").await.unwrap();
    check(&one_reply(&mut stream).await, 413, &["refused"]);
    stream.write_all(last("/next").as_bytes()).await.unwrap();
    check(&rest(&mut stream).await, 200, &["GET /next"]);
}

#[tokio::test(start_paused = true)]
async fn a_small_body_that_nobody_takes_keeps_the_connection_however_it_comes() {
    let (rig, pipes) = Rig::pipes(Limits::default());
    for pieces in [[100, 5_000], [1, 5_099], [0, 5_100], [5_100, 0]] {
        let mut stream = pipes.connect();
        stream.write_all(b"POST /gate HTTP/1.1\r\nhost: test\r\ncontent-length: 5100\r\n\r\n").await.unwrap();
        for length in pieces {
            stream.write_all(&vec![b'x'; length]).await.unwrap();
            sleep(Duration::from_millis(1)).await;
        }
        rig.site.gate.notify_one();
        check(&one_reply(&mut stream).await, 200, &["through the gate"]);
        stream.write_all(last("/next").as_bytes()).await.unwrap();
        check(&rest(&mut stream).await, 200, &["GET /next"]);
    }
}

#[tokio::test]
async fn a_body_that_is_not_wanted_is_not_asked_for() {
    let (_rig, address) = Rig::tcp().await;
    let expect = "host: test\r\nexpect: 100-continue\r\ncontent-length: 20000\r\n\r\n";
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("POST /refuse HTTP/1.1\r\n{expect}").as_bytes()).await.unwrap();
    check(&rest_after_close(&mut stream).await, 413, &["connection: close"]);
    // One that is no call is not asked for more either.
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("POST {} HTTP/1.1\r\n{expect}", "/a".repeat(5_000)).as_bytes()).await.unwrap();
    check(&rest_after_close(&mut stream).await, 414, &["connection: close", PROBLEM]);
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("POST /echo HTTP/1.1\r\n{expect}").as_bytes()).await.unwrap();
    check(&head(&mut stream).await, 100, &[]);
    stream.write_all(&[b'x'; 20_000]).await.unwrap();
    check(&one_reply(&mut stream).await, 200, &["content-length: 20000"]);
}

#[tokio::test]
async fn a_body_that_came_without_being_asked_for_needs_no_100() {
    let (_rig, address) = Rig::tcp().await;
    let fields = "host: test\r\nexpect: 100-continue\r\ncontent-length: 3\r\nconnection: close\r\n\r\nabc";
    // RFC 9110 §10.1.1: nobody may be asked over HTTP/1.0.
    let old = exchange(address, format!("POST /echo HTTP/1.0\r\n{fields}")).await;
    assert!(old.starts_with("HTTP/1.0 200 OK"), "{old}");
    let reply = exchange(address, format!("POST /echo HTTP/1.1\r\n{fields}")).await;
    assert!(reply.contains("HTTP/1.1 200 OK") && reply.ends_with("abc"), "{reply}");
}

/// Says that nothing more is sent, and reads the rest.
async fn rest_after_close(stream: &mut TcpStream) -> String {
    let reply = one_reply(stream).await;
    stream.shutdown().await.unwrap();
    assert_eq!(rest(stream).await, "");
    reply
}
