//! One call: from the request hyper read to the reply it writes.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use axum::body::Body;
use http::header::{CONNECTION, HeaderValue};
use http::{Request, Response, StatusCode, Version};
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
    let version = request.version();
    let (mut parts, incoming) = request.into_parts();
    let body = body::request(incoming, line);
    let begun = match check::request(&mut parts, &line.server) {
        Ok(()) => {
            let answer = connection.borrow_mut().call(Request::from_parts(parts, body));
            // The calls of HTTP/2 each have a task of their own, and must not keep this one from the others.
            if version < Version::HTTP_2 { Begun::at_once(answer) } else { Begun::UnderWay(answer) }
        }
        Err(refusal) => {
            // No chain sees it, so that nothing else would tell.
            tracing::debug!(peer = %call.0.peer, status = refusal.status().as_u16(), "request refused");
            Begun::Answered(*refusal)
        }
    };
    async move {
        let mut response = match begun {
            Begun::Answered(response) => response,
            Begun::UnderWay(call) => call.await,
        };
        if version < Version::HTTP_2 {
            say_goodbye(&mut response, &call.0);
        }
        Ok(response.map(|body| Outgoing::new(body, call)))
    }
}

/// Tells an HTTP/1.1 peer that this is the last reply of the connection, if it is (RFC 9112 §9.6).
fn say_goodbye(response: &mut Response<Body>, line: &Line) {
    let last = line.is_retiring() || line.has_left(Left::Much);
    if last && response.status() != StatusCode::SWITCHING_PROTOCOLS {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
}
