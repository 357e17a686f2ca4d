//! A collector on this machine: it keeps what it is sent, and answers as it is told to.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// What was sent in one message.
pub(super) struct Sent {
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// How a message is answered.
#[derive(Clone, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) fields: Vec<(&'static str, &'static str)>,
    pub(super) body: Vec<u8>,
    /// The status of gRPC, behind the body.
    pub(super) grpc: Option<&'static str>,
    /// The details of that status.
    pub(super) details: Option<Vec<u8>>,
}

impl Answer {
    pub(super) fn http(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    pub(super) fn grpc(code: &'static str) -> Self {
        Self { status: 200, body: vec![0; 5], grpc: Some(code), ..Self::default() }
    }
}

pub(super) struct Collector {
    pub(super) address: String,
    sent: mpsc::UnboundedReceiver<Sent>,
}

impl Collector {
    /// Gives these answers, one after the other, and the last one for ever. It ends with the runtime of the test.
    pub(super) async fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (sender, sent) = mpsc::unbounded_channel();
        let answers = Arc::new(Mutex::new(answers.into_iter().collect::<VecDeque<_>>()));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (sender, answers) = (sender.clone(), Arc::clone(&answers));
                let service = service_fn(move |request| take(request, sender.clone(), Arc::clone(&answers)));
                tokio::spawn(async move {
                    let _ =
                        auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { address, sent }
    }

    /// The next message.
    pub(super) async fn next(&mut self) -> Sent {
        self.sent.recv().await.unwrap()
    }

    /// Whether nothing else was sent so far.
    pub(super) fn is_quiet(&mut self) -> bool {
        self.sent.try_recv().is_err()
    }
}

async fn take(
    request: Request<Incoming>,
    sender: mpsc::UnboundedSender<Sent>,
    answers: Arc<Mutex<VecDeque<Answer>>>,
) -> Result<Response<BoxBody<Bytes, Infallible>>, Infallible> {
    let (parts, body) = request.into_parts();
    let message = body.collect().await.unwrap().to_bytes();
    let answer = {
        let mut answers = answers.lock().unwrap();
        if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() }.unwrap()
    };
    let trailers = answer.grpc.map(|code| {
        let details = answer
            .details
            .map(|details| ("grpc-status-details-bin".parse().unwrap(), STANDARD.encode(details).parse().unwrap()));
        HeaderMap::from_iter(
            [("grpc-status".parse().unwrap(), HeaderValue::from_static(code))].into_iter().chain(details),
        )
    });
    let body = Full::new(Bytes::from(answer.body)).with_trailers(async move { trailers.map(Ok) }).boxed();
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.fields {
        response = response.header(name, value);
    }
    sender.send(Sent { path: parts.uri.path().to_owned(), headers: parts.headers, body: message }).ok();
    Ok(response.body(body).unwrap())
}
