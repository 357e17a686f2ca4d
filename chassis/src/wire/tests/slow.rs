//! Peers over real sockets that take their time, as a tool for attacks makes them.

use std::env;
use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::process::{Command, Output};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpSocket;
use tokio::time::interval;

use super::rig::{Rig, check, exchange, get, last, until};
use crate::fault::Code;
use crate::wire::Limits;

/// How many peers attack at once.
const PEERS: usize = 20;

/// How many replies of a mebibyte are more than the system keeps for a peer that does not read.
const MORE: usize = 8;

/// Timeouts that a test can wait for.
async fn impatient() -> (Rig, SocketAddr) {
    let soon = Duration::from_millis(500);
    Rig::tcp_with(Limits { header_read: soon, body_read: soon, write: soon, ..Limits::default() }).await
}

/// Attacks this address for at most ten seconds; nothing where the tool is not installed.
fn attack(address: SocketAddr, path: &str, how: &str) -> Option<Output> {
    let mut tool = Command::new("slowhttptest");
    tool.args(["-c", &PEERS.to_string(), "-r", "200", "-l", "10", "-v", "1", "-u", &format!("http://{address}{path}")]);
    match tool.args(how.split(' ')).output() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            assert!(env::var_os("CI").is_none(), "slowhttptest is not installed, and CI skips nothing");
            // Past what the test harness keeps to itself.
            writeln!(io::stderr(), "skipped: slowhttptest is not installed").ok();
            None
        }
        output => Some(output.unwrap()),
    }
}

/// Proves that the listener ends every connection of this attack, and answers others meanwhile.
async fn withstands(address: SocketAddr, path: &'static str, how: &str) -> bool {
    let how = how.to_owned();
    let attack = tokio::task::spawn_blocking(move || attack(address, path, &how));
    let mut pause = interval(Duration::from_millis(50));
    while !attack.is_finished() {
        check(&exchange(address, last("/normal")).await, 200, &["GET /normal"]);
        pause.tick().await;
    }
    let Some(output) = attack.await.unwrap() else { return false };
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("No open connections left"), "{said}");
    true
}

#[tokio::test]
async fn slow_heads_are_ended_and_keep_nobody_else_waiting() {
    let (rig, address) = impatient().await;
    if withstands(address, "/x", "-H -i 1").await {
        assert_eq!(rig.site.refusals.of(Code::RequestTimeout), PEERS as u64);
    }
}

#[tokio::test]
async fn slow_bodies_are_ended_and_keep_nobody_else_waiting() {
    let (_rig, address) = impatient().await;
    withstands(address, "/echo", "-B -i 2").await;
}

#[tokio::test]
async fn slow_readers_are_ended_and_keep_nobody_else_waiting() {
    let (_rig, address) = impatient().await;
    withstands(address, "/large", &format!("-X -w 512 -y 1024 -n 2 -z 4096 -k {MORE}")).await;
}

#[tokio::test]
async fn what_a_peer_does_not_read_is_kept_by_nobody() {
    let (_rig, address) = impatient().await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    stream.write_all(get("/large").repeat(MORE).as_bytes()).await.unwrap();
    // Nothing is read: the system alone would try for minutes to deliver what it has.
    until(|| stream.take_error().unwrap().is_some_and(|error| error.kind() == ErrorKind::ConnectionReset)).await;
}
