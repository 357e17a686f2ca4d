//! Answers whose body is replaced or left out, over sockets.

use axum::Router;
use axum::body::Bytes;
use axum::routing::get;
use h2::client::SendRequest;
use http::StatusCode;
use http::header::{CONTENT_LENGTH, ETAG};
use tower::ServiceExt;

use super::*;
use crate::fault::{Code, Fault};

/// Answers with what a router answers, which says how long its answers are.
struct Routed(Router);

impl Endpoint for Routed {
    fn call<'a>(&'a self, invocation: &'a mut Invocation) -> BoxFuture<'a, Reply> {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = invocation.method().clone();
        *request.uri_mut() = invocation.uri().clone();
        let answer = self.0.clone().oneshot(request);
        Box::pin(async { Reply::new(answer.await) })
    }
}

/// Answers with what this makes, whatever is asked for.
struct Makes(fn() -> Reply);

impl Endpoint for Makes {
    fn call<'a>(&'a self, _: &'a mut Invocation) -> BoxFuture<'a, Reply> {
        Box::pin(std::future::ready((self.0)()))
    }
}

async fn answering<const N: usize>(
    operations: [(&'static str, Arc<dyn Endpoint>); N],
) -> (SocketAddr, watch::Sender<Phase>) {
    let targets: Vec<_> = (0..N as u32).collect();
    served(&provider(operations, &[("rest", &targets)]), "rest", json!({ "listen": "127.0.0.1:0" })).await
}

fn makes(path: &'static str, reply: fn() -> Reply) -> (&'static str, Arc<dyn Endpoint>) {
    (path, Arc::new(Makes(reply)))
}

/// Reads one answer with a `content-length`, and no byte more.
async fn one_answer(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let mut text = String::from_utf8(head).unwrap();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    text.push_str(std::str::from_utf8(&body).unwrap());
    text
}

#[tokio::test]
async fn a_fault_out_of_a_router_leaves_the_connection_in_order() {
    let router = Router::new()
        .route("/fault", get(|| async { Fault::new(Code::Conflict, "It is taken.") }))
        .route("/fine", get(|| async { "fine" }));
    let routed = Arc::new(Routed(router));
    let (address, _phase) = answering([("GET /fault", Arc::clone(&routed) as _), ("GET /fine", routed)]).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    for _ in 0..2 {
        stream.write_all(b"GET /fault HTTP/1.1\r\nhost: test\r\n\r\n").await.unwrap();
        let answer = one_answer(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 409 ") && answer.contains("It is taken."), "{answer}");
        stream.write_all(b"GET /fine HTTP/1.1\r\nhost: test\r\n\r\n").await.unwrap();
        let answer = one_answer(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\nfine"), "{answer}");
    }
}

/// What HTTP/2 is answered: status, `content-length`, and how many bytes came.
async fn asked(calls: &mut SendRequest<Bytes>, method: &str, path: &str) -> (u16, Option<String>, usize) {
    std::future::poll_fn(|cx| calls.poll_ready(cx)).await.unwrap();
    let request = Request::builder().method(method).uri(format!("http://test{path}")).body(()).unwrap();
    let (parts, mut body) = calls.send_request(request, true).unwrap().0.await.unwrap().into_parts();
    let mut bytes = 0;
    while let Some(data) = body.data().await {
        bytes += data.unwrap().len();
    }
    let length = parts.headers.get(CONTENT_LENGTH).map(|length| length.to_str().unwrap().to_owned());
    (parts.status.as_u16(), length, bytes)
}

#[tokio::test]
async fn http2_sends_no_body_where_there_must_be_none() {
    let operations = [
        makes("GET /four", || Reply::new("four")),
        makes("GET /endless", || {
            let endless = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>("more"));
            Reply::new(Body::from_stream(endless))
        }),
        makes("GET /fault", || Fault::new(Code::Conflict, "It is taken.").into()),
        makes("GET /none", || Reply::new((StatusCode::NO_CONTENT, "four"))),
        makes("GET /same", || Reply::new((StatusCode::NOT_MODIFIED, [(ETAG, "\"a\"")], "four"))),
    ];
    let (address, _phase) = answering(operations).await;
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut calls, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let four = Some("4".to_owned());
    assert_eq!(asked(&mut calls, "GET", "/four").await, (200, four.clone(), 4));
    assert_eq!(asked(&mut calls, "HEAD", "/four").await, (200, four, 0));
    assert_eq!(asked(&mut calls, "HEAD", "/endless").await, (200, None, 0));
    assert_eq!(asked(&mut calls, "GET", "/none").await, (204, None, 0));
    assert_eq!(asked(&mut calls, "HEAD", "/none").await, (204, None, 0));
    assert_eq!(asked(&mut calls, "GET", "/same").await, (304, None, 0));
    let long = format!("/{}", "a".repeat(10_000));
    for path in ["/fault", "/nowhere", &long] {
        let (status, length, bytes) = asked(&mut calls, "GET", path).await;
        assert!(bytes > 0 && length == Some(bytes.to_string()), "{status} {length:?} {bytes}");
        assert_eq!(asked(&mut calls, "HEAD", path).await, (status, length, 0));
    }
}
