//! How a call was answered.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{StatusCode, header};
use http_body::Body as _;

use crate::fault::{Code, Fault};
use crate::invocation::Invocation;

mod ended;
mod spare;

pub use ended::{End, Outcome};

pub(crate) use spare::{empty, spare};

use ended::{Ends, Watched};

/// The answer to a call: what an operation returned, or the [`Fault`] that took its place.
pub struct Reply {
    response: Response,
    fault: Option<Fault>,
    // Whoever wants to know when the body has ended. Most replies have none, and nothing is kept for them.
    ends: Option<Box<Ends>>,
}

impl Reply {
    /// The status.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The header fields.
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The header fields, to add to them.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        self.response.headers_mut()
    }

    /// Why the call failed, if chassis or the operation said so with a [`Fault`].
    pub fn fault(&self) -> Option<&Fault> {
        self.fault.as_ref()
    }

    pub(crate) fn fault_mut(&mut self) -> Option<&mut Fault> {
        self.fault.as_mut()
    }

    /// Whether this is the answer nobody waits for: the caller went away.
    pub fn is_cancelled(&self) -> bool {
        self.fault.as_ref().is_some_and(|fault| fault.code() == Code::Cancelled)
    }

    /// How many bytes the body has, where that is known before it is sent. It is not of a [`Fault`], whose problem document
    /// is written last, nor of a body that is made while it is sent.
    pub fn length(&self) -> Option<u64> {
        if self.fault.is_some() { None } else { self.response.body().size_hint().exact() }
    }

    /// Puts something around the body, such as what encodes it; the fields that speak of the body are for the caller to
    /// set right. That of a [`Fault`] is left alone: its problem document is written last.
    pub fn map_body(&mut self, map: impl FnOnce(Body) -> Body) {
        if self.fault.is_none() {
            let body = std::mem::take(self.response.body_mut());
            *self.response.body_mut() = map(body);
        }
    }

    /// Runs something when the body has ended: with its last byte, or with the failure or the departure of the caller that
    /// came before. It runs exactly once, whatever becomes of the reply, and should be quick: the connection waits.
    ///
    /// It costs a few allocations. Where [`length`](Self::length) is known the call is as good as over, and it is cheaper to
    /// take it for ended when `after` runs.
    pub fn on_end(&mut self, run: impl FnOnce(&End) + Send + 'static) {
        self.ends.get_or_insert_default().add(Box::new(run));
    }

    /// Names the handler that refused, if this is a Fault and nobody did.
    pub(crate) fn by(self, handler: &str) -> Self {
        Self { fault: self.fault.map(|fault| fault.by(handler.to_owned())), ..self }
    }

    /// The same of a fault that no handler made.
    pub(crate) fn by_no_handler(self) -> Self {
        Self { fault: self.fault.map(Fault::by_no_handler), ..self }
    }

    /// The answer as those see it who know nothing but responses. `Reply::from` finds the Fault in it again.
    pub(crate) fn carry(self) -> Response {
        let Self { response, fault, ends } = self;
        let Some(fault) = fault else { return watched(response, ends) };
        let mut carrier = fault.into_response();
        *carrier.headers_mut() = response.into_parts().0.headers;
        watched(carrier, ends)
    }

    /// The HTTP answer: a Fault becomes its problem document (RFC 9457).
    pub(crate) fn into_response(self, invocation: &Invocation) -> Response {
        let Self { mut response, fault, ends } = self;
        let Some(fault) = fault else { return watched(response, ends) };
        forget_body(response.headers_mut(), &fault);
        let operation = invocation.operation().map(|operation| operation.id.as_str());
        let trace_id = invocation.call.trace.trace_id().map(|id| id.to_string());
        // Serialising strings and numbers into memory cannot fail; an empty body is still the right status.
        let document = serde_json::to_vec(&fault.problem(operation, trace_id)).unwrap_or_default();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        fault.written(document.len() as u64);
        *response.body_mut() = Body::from(document);
        watched(response, ends)
    }
}

/// Lets those know who want to when the body of a response has ended.
fn watched(response: Response, ends: Option<Box<Ends>>) -> Response {
    match ends {
        Some(ends) => response.map(|body| Body::new(Watched::new(body, ends))),
        None => response,
    }
}

/// The fields that frame a body or say how it is encoded.
const FRAMING: [HeaderName; 3] = [header::CONTENT_LENGTH, header::CONTENT_ENCODING, header::TRANSFER_ENCODING];

/// The fields that tell one body from another.
const IDENTITY: [HeaderName; 4] = [header::ETAG, header::LAST_MODIFIED, header::CONTENT_RANGE, header::ACCEPT_RANGES];

/// Removes what was said of the body that a problem document takes the place of: a length that is not its own would
/// take the next reply of the connection for a part of this one. What the Fault itself says of identity stays.
fn forget_body(headers: &mut HeaderMap, fault: &Fault) {
    for name in &FRAMING {
        headers.remove(name);
    }
    for name in IDENTITY.iter().filter(|name| !fault.says(name)) {
        headers.remove(name);
    }
}

impl From<Fault> for Reply {
    fn from(fault: Fault) -> Self {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = fault.status();
        *response.headers_mut() = fault.headers();
        Self { response, fault: Some(fault), ends: None }
    }
}

impl From<Response> for Reply {
    fn from(mut response: Response) -> Self {
        let fault = Fault::from_response(&mut response);
        if let Some(fault) = &fault {
            // The problem document says the status, and the two must agree (RFC 9457 §3.1.2).
            *response.status_mut() = fault.status();
        }
        Self { response, fault, ends: None }
    }
}

impl Reply {
    /// The answer made from anything axum can answer with.
    pub fn new(value: impl IntoResponse) -> Self {
        Self::from(value.into_response())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invocation::fixture;

    #[test]
    fn a_fault_comes_through_what_knows_only_responses() {
        let fault =
            Fault::new(Code::MethodNotAllowed, "Not so.").with_header(header::ALLOW, HeaderValue::from_static("GET"));
        let mut response = Reply::from(fault).carry();
        assert_eq!(
            (response.status(), &response.headers()[header::ALLOW]),
            (StatusCode::METHOD_NOT_ALLOWED, &"GET".parse().unwrap())
        );
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("origin"));
        *response.status_mut() = StatusCode::OK;
        let reply = Reply::from(response);
        assert_eq!((reply.status(), reply.fault().unwrap().detail()), (StatusCode::METHOD_NOT_ALLOWED, "Not so."));
        assert_eq!((reply.headers().len(), &reply.headers()[header::VARY]), (2, &"origin".parse().unwrap()));
    }

    #[test]
    fn a_problem_document_keeps_nothing_that_was_said_of_another_body() {
        let said = "content-length content-encoding transfer-encoding etag last-modified content-range accept-ranges";
        let etag = HeaderValue::from_static("\"own\"");
        for (fault, left) in [
            (Fault::new(Code::NotFound, "Not there."), 2),
            (Fault::new(Code::PreconditionFailed, "Changed.").with_header(header::ETAG, etag), 3),
        ] {
            let mut reply = Reply::from(fault);
            for name in said.split(' ').chain(["vary"]) {
                let name = HeaderName::from_static(name);
                reply.headers_mut().entry(name).or_insert(HeaderValue::from_static("0"));
            }
            let response = reply.into_response(&fixture::call(fixture::request("GET", "/")));
            assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
            assert_eq!(response.headers().len(), left, "{:?}", response.headers());
            assert!(response.body().size_hint().lower() > 0);
        }
    }
}
