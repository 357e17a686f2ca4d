//! Bodies that are too large or too slow, over sockets, whatever argument reads them.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};

use super::*;
use crate::argument::{Argument, Json};
use crate::invocation::Call;

/// An extractor from elsewhere, which says no more than that it did not work.
struct Foreign;

impl FromRequest<Call> for Foreign {
    type Rejection = http::StatusCode;

    async fn from_request(request: Request, call: &Call) -> Result<Self, Self::Rejection> {
        Bytes::from_request(request, call).await.map(|_| Self).map_err(|_| http::StatusCode::BAD_REQUEST)
    }
}

/// Answers 200 to whatever can be read.
struct Reads(for<'a> fn(&'a mut Invocation) -> BoxFuture<'a, Reply>);

impl Endpoint for Reads {
    fn call<'a>(&'a self, invocation: &'a mut Invocation) -> BoxFuture<'a, Reply> {
        (self.0)(invocation)
    }
}

fn reads<T: Argument<M, Rejection: Send> + Send + 'static, M: 'static>() -> Arc<dyn Endpoint> {
    Arc::new(Reads(|invocation| {
        Box::pin(async move { last::<T, M>(invocation).await.map_or_else(|refusal| *refusal, |_| Reply::new("read")) })
    }))
}

const PATHS: [&str; 4] = ["/string", "/bytes", "/json", "/foreign"];

/// Operations that read a body in different ways.
async fn reading(conf: Value) -> (SocketAddr, watch::Sender<Phase>) {
    let endpoints = [reads::<String, _>(), reads::<Bytes, _>(), reads::<Json<u64>, _>(), reads::<Foreign, _>()];
    let mut operations = PATHS.into_iter().zip(endpoints);
    let operations = std::array::from_fn::<_, 4, _>(|_| operations.next().unwrap());
    served(&provider(operations, &[("rest", &[0, 1, 2, 3])]), "rest", conf).await
}

/// Sends bytes, and reads the reply until the connection is closed.
async fn sent(address: SocketAddr, bytes: String) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    reply
}

fn head(path: &str, framing: &str) -> String {
    let fields = format!("host: test\r\nconnection: close\r\ncontent-type: application/json\r\n{framing}");
    format!("POST {path} HTTP/1.1\r\n{fields}\r\n\r\n")
}

#[track_caller]
fn check(reply: &str, status: u16, code: &str) {
    assert!(reply.starts_with(&format!("HTTP/1.1 {status} ")), "{status} expected: {reply}");
    assert!(reply.contains(&format!(r#""code":"{code}""#)), "{code} expected: {reply}");
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_413_whatever_reads_it() {
    let (address, _phase) = reading(json!({ "listen": "127.0.0.1:0", "max-body": 10 })).await;
    for path in PATHS {
        let fits = sent(address, head(path, "content-length: 10") + "1234567890").await;
        assert!(fits.starts_with("HTTP/1.1 200 "), "{path}: {fits}");
        // One that says so, and one that does not.
        let said = sent(address, head(path, "content-length: 11") + "12345678901").await;
        check(&said, 413, "content-too-large");
        let found = head(path, "transfer-encoding: chunked") + "6\r\n123456\r\n6\r\n123456\r\n0\r\n\r\n";
        check(&sent(address, found).await, 413, "content-too-large");
    }
}

#[tokio::test]
async fn a_body_that_pauses_for_too_long_is_408_whatever_reads_it() {
    let (address, _phase) = reading(json!({ "listen": "127.0.0.1:0", "body-read-timeout": "20ms" })).await;
    for path in PATHS {
        check(&sent(address, head(path, "content-length: 10") + "12345").await, 408, "request-timeout");
    }
}

#[tokio::test]
async fn a_body_that_is_no_body_is_400_whatever_reads_it() {
    let (address, _phase) = reading(json!({ "listen": "127.0.0.1:0" })).await;
    for path in PATHS {
        let malformed = head(path, "transfer-encoding: chunked") + "5\r\n12345\r\nzz\r\n";
        check(&sent(address, malformed).await, 400, "invalid-argument");
    }
}
