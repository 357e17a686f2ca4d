//! The same answers from hyper with nothing around it: what everybody pays.

use std::convert::Infallible;
use std::env;
use std::io;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use model::{Hello, ORDERS_PATH, Order};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> io::Result<()> {
    let address = env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)));
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let name = request.uri().path().strip_prefix("/greetings/");
    match (request.method(), name) {
        (&Method::GET, Some(name)) => Ok(json(serde_json::to_vec(&Hello::to(name)))),
        (&Method::POST, None) if request.uri().path() == ORDERS_PATH => Ok(place(request).await),
        _ => Ok(refusal(StatusCode::NOT_FOUND)),
    }
}

async fn place(request: Request<Incoming>) -> Response<Full<Bytes>> {
    let Ok(body) = request.into_body().collect().await else { return refusal(StatusCode::BAD_REQUEST) };
    match serde_json::from_slice::<Order>(&body.to_bytes()) {
        Ok(order) => json(serde_json::to_vec(&order)),
        Err(_) => refusal(StatusCode::UNPROCESSABLE_ENTITY),
    }
}

fn json(body: serde_json::Result<Vec<u8>>) -> Response<Full<Bytes>> {
    let Ok(body) = body else { return refusal(StatusCode::INTERNAL_SERVER_ERROR) };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn refusal(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
