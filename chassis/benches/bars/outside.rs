//! Calls over a socket: the whole way from bytes to bytes, with a client that allocates nothing.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread;

use chassis::catalog::Catalog;
use chassis::conf::{Process, Sources};
use chassis::protocol::{Address, Phase};
use serde_json::json;
use tokio::sync::watch;

use crate::service::{built, runtime, sources, start};

/// Sends this request and reads the answer, on one connection to a server with this chain.
pub(crate) fn exchange(chain: &str, request: String) -> Box<dyn FnMut()> {
    let mut stream = TcpStream::connect(serve(sources(chain))).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut answer = vec![0; 4096];
    let mut expected = 0;
    Box::new(move || {
        stream.write_all(request.as_bytes()).unwrap();
        let mut filled = 0;
        while filled == 0 || filled < expected {
            filled += stream.read(&mut answer[filled..]).unwrap();
        }
        assert!(answer.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&answer[..filled]));
        expected = filled;
    })
}

/// A `GET` as the contest sends it.
pub(crate) fn get(headers: &str) -> String {
    format!("GET /greetings/ada HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n")
}

/// A `POST` of 1 KiB of JSON.
pub(crate) fn post() -> String {
    let line = |at: u32| json!({ "sku": format!("BR-{at:04}"), "quantity": 12 * at, "price": 1.25, "tags": ["brass", "gear", "24 teeth"] });
    let lines: Vec<_> = (0..8).map(line).collect();
    let customer = ["Ada Lovelace", "ada@analytical.example", "12 St James's Square", "London", "GB"];
    let mut order = json!({ "id": 7_340_112, "customer": customer, "express": true, "lines": lines, "note": "" });
    let padding = 1024_usize.saturating_sub(order.to_string().len());
    order["note"] = json!("x".repeat(padding));
    let (body, length) = (order.to_string(), order.to_string().len());
    format!(
        "POST /orders HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// A `POST` of a short text with the header fields that browsers send.
pub(crate) fn text(path: &str) -> String {
    let fields = "user-agent: bars\r\naccept: */*\r\naccept-language: en\r\naccept-encoding: gzip";
    let body = "hello, world";
    let head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\n{fields}\r\ncontent-type: text/plain");
    format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// Serves on a thread of its own until the process ends.
fn serve(sources: Sources) -> SocketAddr {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        runtime().block_on(async move {
            let catalog = Catalog::linked().unwrap_or_else(|duplicates| panic!("{duplicates:?}"));
            let rest = catalog.protocol("rest").unwrap();
            let listener = built(&sources, &Process::default(), |context| {
                (rest.build)(json!({ "listen": "127.0.0.1:0" }), context).unwrap()
            });
            let bound = listener.bind().await.unwrap();
            let Address::Tcp(address) = bound.address() else { panic!("not an IP address") };
            sender.send(address).unwrap();
            let running = start(&sources).await;
            let (_serving, phase) = watch::channel(Phase::Serving);
            bound.serve(running.provider().entry("rest").unwrap(), phase).await;
        });
    });
    receiver.recv().unwrap()
}
