//! Replies that leave together. The clock stands still, so that a thread is as busy as it can be.

use std::future::poll_fn;
use std::io::{self, Read};
use std::net::TcpStream;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use proptest::prelude::*;
use socket2::SockRef;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::task::{block_in_place, spawn_blocking, yield_now};

use crate::wire::batch::{MOST, WORTH_IT};
use crate::wire::tcp::Tcp;

/// How long what is sent may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection of ours and its peer, who reads at once what is there.
async fn pair() -> (Tcp, Peer) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (Tcp::new(listener.accept().await.unwrap().0), Peer(peer))
}

struct Peer(TcpStream);

impl Peer {
    /// What has arrived and was not read yet.
    fn there(&mut self) -> String {
        self.0.set_nonblocking(true).unwrap();
        let mut bytes = [0; 1000];
        match self.0.read(&mut bytes) {
            Ok(count) => String::from_utf8_lossy(&bytes[..count]).into_owned(),
            Err(error) => {
                assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
                String::new()
            }
        }
    }

    /// What arrives next, up to so many bytes.
    fn next(&mut self, most: usize) -> String {
        let mut bytes = vec![0; most];
        let count = self.patient().read(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..count]).into_owned()
    }

    /// What is left to read once our side is gone.
    fn end_of(&mut self, tcp: Tcp) -> String {
        drop(tcp);
        String::from_utf8(self.rest()).unwrap()
    }

    /// So many bytes.
    fn exactly(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.patient().read_exact(&mut bytes).unwrap();
        bytes
    }

    /// Everything until the end.
    fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.patient().read_to_end(&mut bytes).unwrap();
        bytes
    }

    /// The same connection, waiting for what is to come.
    fn patient(&mut self) -> &mut TcpStream {
        self.0.set_nonblocking(false).unwrap();
        self.0.set_read_timeout(Some(PATIENCE)).unwrap();
        &mut self.0
    }

    /// Whether this is what comes behind so many bytes, once there is room for it.
    async fn finds(mut self, filled: usize, rest: &str) -> bool {
        let count = filled + rest.len();
        let read = spawn_blocking(move || self.exactly(count)).await.unwrap();
        read[filled..] == *rest.as_bytes()
    }
}

/// Writes it and flushes, without letting others have their turn.
async fn write(tcp: &mut Tcp, text: &str) {
    let done = poll_fn(|cx| {
        let written = Pin::new(&mut *tcp).poll_write(cx, text.as_bytes());
        Poll::Ready((written, Pin::new(&mut *tcp).poll_flush(cx)))
    });
    let (written, flushed) = done.await;
    assert!(matches!(written, Poll::Ready(Ok(count)) if count == text.len()), "{written:?}");
    assert!(matches!(flushed, Poll::Ready(Ok(()))), "{flushed:?}");
}

/// Makes this thread busy: whatever is written from now on follows another reply closely.
async fn busy() {
    let (mut tcp, mut peer) = pair().await;
    write(&mut tcp, "first").await;
    write(&mut tcp, "second").await;
    assert_eq!(peer.end_of(tcp), "firstsecond");
}

#[tokio::test(start_paused = true)]
async fn a_busy_thread_holds_what_is_small_until_it_has_nothing_else_to_do() {
    busy().await;
    let ((mut one, mut first), (mut two, mut second)) = (pair().await, pair().await);
    write(&mut one, "one").await;
    write(&mut two, "two").await;
    assert_eq!((first.there(), second.there()), (String::new(), String::new()));
    yield_now().await;
    assert_eq!((first.next(9), second.next(9)), ("one".to_owned(), "two".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_no_other_came_before_leaves_at_once() {
    busy().await;
    tokio::time::advance(Duration::from_millis(1)).await;
    let (mut tcp, mut peer) = pair().await;
    write(&mut tcp, "alone").await;
    assert_eq!(peer.next(9), "alone");
}

#[tokio::test(start_paused = true)]
async fn a_thread_with_few_connections_soon_holds_nothing() {
    busy().await;
    let mut pairs = Vec::new();
    for _ in 0..WORTH_IT {
        pairs.push(pair().await);
    }
    // How many of the pieces of a round were held.
    async fn round(pairs: &mut [(Tcp, Peer)]) -> usize {
        for (tcp, _) in &mut *pairs {
            tcp.write_all(b"x").await.unwrap();
        }
        let held = pairs.iter_mut().filter_map(|(_, peer)| peer.there().is_empty().then_some(())).count();
        yield_now().await;
        pairs.iter_mut().for_each(|(_, peer)| drop(peer.there()));
        held
    }
    let mut held = 0;
    for _ in 0..1_000 {
        held += round(&mut pairs[1..]).await;
    }
    assert!((1..200).contains(&held), "{held} of 3000");
    // As soon as there is enough to send each time, all is held again.
    for _ in 0..500 {
        round(&mut pairs).await;
    }
    assert_eq!(round(&mut pairs).await, WORTH_IT);
}

#[tokio::test(start_paused = true)]
async fn so_many_leave_without_waiting_for_more() {
    busy().await;
    let mut pairs = Vec::new();
    for _ in 0..MOST {
        pairs.push(pair().await);
    }
    for (tcp, _) in &mut pairs {
        write(tcp, "reply").await;
    }
    for (_, peer) in &mut pairs {
        assert_eq!(peer.next(9), "reply");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_large_takes_what_is_held_along() {
    busy().await;
    let (mut tcp, mut peer) = pair().await;
    write(&mut tcp, "small").await;
    assert_eq!(peer.there(), "");
    let large = "x".repeat(5 << 10);
    write(&mut tcp, &large).await;
    assert_eq!(peer.next(5), "small");
    assert_eq!(peer.end_of(tcp), large);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_ends_leaves_nothing_behind() {
    busy().await;
    let ((mut one, mut first), (mut two, mut second)) = (pair().await, pair().await);
    write(&mut one, "dropped").await;
    assert_eq!(first.end_of(one), "dropped");
    write(&mut two, "shut").await;
    two.shutdown().await.unwrap();
    assert_eq!(second.rest(), b"shut");
}

#[tokio::test(start_paused = true)]
async fn what_one_thread_holds_another_sends_first() {
    busy().await;
    let (mut tcp, mut peer) = pair().await;
    write(&mut tcp, "here").await;
    assert_eq!(peer.there(), "");
    let elsewhere = thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(write(&mut tcp, "there"));
        tcp
    });
    let tcp = elsewhere.join().unwrap();
    assert_eq!(peer.end_of(tcp), "herethere");
}

#[test]
fn a_runtime_that_ends_lets_go_of_what_its_thread_holds() {
    let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let (mut tcp, mut peer) = runtime.block_on(async {
        busy().await;
        pair().await
    });
    for word in ["one", "two"] {
        runtime.block_on(write(&mut tcp, word));
        assert_eq!(peer.next(9), word);
    }
}

/// Runs on a worker of several threads' runtime, which can hand its tasks to another thread.
fn on_worker(run: impl Future<Output = ()> + Send + 'static) {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async { tokio::spawn(run).await.unwrap() });
}

/// Writes until the thread holds something: the clock of several threads cannot be stopped, so that it may not be busy.
async fn hold(tcp: &mut Tcp, peer: &mut Peer) {
    loop {
        write(tcp, "x").await;
        if peer.there().is_empty() {
            return;
        }
    }
}

#[test]
fn whoever_blocks_the_thread_lets_go_of_what_it_holds() {
    on_worker(async {
        let (mut tcp, mut peer) = pair().await;
        hold(&mut tcp, &mut peer).await;
        assert_eq!(block_in_place(|| peer.next(1)), "x");
    });
}

#[test]
fn tasks_that_never_rest_keep_no_reply() {
    on_worker(async {
        // Always ready: the thread never runs out of tasks.
        let restless = tokio::spawn(poll_fn(|cx| {
            cx.waker().wake_by_ref();
            Poll::<()>::Pending
        }));
        let (mut tcp, mut peer) = pair().await;
        hold(&mut tcp, &mut peer).await;
        let read = spawn_blocking(move || peer.next(1));
        assert_eq!(read.await.unwrap(), "x");
        restless.abort();
    });
}

/// A connection whose peer has room for nothing more, and how much it has to read.
async fn full() -> (Tcp, Peer, usize) {
    let (mut tcp, peer) = pair().await;
    let mut filled = 0;
    loop {
        let more = poll_fn(|cx| Poll::Ready(Pin::new(&mut tcp).poll_write(cx, &[b'.'; 64 << 10]))).await;
        match more {
            Poll::Ready(count) => filled += count.unwrap(),
            // Others may only have their turn.
            Poll::Pending if tcp.is_blocked() => return (tcp, peer, filled),
            Poll::Pending => yield_now().await,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_there_is_no_room_for_keeps_its_place() {
    busy().await;
    let (mut tcp, mut peer) = pair().await;
    SockRef::from(&tcp.outlet.stream).set_send_buffer_size(1).unwrap();
    let reader = thread::spawn(move || peer.rest());
    let sent: Vec<u8> = (0..4_000_000_u32).map(|number| (number % 251) as u8).collect();
    for (at, piece) in sent.chunks(1_999).enumerate() {
        tcp.write_all(piece).await.unwrap();
        if at % 5 == 0 {
            yield_now().await;
        }
    }
    tcp.shutdown().await.unwrap();
    assert!(reader.join().unwrap() == sent);
}

#[tokio::test(start_paused = true)]
async fn what_there_is_no_room_for_is_sent_though_the_connection_looks_at_nothing() {
    busy().await;
    let (mut tcp, peer, filled) = full().await;
    write(&mut tcp, "rest").await;
    assert!(peer.finds(filled, "rest").await);
}

#[tokio::test(start_paused = true)]
async fn nothing_overtakes_what_another_thread_found_no_room_for() {
    busy().await;
    let (mut tcp, mut peer, filled) = full().await;
    // This thread holds it, the other one finds no room for it, and has more.
    write(&mut tcp, "one").await;
    let elsewhere = thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            busy().await;
            let mut cx = Context::from_waker(Waker::noop());
            let waits = Pin::new(&mut tcp).poll_write(&mut cx, b"two").is_pending();
            (tcp, waits)
        })
    });
    let (mut tcp, waits) = elsewhere.join().unwrap();
    assert!(waits);
    let reader = spawn_blocking(move || peer.exactly(filled + 6));
    tcp.write_all(b"two").await.unwrap();
    assert!(reader.await.unwrap().ends_with(b".onetwo"));
}

#[tokio::test(start_paused = true)]
async fn what_is_left_is_sent_by_the_runtime_of_its_connection() {
    busy().await;
    let ((mut tcp, peer, filled), (mut other, _other)) = (full().await, pair().await);
    write(&mut other, "x").await;
    write(&mut tcp, "rest").await;
    // A thread without a runtime sends it all, for another connection.
    thread::spawn(move || drop(other)).join().unwrap();
    assert!(tcp.outlet.is_behind());
    assert!(peer.finds(filled, "rest").await);
}

#[tokio::test(start_paused = true)]
async fn what_is_left_ends_with_the_connection() {
    busy().await;
    let (mut tcp, mut peer, filled) = full().await;
    write(&mut tcp, "rest").await;
    yield_now().await;
    assert!(tcp.outlet.is_behind());
    let outlet = Arc::downgrade(&tcp.outlet);
    drop(tcp);
    for _ in (0..1_000).take_while(|_| outlet.strong_count() > 0) {
        yield_now().await;
    }
    assert_eq!(outlet.strong_count(), 0);
    // A reset, and not an end that looks like one of the reply.
    let mut read = Vec::new();
    assert_eq!(peer.0.read_to_end(&mut read).unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    assert!(read.len() <= filled);
}

/// Writes that the peer has no room for at times, of several connections, with pauses in between.
#[derive(Clone, Debug)]
enum Step {
    Write(usize, usize),
    Yield,
}

fn step() -> impl Strategy<Value = Step> {
    let length = prop_oneof![8 => 1..200_usize, 2 => 3_000..6_000_usize, 1 => 100_000..400_000_usize];
    prop_oneof![6 => (0..3_usize, length).prop_map(|(at, length)| Step::Write(at, length)), 1 => Just(Step::Yield)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_byte_arrives_once_and_in_order(steps in prop::collection::vec(step(), 1..200)) {
        let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            busy().await;
            let (mut ours, mut readers, mut sent) = (Vec::new(), Vec::new(), vec![Vec::<u8>::new(); 3]);
            for _ in 0..3 {
                let (tcp, mut peer) = pair().await;
                ours.push(tcp);
                readers.push(thread::spawn(move || peer.rest()));
            }
            for step in &steps {
                match step {
                    Step::Yield => yield_now().await,
                    Step::Write(at, length) => {
                        let from = sent[*at].len();
                        sent[*at].extend((from..from + length).map(|number| (number % 251) as u8));
                        let bytes = sent[*at][from..].to_vec();
                        ours[*at].write_all(&bytes).await.unwrap();
                    }
                }
            }
            for mut tcp in ours {
                tcp.flush().await.unwrap();
                tcp.shutdown().await.unwrap();
            }
            for (reader, sent) in readers.into_iter().zip(sent) {
                assert!(reader.join().unwrap() == sent);
            }
        });
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_is_waited_for() {
    busy().await;
    let (mut tcp, mut peer) = pair().await;
    let mut written = 0;
    // Each is held, and together they are more than the system has room for.
    loop {
        match poll_fn(|cx| Poll::Ready(Pin::new(&mut tcp).poll_write(cx, &[7; 4 << 10]))).await {
            Poll::Ready(count) => written += count.unwrap(),
            Poll::Pending => yield_now().await,
        }
        // A write may also wait because others have their turn.
        if poll_fn(|cx| Poll::Ready(Pin::new(&mut tcp).poll_flush(cx))).await.is_pending() {
            break;
        }
        assert!(written < 1 << 30, "there is no end of room");
    }
    let reader = thread::spawn(move || peer.rest().len());
    tcp.flush().await.unwrap();
    tcp.shutdown().await.unwrap();
    assert_eq!(reader.join().unwrap(), written);
}
