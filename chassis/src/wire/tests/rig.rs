//! A listener to test with: real sockets, or pipes in memory whose clock a test may pause.

use std::error::Error;
use std::future::ready;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use http::{Request, Response, StatusCode};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::fault::Fault;
use crate::invocation::{Peer, Tls};
use crate::protocol::{Address, Listen, Phase, Refusals, Served};
use crate::schema::BoxFuture;
use crate::wire::accept::Accept;
use crate::wire::{Connection, Flaw, Limits, Serve, Sockets, serve};

/// The site that tests call. What its calls do shows in the counts.
#[derive(Clone, Default)]
pub(super) struct Site {
    pub(super) begun: Arc<AtomicUsize>,
    pub(super) ended: Arc<AtomicUsize>,
    pub(super) started: Arc<Notify>,
    pub(super) gate: Arc<Notify>,
    pub(super) refusals: Arc<Refusals>,
    pub(super) tls: Arc<Mutex<Option<Arc<Tls>>>>,
}

/// Counts the end of a call, whatever ends it.
struct Ended(Arc<AtomicUsize>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Serve for Site {
    type Connection = Self;

    fn connect(&self, _: Peer) -> Self {
        self.clone()
    }

    fn refusals(&self) -> Arc<Refusals> {
        Arc::clone(&self.refusals)
    }
}

impl Connection for Site {
    type Answer = BoxFuture<'static, Response<Body>>;

    fn secured(&mut self, tls: Arc<Tls>) {
        *self.tls.lock().unwrap() = Some(tls);
    }

    fn call(&mut self, request: Request<Body>) -> Self::Answer {
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.started.notify_one();
        Box::pin(self.clone().answer(request))
    }

    fn refuse(&mut self, _: Request<Body>, flaw: Flaw) -> Self::Answer {
        Box::pin(ready(flaw.into_response()))
    }
}

impl Site {
    async fn answer(self, request: Request<Body>) -> Response<Body> {
        let _ended = Ended(Arc::clone(&self.ended));
        match request.uri().path() {
            "/echo" => echo(request.into_body()).await,
            "/deadline" => match timeout(Duration::from_secs(1), to_bytes(request.into_body(), usize::MAX)).await {
                Ok(_) => reply(StatusCode::OK, "in time"),
                Err(_) => reply(StatusCode::REQUEST_TIMEOUT, "too late"),
            },
            "/refuse" => reply(StatusCode::PAYLOAD_TOO_LARGE, "refused"),
            "/empty-400" => reply(StatusCode::BAD_REQUEST, Body::empty()),
            "/204" => reply(StatusCode::NO_CONTENT, "content"),
            "/205" => reply(StatusCode::RESET_CONTENT, "content"),
            "/304" => reply(StatusCode::NOT_MODIFIED, "content"),
            "/missing" => reply(StatusCode::NOT_FOUND, "missing"),
            "/panic" => panic!("as asked"),
            // The body is held all the while.
            "/gate" => {
                self.gate.notified().await;
                reply(StatusCode::OK, "through the gate")
            }
            "/taken" => {
                to_bytes(request.into_body(), usize::MAX).await.unwrap();
                self.gate.notified().await;
                reply(StatusCode::OK, "through the gate")
            }
            "/elsewhere" => {
                let body = tokio::spawn(to_bytes(request.into_body(), usize::MAX));
                body.await.unwrap().unwrap();
                self.gate.notified().await;
                reply(StatusCode::OK, "through the gate")
            }
            "/later" => {
                self.gate.notified().await;
                echo(request.into_body()).await
            }
            "/broken" => match to_bytes(request.into_body(), usize::MAX).await {
                Ok(_) => reply(StatusCode::OK, "whole"),
                Err(_) => {
                    sleep(Duration::from_millis(1)).await;
                    reply(StatusCode::BAD_REQUEST, "broken off")
                }
            },
            "/large" => reply(StatusCode::OK, vec![b'x'; 1 << 20]),
            "/drip" => drip(Arc::clone(&self.gate)),
            "/upgrade" => upgrade(request),
            _ => reply(StatusCode::OK, format!("{} {}", request.method(), described(&request))),
        }
    }
}

fn described(request: &Request<Body>) -> String {
    let host = request.headers().get("host").and_then(|host| host.to_str().ok()).unwrap_or("-");
    format!("{} on {host}", request.uri().path())
}

fn reply(status: StatusCode, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response
}

async fn echo(body: Body) -> Response<Body> {
    match to_bytes(body, usize::MAX).await {
        Ok(bytes) => reply(StatusCode::OK, bytes),
        Err(error) => match fault(&error) {
            Some(fault) => reply(fault.status(), fault.detail().to_owned()),
            None => reply(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        },
    }
}

fn fault<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Fault> {
    error.downcast_ref().or_else(|| fault(error.source()?))
}

/// A reply whose body pauses until the gate opens.
fn drip(gate: Arc<Notify>) -> Response<Body> {
    let parts = futures_util::stream::unfold(0, move |sent| {
        let gate = Arc::clone(&gate);
        async move {
            if sent == 1 {
                gate.notified().await;
            }
            (sent < 2).then(|| (Ok::<_, io::Error>(format!("part {sent};")), sent + 1))
        }
    });
    reply(StatusCode::OK, Body::from_stream(parts))
}

/// Switches to a protocol that sends back what it is sent.
fn upgrade(request: Request<Body>) -> Response<Body> {
    tokio::spawn(async move {
        let mut upgraded = hyper_util::rt::TokioIo::new(hyper::upgrade::on(request).await.unwrap());
        let mut bytes = [0; 64];
        let count = upgraded.read(&mut bytes).await.unwrap();
        upgraded.write_all(&bytes[..count]).await.unwrap();
    });
    let mut response = reply(StatusCode::SWITCHING_PROTOCOLS, Body::empty());
    response.headers_mut().insert("connection", "upgrade".parse().unwrap());
    response.headers_mut().insert("upgrade", "echo".parse().unwrap());
    response
}

/// A listener in use.
pub(super) struct Rig {
    pub(super) site: Site,
    pub(super) phase: watch::Sender<Phase>,
    pub(super) serving: JoinHandle<Served>,
}

impl Rig {
    fn start(accept: impl Accept, limits: Limits) -> Self {
        let (site, (phase, phases)) = (Site::default(), watch::channel(Phase::Serving));
        let service = site.clone();
        let serving = tokio::spawn(async move { serve(accept, service, &limits, phases).await });
        Self { site, phase, serving }
    }

    /// Listens on a port of this machine.
    pub(super) async fn tcp() -> (Self, SocketAddr) {
        Self::tcp_with(Limits::default()).await
    }

    pub(super) async fn tcp_with(limits: Limits) -> (Self, SocketAddr) {
        let sockets = Sockets::bind(&"127.0.0.1:0".parse::<Listen>().unwrap()).await.unwrap();
        let Address::Tcp(address) = sockets.address() else { panic!("not TCP") };
        (Self::start(sockets, limits), address)
    }

    /// Listens on pipes.
    pub(super) fn pipes(limits: Limits) -> (Self, Pipes) {
        let (pipes, queue) = Pipes::new();
        (Self::start(queue, limits), pipes)
    }

    /// Waits until as many calls have begun as this is called.
    pub(super) async fn started(&self) {
        self.site.started.notified().await;
    }
}

/// Where a test connects to pipes, and where it makes accepting fail.
pub(super) struct Pipes(mpsc::UnboundedSender<io::Result<DuplexStream>>);

/// What a pipe holds before its reader has to read.
pub(super) const ROOM: usize = 32 << 10;

impl Pipes {
    /// And where they are accepted.
    pub(super) fn new() -> (Self, impl Accept) {
        let (connect, accept) = mpsc::unbounded_channel();
        (Self(connect), Queue(accept))
    }

    pub(super) fn connect(&self) -> DuplexStream {
        let (near, far) = duplex(ROOM);
        self.0.send(Ok(far)).unwrap();
        near
    }

    /// Whether nobody accepts connections any more.
    pub(super) fn are_given_up(&self) -> bool {
        self.0.is_closed()
    }

    pub(super) fn fail(&self, error: io::Error) {
        self.0.send(Err(error)).unwrap();
    }
}

struct Queue(mpsc::UnboundedReceiver<io::Result<DuplexStream>>);

impl Accept for Queue {
    type Stream = DuplexStream;

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(DuplexStream, Peer)>> {
        match self.0.poll_recv(cx) {
            Poll::Ready(Some(accepted)) => Poll::Ready(accepted.map(|stream| (stream, Peer::Local))),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }

    fn close(mut self, room: usize) -> Vec<(DuplexStream, Peer)> {
        std::iter::from_fn(|| self.0.try_recv().ok()).flatten().map(|stream| (stream, Peer::Local)).take(room).collect()
    }
}

/// Sends bytes over a new connection, and reads until the listener closes it.
pub(super) async fn exchange(address: SocketAddr, bytes: impl AsRef<[u8]>) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes.as_ref()).await.unwrap();
    rest(&mut stream).await
}

/// How long something is waited for that has to come true.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for something that has to come true soon.
pub(super) async fn until(mut is_true: impl FnMut() -> bool) {
    let coming = async {
        while !is_true() {
            tokio::task::yield_now().await;
        }
    };
    assert!(timeout(PATIENCE, coming).await.is_ok(), "it has not come true within {PATIENCE:?}");
}

/// Reads until the listener closes the connection.
pub(super) async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Reads one reply with a `content-length`, and no byte more.
pub(super) async fn one_reply(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut text = head(stream).await;
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    text.push_str(std::str::from_utf8(&body).unwrap());
    text
}

/// Reads up to the end of a head.
pub(super) async fn head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(bytes).unwrap()
}

/// The field of a reply whose body is a problem document.
pub(super) const PROBLEM: &str = "content-type: application/problem+json";

/// A request without a body.
pub(super) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n")
}

/// A request that asks for its connection to be closed.
pub(super) fn last(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n")
}

#[track_caller]
pub(super) fn check(reply: &str, status: u16, parts: &[&str]) {
    assert!(reply.starts_with(&format!("HTTP/1.1 {status} ")), "{status} expected, got: {reply}");
    for part in parts {
        assert!(reply.contains(part), "`{part}` expected in: {reply}");
    }
}
