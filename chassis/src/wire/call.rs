//! One call: from the request hyper read to the reply it writes.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use axum::body::Body;
use http::header::{CONNECTION, CONTENT_LENGTH, HeaderValue};
use http::{Method, Request, Response, StatusCode, Version};
use http_body::Body as _;
use hyper::body::Incoming;

use super::body::{self, Outgoing};
use super::flaw::Flaw;
use super::line::{Ends, Left, Line};
use super::order::END;
use super::{Connection, check};
use crate::fault::{CUT_OFF, Code};

/// A call that has not ended: neither has its reply been written whole, nor was it given up.
pub(super) struct InFlight {
    line: Arc<Line>,
    ends: Ends,
}

impl InFlight {
    fn begin(line: &Arc<Line>, ends: Ends) -> Self {
        line.begin(ends);
        Self { line: Arc::clone(line), ends }
    }

    pub(super) fn ends(&self) -> Ends {
        self.ends
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.line.end(self.ends);
    }
}

/// How far a call has come.
enum Begun<F> {
    Answered(Response<Body>),
    UnderWay(F),
    Over,
}

impl<F: Future<Output = Response<Body>> + Unpin> Begun<F> {
    /// Goes as far as it can at once. Most calls end there. One that wants its body says so before hyper looks for that,
    /// and gets it without being woken for it. A call that has to wait is polled again, as soon as hyper has looked, by
    /// whoever is to be woken.
    fn at_once(call: F) -> Self {
        let mut begun = Self::UnderWay(call);
        begun.go_on(&mut Context::from_waker(Waker::noop()));
        begun
    }

    fn go_on(&mut self, cx: &mut Context<'_>) {
        if let Self::UnderWay(call) = self
            && let Poll::Ready(response) = Pin::new(call).poll(cx)
        {
            *self = Self::Answered(response);
        }
    }
}

/// A call on its way to its reply. It is written by hand, because each connection keeps room for one: an `async` block
/// would hold the reply twice.
pub(super) struct Answering<F> {
    begun: Begun<F>,
    call: Option<InFlight>,
    is_head: bool,
    version: Version,
}

impl<F: Future<Output = Response<Body>> + Unpin> Future for Answering<F> {
    type Output = Result<Response<Outgoing>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        this.begun.go_on(cx);
        if matches!(this.begun, Begun::UnderWay(_)) && this.is_cut_off() {
            // What is dropped with it tells the handlers.
            this.begun = Begun::Answered(ENDED.into_response());
        }
        let Begun::Answered(response) = &mut this.begun else { return Poll::Pending };
        let Some(call) = this.call.take() else { return Poll::Pending };
        match this.version < Version::HTTP_2 {
            true => say_goodbye(response, &call.line),
            false if this.is_head => keep_head(response),
            false => drop_content(response),
        }
        match mem::replace(&mut this.begun, Begun::Over) {
            Begun::Answered(response) => Poll::Ready(Ok(response.map(|body| Outgoing::new(body, call)))),
            Begun::UnderWay(_) | Begun::Over => Poll::Pending,
        }
    }
}

impl<F> Answering<F> {
    /// Whether the process ends. Over HTTP/2 calls have tasks of their own, which nobody wakes, and end with their stream.
    fn is_cut_off(&self) -> bool {
        self.version < Version::HTTP_2 && self.call.as_ref().is_some_and(|call| call.line.orders.given() & END != 0)
    }
}

/// What callers are told whose call is not answered before the process ends.
const ENDED: Flaw = Flaw::new(Code::Unavailable, CUT_OFF);

/// Takes a call on, in the task of its connection. What is returned answers it, in whatever task.
pub(super) fn answer<C: Connection>(
    line: &Arc<Line>,
    connection: &RefCell<C>,
    request: Request<Incoming>,
) -> Answering<C::Answer> {
    let (version, is_head) = (request.version(), *request.method() == Method::HEAD);
    let ends = if version < Version::HTTP_2 { Ends::Here } else { Ends::Anywhere };
    let call = Some(InFlight::begin(line, ends));
    let mut request = request.map(|incoming| body::request(incoming, line));
    let answer = match check::request(&mut request, line.server.head) {
        Ok(()) => connection.borrow_mut().call(request),
        Err(flaw) => connection.borrow_mut().refuse(request, flaw),
    };
    // The calls of HTTP/2 each have a task of their own, and must not keep this one from the others.
    let begun = if ends == Ends::Here { Begun::at_once(answer) } else { Begun::UnderWay(answer) };
    Answering { begun, call, is_head, version }
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
    match response.status() {
        StatusCode::SWITCHING_PROTOCOLS => return line.give_away(),
        // hyper sees to it that all others without content have none.
        StatusCode::RESET_CONTENT => drop_content(response),
        _ => {}
    }
    if line.is_retiring() || line.has_left(Left::Much) {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
}
