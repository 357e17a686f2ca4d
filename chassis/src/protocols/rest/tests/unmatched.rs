//! What is no call, or calls nothing, passes the chain `unmatched` whatever is wrong with it, and the next call is fine.

use std::sync::Mutex;
use std::time::Duration;

use axum::body::Bytes;
use h2::client::SendRequest;
use http::{HeaderValue, Request};

use super::*;
use crate::chain::{Form, Step};
use crate::handler::{Handler, Verdict};

/// Notes what it sees, and marks what is answered.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl Handler for Notes {
    fn before(&self, invocation: &mut Invocation) -> Verdict {
        assert!(invocation.operation().is_none());
        Verdict::Continue
    }

    fn after(&self, invocation: &Invocation, reply: &mut Reply) {
        reply.headers_mut().insert("x-noted", HeaderValue::from_static("yes"));
        let code = reply.fault().map_or("none", |fault| fault.code().as_str());
        self.0.lock().unwrap().push(format!("{} {} {code}", invocation.method(), reply.status().as_u16()));
    }
}

impl Notes {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// A listener with the operation `POST /says`, and what the handler of its chain `unmatched` notes.
async fn noted() -> (SocketAddr, Notes, Provider, watch::Sender<Phase>) {
    let notes = Notes::default();
    let step = Step { name: "notes".into(), form: Form::Hooks(Arc::new(notes.clone())), terms: None };
    let unmatched = Chain { name: "unmatched".into(), steps: [step].into() };
    let says = [("/says/{what}", Arc::new(Says("said")) as Arc<dyn Endpoint>)];
    let provider = provider_with(says, &[("rest", &[0])], unmatched);
    let (address, phase) = served(&provider, "rest", json!({ "listen": "127.0.0.1:0" })).await;
    (address, notes, provider, phase)
}

/// Sends a request over a new connection, and reads until the listener closes it.
async fn sent(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    reply
}

#[tokio::test]
async fn whatever_calls_nothing_over_http_1_1_passes_it() {
    let (address, notes, provider, _phase) = noted().await;
    let long = format!("GET /{} HTTP/1.1\r\nhost: a", "a".repeat(20_000));
    for (head, noted) in [
        ("GET /nowhere HTTP/1.1\r\nhost: a", "GET 404 not-found"),
        ("GET /says/x HTTP/1.1\r\nhost: a", "GET 405 method-not-allowed"),
        ("TRACE /says/x HTTP/1.1\r\nhost: a", "TRACE 405 method-not-allowed"),
        ("BREW /says/x HTTP/1.1\r\nhost: a", "BREW 501 unimplemented"),
        ("BREW /nowhere HTTP/1.1\r\nhost: a", "BREW 404 not-found"),
        ("OPTIONS * HTTP/1.1\r\nhost: a", "OPTIONS 204 none"),
        ("OPTIONS /says/x HTTP/1.1\r\nhost: a", "OPTIONS 204 none"),
        ("POST /says/%zz HTTP/1.1\r\nhost: a", "POST 400 invalid-argument"),
        ("POST /says/%ff HTTP/1.1\r\nhost: a", "POST 400 invalid-argument"),
        ("POST /says/%00 HTTP/1.1\r\nhost: a", "POST 400 invalid-argument"),
        (&long, "GET 414 uri-too-long"),
        ("POST /says/x HTTP/1.1", "POST 400 invalid-argument"),
        ("POST /says/x HTTP/1.1\r\nhost: a\r\nhost: a", "POST 400 invalid-argument"),
        ("POST http://ada@a/says/x HTTP/1.1\r\nhost: a", "POST 400 invalid-argument"),
        ("POST * HTTP/1.1\r\nhost: a", "POST 400 invalid-argument"),
        ("CONNECT a:1 HTTP/1.1\r\nhost: a:1", "CONNECT 501 unimplemented"),
        ("POST /says/x HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked", "POST 501 unimplemented"),
    ] {
        let reply = sent(address, &format!("{head}\r\nconnection: close\r\n\r\n")).await;
        let (status, code) = noted.split_once(' ').unwrap().1.split_once(' ').unwrap();
        assert!(reply.starts_with(&format!("HTTP/1.1 {status} ")) && reply.contains("x-noted: yes"), "{head}: {reply}");
        if code != "none" {
            assert!(reply.contains("application/problem+json") && reply.contains(code), "{head}: {reply}");
        }
        assert_eq!(notes.take(), [noted], "{head}");
        assert!(posted(address, "/says/next", "x").await.starts_with("HTTP/1.1 200 "));
    }
    assert_eq!(provider.refusals().iter().count(), 0);
}

#[tokio::test]
async fn what_is_no_request_is_counted_for_the_whole_process() {
    let (address, notes, provider, _phase) = noted().await;
    let reply = sent(address, "GET\r\n\r\n").await;
    assert!(reply.starts_with("HTTP/1.1 400 ") && reply.contains("application/problem+json"), "{reply}");
    let reply = sent(address, &format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(10_000))).await;
    assert!(reply.starts_with("HTTP/1.1 431 ") && reply.contains("application/problem+json"), "{reply}");
    let expected = r#"{"invalid-argument": 1, "header-fields-too-large": 1}"#;
    let counted = async {
        while format!("{:?}", provider.refusals()) != expected {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), counted).await.unwrap();
    assert!(notes.take().is_empty());
}

/// The status of the reply to a request, and whether a handler marked it.
async fn asked(calls: &mut SendRequest<Bytes>, request: Request<()>) -> (u16, bool) {
    std::future::poll_fn(|cx| calls.poll_ready(cx)).await.unwrap();
    let reply = calls.send_request(request, true).unwrap().0.await.unwrap();
    (reply.status().as_u16(), reply.headers().contains_key("x-noted"))
}

#[tokio::test]
async fn whatever_calls_nothing_over_http_2_passes_it() {
    let (address, notes, _provider, _phase) = noted().await;
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut calls, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let to = |method: &str, path: &str| Request::builder().method(method).uri(format!("http://a{path}"));
    let mut many = to("POST", "/says/x");
    for _ in 0..101 {
        many = many.header("x", "y");
    }
    for (request, status) in [
        (to("GET", "/nowhere"), 404),
        (to("GET", "/says/x"), 405),
        (to("BREW", "/says/x"), 501),
        (to("POST", "/says/%zz"), 400),
        (to("POST", "/says/%ff"), 400),
        (to("POST", &format!("/{}", "a".repeat(20_000))), 414),
        (to("POST", "/says/x").header("host", "b"), 400),
        (many, 431),
    ] {
        assert_eq!(asked(&mut calls, request.body(()).unwrap()).await, (status, true));
        assert!(notes.take()[0].contains(&status.to_string()));
        assert_eq!(asked(&mut calls, to("POST", "/says/x").body(()).unwrap()).await, (200, false));
    }
}
