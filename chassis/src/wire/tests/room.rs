//! Who gets a connection while there are too few. The clock is paused: it jumps to whatever is waited for.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::timeout;

use super::rig::{Pipes, Rig, check, get, last, one_reply, rest};
use crate::clock::Clock;
use crate::wire::Limits;

/// No more file descriptors.
const EMFILE: i32 = 24;

#[tokio::test(start_paused = true)]
async fn connections_beyond_the_cap_wait_for_one_to_close() {
    let (_rig, pipes) = Rig::pipes(Limits { connections: 1, ..Limits::default() });
    let mut first = pipes.connect();
    first.write_all(get("/gate").as_bytes()).await.unwrap();
    let mut second = pipes.connect();
    second.write_all(get("/second").as_bytes()).await.unwrap();
    assert!(timeout(Duration::from_secs(60), second.read_u8()).await.is_err());
    drop(first);
    check(&one_reply(&mut second).await, 200, &["GET /second"]);
}

/// A connection that has had its call.
async fn idle(pipes: &Pipes) -> DuplexStream {
    let mut stream = pipes.connect();
    stream.write_all(get("/idle").as_bytes()).await.unwrap();
    check(&one_reply(&mut stream).await, 200, &[]);
    stream
}

/// How long this connection is kept.
async fn kept(mut stream: DuplexStream) -> Duration {
    let since = Clock::system().now();
    assert_eq!(rest(&mut stream).await, "");
    since.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_a_call_makes_room_for_one_that_waits() {
    let (_rig, pipes) = Rig::pipes(Limits { connections: 2, ..Limits::default() });
    let idle = [idle(&pipes).await, idle(&pipes).await];
    let mut third = pipes.connect();
    third.write_all(get("/third").as_bytes()).await.unwrap();
    let since = Clock::system().now();
    check(&one_reply(&mut third).await, 200, &["GET /third"]);
    assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
    drop(idle);
}

#[tokio::test(start_paused = true)]
async fn as_many_connections_as_there_may_be_are_kept_while_nobody_else_comes() {
    let (_rig, pipes) = Rig::pipes(Limits { connections: 1, ..Limits::default() });
    assert!(kept(idle(&pipes).await).await >= Limits::default().idle);
}

#[tokio::test(start_paused = true)]
async fn connections_without_a_call_are_closed_while_accepting_fails_and_not_after() {
    let (_rig, pipes) = Rig::pipes(Limits::default());
    let first = idle(&pipes).await;
    (0..12).for_each(|_| pipes.fail(io::Error::from_raw_os_error(EMFILE)));
    assert!(kept(first).await < Duration::from_secs(5));
    assert!(kept(idle(&pipes).await).await >= Limits::default().idle);
}

#[tokio::test(start_paused = true)]
async fn accepting_goes_on_after_failures() {
    let (_rig, pipes) = Rig::pipes(Limits::default());
    for _ in 0..5 {
        pipes.fail(io::Error::from_raw_os_error(EMFILE));
        pipes.fail(io::ErrorKind::ConnectionAborted.into());
    }
    let mut stream = pipes.connect();
    stream.write_all(last("/after").as_bytes()).await.unwrap();
    check(&rest(&mut stream).await, 200, &["GET /after"]);
}
