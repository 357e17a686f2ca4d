//! One call: from the request hyper read to the reply it writes.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use axum::body::Body;
use http::header::{CONNECTION, CONTENT_LENGTH, HeaderValue};
use http::{Method, Request, Response, StatusCode, Version};
use http_body::Body as _;
use hyper::body::Incoming;

use super::body::{self, Outgoing};
use super::line::{Left, Line};
use super::{Connection, check};

/// A call that has not ended: neither has its reply been written whole, nor was it given up.
pub(super) struct InFlight(Arc<Line>);

impl InFlight {
    fn begin(line: &Arc<Line>) -> Self {
        line.begin();
        Self(Arc::clone(line))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// How far a call has come when its connection hands it over.
enum Begun<F> {
    Answered(Response<Body>),
    UnderWay(F),
}

impl<F: Future<Output = Response<Body>> + Unpin> Begun<F> {
    /// Goes as far as it can at once. Most calls end there, and with them the head of the request: hyper, which looks
    /// for more bytes next, finds its buffer free and need not make another one for every request. A call that has to
    /// wait is polled again, as soon as hyper has looked, by whoever is to be woken.
    fn at_once(mut call: F) -> Self {
        match Pin::new(&mut call).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(response) => Self::Answered(response),
            Poll::Pending => Self::UnderWay(call),
        }
    }
}

/// Takes a call on, in the task of its connection. What is returned answers it, in whatever task.
pub(super) fn answer<C: Connection>(
    line: &Arc<Line>,
    connection: &RefCell<C>,
    request: Request<Incoming>,
) -> impl Future<Output = Result<Response<Outgoing>, Infallible>> + Send + use<C> {
    let call = InFlight::begin(line);
    let (version, is_head) = (request.version(), *request.method() == Method::HEAD);
    let (mut parts, incoming) = request.into_parts();
    let body = body::request(incoming, line);
    let checked = check::request(&mut parts, &body, line.server.head);
    let request = Request::from_parts(parts, body);
    let answer = match checked {
        Ok(()) => connection.borrow_mut().call(request),
        Err(flaw) => connection.borrow_mut().refuse(request, flaw),
    };
    // The calls of HTTP/2 each have a task of their own, and must not keep this one from the others.
    let begun = if version < Version::HTTP_2 { Begun::at_once(answer) } else { Begun::UnderWay(answer) };
    async move {
        let mut response = match begun {
            Begun::Answered(response) => response,
            Begun::UnderWay(call) => call.await,
        };
        match version < Version::HTTP_2 {
            true => say_goodbye(&mut response, &call.0),
            false if is_head => keep_head(&mut response),
            false => drop_content(&mut response),
        }
        Ok(response.map(|body| Outgoing::new(body, call)))
    }
}

/// RFC 9110 §9.3.2: the reply to HEAD says how long it would be and has no content. hyper sees to it over HTTP/1.1 only.
pub(crate) fn keep_head(response: &mut Response<Body>) {
    let length = response.body().size_hint().exact().filter(|length| *length > 0);
    if let Some(length) = length {
        response.headers_mut().entry(CONTENT_LENGTH).or_insert_with(|| length.into());
    }
    drop_content(response);
    *response.body_mut() = Body::empty();
}

/// RFC 9110 §15.3.5, §15.3.6, §15.4.5: some replies have no content, whatever an operation made of them.
fn drop_content(response: &mut Response<Body>) {
    if let StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED = response.status() {
        *response.body_mut() = Body::empty();
        response.headers_mut().remove(CONTENT_LENGTH);
    }
}

/// Tells an HTTP/1.1 peer that this is the last reply of the connection, if it is (RFC 9112 §9.6).
fn say_goodbye(response: &mut Response<Body>, line: &Line) {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        line.give_away();
    } else if line.is_retiring() || line.has_left(Left::Much) {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
}
