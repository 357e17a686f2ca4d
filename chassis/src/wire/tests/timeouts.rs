//! Peers that are slow, or do nothing. The clock is paused: it jumps to whatever is waited for.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::sleep;

use super::rig::{PROBLEM, ROOM, Rig, check, get, head, one_reply, rest};
use crate::fault::Code;
use crate::wire::Limits;

const LONG: Duration = Duration::from_secs(3600);

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_come_to_its_end_is_408() {
    let (rig, pipes) = Rig::pipes(Limits::default());
    let mut stream = pipes.connect();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: te").await.unwrap();
    check(&one_reply(&mut stream).await, 408, &["connection: close", PROBLEM, r#""code":"request-timeout""#]);
    stream.shutdown().await.unwrap();
    assert_eq!(rest(&mut stream).await, "");
    assert_eq!(rig.site.begun.load(Ordering::SeqCst), 0);
    assert_eq!(rig.site.refusals.of(Code::RequestTimeout), 1);
}

#[tokio::test(start_paused = true)]
async fn a_head_that_drips_is_408_too() {
    let (_rig, pipes) = Rig::pipes(Limits::default());
    let (mut reading, mut writing) = tokio::io::split(pipes.connect());
    tokio::spawn(async move {
        writing.write_all(b"GET / HTTP/1.1\r\nhost: test\r\nx: ").await.unwrap();
        while writing.write_all(b"y").await.is_ok() {
            sleep(Duration::from_secs(1)).await;
        }
    });
    check(&rest(&mut reading).await, 408, &[]);
}

#[tokio::test(start_paused = true)]
async fn a_head_that_began_during_a_call_and_does_not_come_to_its_end_is_408() {
    let (rig, pipes) = Rig::pipes(Limits::default());
    let mut stream = pipes.connect();
    stream.write_all(get("/gate").as_bytes()).await.unwrap();
    rig.started().await;
    stream.write_all(b"GET / HT").await.unwrap();
    sleep(LONG).await;
    rig.site.gate.notify_one();
    check(&one_reply(&mut stream).await, 200, &["through the gate"]);
    check(&one_reply(&mut stream).await, 408, &["connection: close", PROBLEM]);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_says_nothing_is_closed_without_a_word() {
    let (_rig, pipes) = Rig::pipes(Limits::default());
    assert_eq!(rest(&mut pipes.connect()).await, "");
}

#[tokio::test(start_paused = true)]
async fn a_preface_that_does_not_come_to_its_end_is_closed_without_a_word() {
    let (_rig, pipes) = Rig::pipes(Limits::default());
    let mut stream = pipes.connect();
    stream.write_all(b"PRI * HTTP/2.0\r\n").await.unwrap();
    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_without_a_word_after_its_own_time() {
    let (_rig, pipes) = Rig::pipes(Limits::default());
    let mut stream = pipes.connect();
    for _ in 0..3 {
        stream.write_all(get("/x").as_bytes()).await.unwrap();
        check(&one_reply(&mut stream).await, 200, &[]);
        sleep(Duration::from_secs(70)).await;
    }
    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test(start_paused = true)]
async fn a_call_may_take_longer_than_every_timeout_of_the_connection() {
    let (rig, pipes) = Rig::pipes(Limits::default());
    let mut stream = pipes.connect();
    stream.write_all(get("/gate").as_bytes()).await.unwrap();
    sleep(LONG).await;
    rig.site.gate.notify_one();
    check(&one_reply(&mut stream).await, 200, &["through the gate"]);
}

#[tokio::test(start_paused = true)]
async fn a_reply_may_pause_longer_than_every_timeout_of_the_connection() {
    let (rig, pipes) = Rig::pipes(Limits::default());
    let mut stream = pipes.connect();
    stream.write_all(get("/drip").as_bytes()).await.unwrap();
    head(&mut stream).await;
    sleep(LONG).await;
    rig.site.gate.notify_one();
    let mut body = [0; 24];
    stream.read_exact(&mut body).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&body), "7\r\npart 0;\r\n7\r\npart 1;\r\n");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_pauses_for_too_long_is_408_and_closes() {
    let (_rig, pipes) = Rig::pipes(Limits::default());
    let mut stream = pipes.connect();
    stream.write_all(b"POST /echo HTTP/1.1\r\nhost: test\r\ncontent-length: 10\r\n\r\nabc").await.unwrap();
    check(&one_reply(&mut stream).await, 408, &["connection: close", "did not arrive in time"]);
    stream.shutdown().await.unwrap();
    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_passes_while_a_small_body_is_awaited_closes_and_says_so() {
    let (_rig, pipes) = Rig::pipes(Limits::default());
    let mut stream = pipes.connect();
    stream.write_all(b"POST /deadline HTTP/1.1\r\nhost: test\r\ncontent-length: 10\r\n\r\nabc").await.unwrap();
    check(&one_reply(&mut stream).await, 408, &["connection: close", "too late"]);
}

#[tokio::test(start_paused = true)]
async fn a_body_may_take_long_as_long_as_it_goes_on() {
    let (_rig, pipes) = Rig::pipes(Limits::default());
    let mut stream = pipes.connect();
    stream.write_all(b"POST /echo HTTP/1.1\r\nhost: test\r\ncontent-length: 10\r\n\r\n").await.unwrap();
    for _ in 0..10 {
        sleep(Duration::from_secs(25)).await;
        stream.write_all(b"x").await.unwrap();
    }
    check(&one_reply(&mut stream).await, 200, &["xxxxxxxxxx"]);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_is_cut_off() {
    let (rig, pipes) = Rig::pipes(Limits::default());
    let mut stream = pipes.connect();
    stream.write_all(get("/large").as_bytes()).await.unwrap();
    sleep(LONG).await;
    // What the pipe had room for is all that was ever sent.
    assert_eq!(rest(&mut stream).await.len(), ROOM);
    assert_eq!(rig.site.ended.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_stops_sending_is_not_read_for_ever() {
    let (_rig, pipes) = Rig::pipes(Limits::default());
    let (mut reading, mut writing) = tokio::io::split(pipes.connect());
    writing.write_all(b"POST /refuse HTTP/1.1\r\nhost: test\r\ncontent-length: 99999999\r\n\r\n").await.unwrap();
    check(&rest(&mut reading).await, 413, &["connection: close"]);
    while writing.write_all(b"xxxx").await.is_ok() {
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_old_connection_is_asked_to_make_way() {
    let (_rig, pipes) = Rig::pipes(Limits { age: Some(Duration::from_secs(60)), ..Limits::default() });
    let mut stream = pipes.connect();
    stream.write_all(get("/young").as_bytes()).await.unwrap();
    assert!(!one_reply(&mut stream).await.contains("connection: close"));
    sleep(Duration::from_secs(65)).await;
    stream.write_all(get("/old").as_bytes()).await.unwrap();
    check(&rest(&mut stream).await, 200, &["connection: close", "GET /old"]);
}

#[tokio::test(start_paused = true)]
async fn a_head_that_never_ends_is_431_and_not_read_for_ever() {
    let (rig, pipes) = Rig::pipes(Limits { header_read: LONG, ..Limits::default() });
    let (mut reading, mut writing) = tokio::io::split(pipes.connect());
    let sending = tokio::spawn(async move {
        let mut sent = 0;
        writing.write_all(b"GET / HTTP/1.1\r\nhost: test\r\nx: ").await.unwrap();
        while writing.write_all(&[b'y'; 1024]).await.is_ok() {
            sent += 1024;
            sleep(Duration::from_millis(10)).await;
        }
        sent
    });
    check(&rest(&mut reading).await, 431, &["connection: close", PROBLEM]);
    // The head that is allowed, what is read while the peer takes the answer in, and what the pipe holds.
    assert!(sending.await.unwrap() < 1 << 20);
    assert_eq!(rig.site.refusals.of(Code::HeaderFieldsTooLarge), 1);
}
