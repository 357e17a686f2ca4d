//! The addresses that a listener is reached by.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::rig::{Site, check, last, rest};
use crate::protocol::{Address, Listen, Phase, Served};
use crate::wire::accept::Accept;
use crate::wire::socket::Connected;
use crate::wire::{Limits, Sockets, serve};

/// Listens, and sends a request to the port of each of the hosts.
async fn reached(listen: &str, hosts: &[&str]) {
    let sockets = Sockets::bind(&listen.parse::<Listen>().unwrap()).await.unwrap();
    let Address::Tcp(address) = sockets.address() else { panic!("not TCP") };
    let (phase, phases) = watch::channel(Phase::Serving);
    let serving = tokio::spawn(async move { serve(sockets, Site::default(), &Limits::default(), phases).await });
    for host in hosts {
        let mut stream = TcpStream::connect((*host, address.port())).await.unwrap();
        stream.write_all(last("/x").as_bytes()).await.unwrap();
        check(&rest(&mut stream).await, 200, &["GET /x"]);
    }
    phase.send_replace(Phase::Closing);
    assert_eq!(serving.await.unwrap(), Served { cut: 0 });
}

/// The loopback addresses of this machine.
async fn loopbacks() -> Vec<&'static str> {
    let mut found = vec!["127.0.0.1"];
    if tokio::net::TcpListener::bind("[::1]:0").await.is_ok() {
        found.push("::1");
    }
    found
}

#[tokio::test]
async fn a_port_alone_is_reached_by_every_address() {
    reached(":0", &loopbacks().await).await;
}

#[tokio::test]
async fn a_name_is_reached_by_the_name() {
    reached("localhost:0", &["localhost", "localhost"]).await;
}

#[tokio::test]
async fn an_address_is_reached_by_itself() {
    for host in loopbacks().await {
        let listen = if host.contains(':') { format!("[{host}]:0") } else { format!("{host}:0") };
        reached(&listen, &[host]).await;
    }
}

#[tokio::test]
async fn a_name_without_an_address_is_refused() {
    let listen = Listen::Name("no-such-host.invalid".to_owned(), 0);
    let error = Sockets::bind(&listen).await.map(|_| ()).unwrap_err();
    assert!(error.message.starts_with("`no-such-host.invalid:0` cannot be taken: "), "{error}");
    assert!(error.help.is_some_and(|help| help.starts_with("this machine knows no address by that name: ")));
}

#[tokio::test]
async fn a_port_that_cannot_be_had_is_refused_with_what_helps() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let taken = listener.local_addr().unwrap();
    let error = Sockets::bind(&Listen::Ip(taken)).await.map(|_| ()).unwrap_err();
    assert!(error.help.is_some_and(|help| help.contains(&format!("sport = {}", taken.port()))));
    drop(listener);
    let foreign = "192.0.2.1:0".parse::<Listen>().unwrap();
    let error = Sockets::bind(&foreign).await.map(|_| ()).unwrap_err();
    assert!(error.help.is_some_and(|help| help.contains("this machine does not have that address")));
}

#[tokio::test]
async fn connections_send_at_once_and_ask_for_vanished_peers() {
    let mut sockets = Sockets::bind(&"127.0.0.1:0".parse::<Listen>().unwrap()).await.unwrap();
    let Address::Tcp(address) = sockets.address() else { panic!("not TCP") };
    let _peer = TcpStream::connect(address).await.unwrap();
    let (connected, _) = std::future::poll_fn(|cx| sockets.poll_accept(cx)).await.unwrap();
    let Connected::Tcp { stream } = connected else { panic!("not TCP") };
    assert!(stream.outlet.stream.nodelay().unwrap());
    assert!(socket2::SockRef::from(&stream.outlet.stream).keepalive().unwrap());
}
