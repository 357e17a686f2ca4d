//! One call: from the request hyper read to the reply it writes.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use http::header::{CONNECTION, HeaderValue};
use http::{Request, Response, StatusCode, Version};
use hyper::body::Incoming;

use super::body::{self, Outgoing};
use super::line::{Left, Line};
use super::{Serve, check};

/// A call that has not ended: neither has its reply been written whole, nor was it given up.
pub(super) struct InFlight<S>(Arc<Line<S>>);

impl<S> InFlight<S> {
    pub(super) fn begin(line: &Arc<Line<S>>) -> Self {
        line.begin();
        Self(Arc::clone(line))
    }
}

impl<S> Drop for InFlight<S> {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Answers a call.
pub(super) async fn answer<S: Serve>(
    call: InFlight<S>,
    request: Request<Incoming>,
) -> Result<Response<Outgoing<S>>, Infallible> {
    let version = request.version();
    let line = &call.0;
    let (mut parts, incoming) = request.into_parts();
    let body = body::request(incoming, line);
    let mut response = match check::request(&mut parts, &line.server) {
        Ok(()) => line.service.serve(Request::from_parts(parts, body), line.peer).await,
        Err(refusal) => {
            drop(body);
            *refusal
        }
    };
    if version < Version::HTTP_2 {
        say_goodbye(&mut response, line);
    }
    Ok(response.map(|body| Outgoing::new(body, call)))
}

/// Tells an HTTP/1.1 peer that this is the last reply of the connection, if it is (RFC 9112 §9.6).
fn say_goodbye<S>(response: &mut Response<Body>, line: &Line<S>) {
    let last = line.is_retiring() || line.has_left(Left::Much);
    if last && response.status() != StatusCode::SWITCHING_PROTOCOLS {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
}
