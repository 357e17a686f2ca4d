//! Who gets a connection while there are too few. The clock is paused: it jumps to whatever is waited for.

use std::io;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::{sleep, timeout};

use super::rig::{PATIENCE, Pipes, Rig, check, get, last, one_reply, rest};
use crate::clock::Clock;
use crate::protocol::{Phase, Served};
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
async fn a_connection_that_sends_nothing_makes_room_for_one_that_waits() {
    let (_rig, pipes) = Rig::pipes(Limits { connections: 2, ..Limits::default() });
    let silent = [pipes.connect(), pipes.connect()];
    let mut third = pipes.connect();
    third.write_all(get("/third").as_bytes()).await.unwrap();
    let since = Clock::system().now();
    check(&one_reply(&mut third).await, 200, &["GET /third"]);
    assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
    drop(silent);
}

/// Which of these connections have been closed.
fn closed(streams: &mut [DuplexStream]) -> Vec<bool> {
    streams.iter_mut().map(|stream| stream.read_u8().now_or_never().is_some()).collect()
}

#[tokio::test(start_paused = true)]
async fn one_that_waits_costs_only_a_few_of_the_longest_without_a_call_and_many_cost_more() {
    let (_rig, pipes) = Rig::pipes(Limits { connections: 40, ..Limits::default() });
    let mut pool = Vec::new();
    for at in 0..40 {
        if at % 8 == 0 {
            sleep(Duration::from_secs(2)).await;
        }
        pool.push(idle(&pipes).await);
    }
    sleep(Duration::from_secs(5)).await;
    let one = idle(&pipes).await;
    sleep(Duration::from_secs(10)).await;
    assert_eq!(closed(&mut pool), [[true; 8], [false; 8], [false; 8], [false; 8], [false; 8]].as_flattened());
    let mut many = Vec::new();
    for _ in 0..20 {
        many.push(idle(&pipes).await);
    }
    sleep(Duration::from_secs(10)).await;
    let closed = closed(&mut pool);
    assert!(closed[..16].iter().all(|closed| *closed) && !closed[24..].contains(&true), "{closed:?}");
    drop((one, many));
}

#[tokio::test(start_paused = true)]
async fn one_that_waits_when_the_listener_closes_is_served_if_there_is_room_and_dropped_if_not() {
    for (first, answer) in [("/gate", ""), ("/idle", "GET /second")] {
        let (rig, pipes) = Rig::pipes(Limits { connections: 1, ..Limits::default() });
        let (mut busy, mut second) = (pipes.connect(), pipes.connect());
        busy.write_all(get(first).as_bytes()).await.unwrap();
        rig.started().await;
        second.write_all(get("/second").as_bytes()).await.unwrap();
        sleep(Duration::from_millis(1)).await;
        if !answer.is_empty() {
            // No await between these: the listener hears of both at once.
            drop(busy);
        }
        rig.phase.send_replace(Phase::Closing);
        let reply = timeout(PATIENCE, rest(&mut second)).await.unwrap();
        assert!(reply.contains(answer) && reply.is_empty() == answer.is_empty(), "{first}: {reply}");
        rig.site.gate.notify_one();
        assert_eq!(rig.serving.await.unwrap(), Served { cut: 0 });
    }
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
