//! How a listener leaves: it asks its peers to go, lets calls end, and cuts off what does not.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::rig::{Rig, check, get, one_reply, rest};
use crate::protocol::{Phase, Served};
use crate::wire::Limits;

#[tokio::test]
async fn draining_replies_ask_for_the_connection_to_be_closed() {
    let (rig, address) = Rig::tcp().await;
    let mut known = TcpStream::connect(address).await.unwrap();
    known.write_all(get("/before").as_bytes()).await.unwrap();
    assert!(!one_reply(&mut known).await.contains("connection: close"));
    rig.phase.send_replace(Phase::Draining);
    known.write_all(get("/during").as_bytes()).await.unwrap();
    check(&rest(&mut known).await, 200, &["connection: close", "GET /during"]);
}

#[tokio::test]
async fn draining_still_takes_new_connections() {
    let (rig, address) = Rig::tcp().await;
    rig.phase.send_replace(Phase::Draining);
    let mut late = TcpStream::connect(address).await.unwrap();
    late.write_all(get("/late").as_bytes()).await.unwrap();
    check(&rest(&mut late).await, 200, &["connection: close", "GET /late"]);
}

#[tokio::test]
async fn closing_takes_no_more_connections() {
    // Not a port: once it is given up it may be anybody's.
    let (rig, pipes) = Rig::pipes(Limits::default());
    assert!(!pipes.are_given_up());
    rig.phase.send_replace(Phase::Closing);
    assert_eq!(rig.serving.await.unwrap(), Served { cut: 0 });
    assert!(pipes.are_given_up());
}

#[tokio::test(start_paused = true)]
async fn closing_ends_idle_connections_at_once() {
    let (rig, pipes) = Rig::pipes(Limits::default());
    let mut idle = pipes.connect();
    idle.write_all(get("/x").as_bytes()).await.unwrap();
    one_reply(&mut idle).await;
    sleep(Duration::from_secs(5)).await;
    rig.phase.send_replace(Phase::Closing);
    let closed = tokio::time::timeout(Duration::from_millis(1), rest(&mut idle));
    assert_eq!(closed.await.unwrap(), "");
    assert_eq!(rig.serving.await.unwrap(), Served { cut: 0 });
}

#[tokio::test(start_paused = true)]
async fn closing_answers_the_next_call_of_a_busy_connection() {
    let (rig, pipes) = Rig::pipes(Limits::default());
    let (mut busy, mut done) = (pipes.connect(), pipes.connect());
    for stream in [&mut busy, &mut done] {
        stream.write_all(get("/x").as_bytes()).await.unwrap();
        one_reply(stream).await;
    }
    rig.phase.send_replace(Phase::Closing);
    sleep(Duration::from_millis(10)).await;
    busy.write_all(get("/next").as_bytes()).await.unwrap();
    check(&rest(&mut busy).await, 200, &["connection: close", "GET /next"]);
    assert_eq!(rest(&mut done).await, "");
    assert_eq!(rig.serving.await.unwrap(), Served { cut: 0 });
}

#[tokio::test(start_paused = true)]
async fn closing_does_not_wait_for_connections_that_say_nothing() {
    let (rig, pipes) = Rig::pipes(Limits { header_read: Duration::MAX, ..Limits::default() });
    let mut silent = pipes.connect();
    sleep(Duration::from_millis(1)).await;
    rig.phase.send_replace(Phase::Closing);
    assert_eq!(rest(&mut silent).await, "");
    assert_eq!(rig.serving.await.unwrap(), Served { cut: 0 });
}

#[tokio::test]
async fn closing_answers_calls_that_were_sent_before_it_over_connections_not_yet_accepted() {
    let (rig, address) = Rig::tcp().await;
    // No await between these: the listener cannot have noticed the connection when it is told to close.
    let stream = std::net::TcpStream::connect(address).unwrap();
    std::io::Write::write_all(&mut &stream, get("/queued").as_bytes()).unwrap();
    rig.phase.send_replace(Phase::Closing);
    stream.set_nonblocking(true).unwrap();
    let mut stream = TcpStream::from_std(stream).unwrap();
    check(&rest(&mut stream).await, 200, &["connection: close", "GET /queued"]);
    assert_eq!(rig.serving.await.unwrap(), Served { cut: 0 });
}

#[tokio::test]
async fn closing_lets_calls_in_flight_end() {
    let (rig, address) = Rig::tcp().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(get("/gate").as_bytes()).await.unwrap();
    rig.started().await;
    rig.phase.send_replace(Phase::Closing);
    rig.site.gate.notify_one();
    check(&rest(&mut stream).await, 200, &["connection: close", "through the gate"]);
    assert_eq!(rig.serving.await.unwrap(), Served { cut: 0 });
}

#[tokio::test(start_paused = true)]
async fn closing_answers_a_request_that_is_still_arriving() {
    let (rig, pipes) = Rig::pipes(Limits::default());
    let mut stream = pipes.connect();
    let (first, second) = (&get("/x")[..9], &get("/arriving")[..9]);
    assert_eq!(first, "GET /x HT");
    stream.write_all(get("/x").as_bytes()).await.unwrap();
    one_reply(&mut stream).await;
    stream.write_all(second.as_bytes()).await.unwrap();
    sleep(Duration::from_millis(1)).await;
    rig.phase.send_replace(Phase::Closing);
    sleep(Duration::from_secs(1)).await;
    stream.write_all(&get("/arriving").as_bytes()[9..]).await.unwrap();
    check(&rest(&mut stream).await, 200, &["connection: close", "GET /arriving"]);
    assert_eq!(rig.serving.await.unwrap(), Served { cut: 0 });
}

#[tokio::test]
async fn cutting_ends_calls_in_flight_and_counts_them() {
    let (rig, address) = Rig::tcp().await;
    let mut streams = Vec::new();
    for path in ["/gate", "/gate", "/x"] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(get(path).as_bytes()).await.unwrap();
        rig.started().await;
        streams.push(stream);
    }
    one_reply(&mut streams[2]).await;
    rig.phase.send_replace(Phase::Closing);
    rig.phase.send_replace(Phase::Cutting);
    assert_eq!(rig.serving.await.unwrap(), Served { cut: 2 });
    assert_eq!(rig.site.ended.load(Ordering::SeqCst), 3);
    check(&rest(&mut streams[0]).await, 503, &["connection: close", "The service ended before it answered this call;"]);
}

/// Closed before all of it was read, the connection would be reset, and the reply lost with it.
#[tokio::test]
async fn who_is_still_sending_is_told_that_its_call_was_cut_off() {
    let (rig, address) = Rig::tcp().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"POST /gate HTTP/1.1\r\nhost: x\r\ncontent-length: 2000000\r\n\r\n").await.unwrap();
    rig.started().await;
    stream.write_all(&[b'x'; 200_000]).await.unwrap();
    rig.phase.send_replace(Phase::Cutting);
    check(&one_reply(&mut stream).await, 503, &["connection: close"]);
    assert_eq!(rig.serving.await.unwrap(), Served { cut: 1 });
}

#[tokio::test(start_paused = true)]
async fn a_head_that_is_half_there_is_not_blamed_for_the_end() {
    let (rig, pipes) = Rig::pipes(Limits::default());
    let mut stream = pipes.connect();
    stream.write_all(&get("/x").as_bytes()[..9]).await.unwrap();
    sleep(Duration::from_millis(1)).await;
    rig.phase.send_replace(Phase::Cutting);
    assert_eq!(rest(&mut stream).await, "");
    assert_eq!(rig.serving.await.unwrap(), Served { cut: 0 });
}

#[tokio::test]
async fn a_listener_that_nobody_steers_stops() {
    let (rig, _) = Rig::tcp().await;
    drop(rig.phase);
    assert_eq!(rig.serving.await.unwrap(), Served { cut: 0 });
}
