//! Takes what a service tells a collector by OTLP over HTTP, and keeps nothing of it.

use std::convert::Infallible;
use std::env;
use std::io;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let address = env::args().nth(1).unwrap_or_else(|| "127.0.0.1:4318".to_owned());
    let listener = TcpListener::bind(address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(take)));
    }
}

/// An empty message says that all was taken.
async fn take(request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, Infallible> {
    let whole = request.into_body().collect().await.is_ok();
    let mut response = Response::new(Empty::new());
    *response.status_mut() = if whole { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
    Ok(response)
}
