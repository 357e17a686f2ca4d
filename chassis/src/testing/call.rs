//! A call made in this process, and its answer.

use std::net::{IpAddr, SocketAddr};

use axum::body::Body;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::door::Doors;
use crate::invocation::Peer;
use crate::principal::Principal;
use crate::provider::{Entry, Provider};
use crate::wire::call::keep_head;

/// A call to be made.
#[must_use = "nothing is called until `send`"]
pub struct Call {
    provider: Provider,
    doors: Doors,
    listener: String,
    peer: Peer,
    principal: Option<Principal>,
    request: Request<Body>,
}

#[expect(clippy::panic, reason = "a test that writes down an invalid call is stopped where it does")]
fn valid<T, E: std::fmt::Display>(what: &str, result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("{what} is not valid: {error}"))
}

impl Call {
    pub(super) fn new(provider: Provider, doors: Doors, method: &str, target: &str) -> Self {
        let request = Request::builder().method(method).uri(target).header("host", "test.example").body(Body::empty());
        let request = valid("this method or target", request);
        Self { provider, doors, listener: "rest".to_owned(), peer: Peer::Local, principal: None, request }
    }

    /// Adds a header field.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name: HeaderName = valid("this field name", name.parse());
        let value: HeaderValue = valid("this field value", value.parse());
        self.request.headers_mut().append(name, value);
        self
    }

    /// Sends this token as `Authorization: Bearer`.
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// Lets this caller make the call, as if it had proved who it is.
    pub fn principal(mut self, principal: impl Into<Principal>) -> Self {
        self.principal = Some(principal.into());
        self
    }

    /// Lets the call come from this address.
    pub fn from(mut self, address: IpAddr) -> Self {
        self.peer = Peer::Ip(SocketAddr::new(address, 49152));
        self
    }

    /// Makes the call at the listener of this name, such as `rest-admin`.
    pub fn at(mut self, listener: &str) -> Self {
        self.listener = listener.to_owned();
        self
    }

    /// Sends this value as JSON.
    pub fn json(self, value: &impl Serialize) -> Self {
        let body = valid("this value", serde_json::to_vec(value));
        self.header(CONTENT_TYPE.as_str(), "application/json").body(body)
    }

    /// Sends this body.
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        *self.request.body_mut() = body.into();
        self
    }

    /// Makes the call and reads the answer to its end.
    pub async fn send(self) -> Answer {
        let Some(entry) = self.provider.entry(&self.listener) else {
            return valid("this listener", Err(format_args!("the service has no listener `{}`", self.listener)));
        };
        let is_head = self.request.method() == Method::HEAD;
        let mut response = self.answer(entry).await;
        if is_head {
            keep_head(&mut response);
        }
        let (head, body) = response.into_parts();
        let body = valid("the body of the answer", body.collect().await).to_bytes();
        Answer(Response::from_parts(head, body))
    }

    /// Comes in as by the listener: what that would refuse is refused here.
    async fn answer(self, entry: Entry) -> Response<Body> {
        let Some(door) = self.doors.at(&self.listener) else {
            return entry.call_as(self.request, self.peer, self.principal).await;
        };
        match door.check(self.request) {
            (request, None) => door.narrow(entry).call_as(request, self.peer, self.principal).await,
            (request, Some(flaw)) => entry.connect(self.peer).refuse(request, flaw.code, flaw.detail).await,
        }
    }
}

/// The answer to a call.
#[derive(Debug)]
pub struct Answer(Response<Bytes>);

impl Answer {
    /// The status.
    pub fn status(&self) -> StatusCode {
        self.0.status()
    }

    /// The header fields.
    pub fn headers(&self) -> &HeaderMap {
        self.0.headers()
    }

    /// A header field as text; `None` if it is absent or not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().get(name)?.to_str().ok()
    }

    /// The body.
    pub fn bytes(&self) -> &Bytes {
        self.0.body()
    }

    /// The body as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }

    /// The body as JSON; stops the test if it is something else.
    pub fn json<T: DeserializeOwned>(&self) -> T {
        valid("the body of the answer", serde_json::from_slice(self.bytes()))
    }

    /// The `code` of the problem document, if the call failed with one.
    pub fn code(&self) -> Option<String> {
        let problem: Value = serde_json::from_slice(self.bytes()).ok()?;
        problem.get("code")?.as_str().map(str::to_owned)
    }

    /// The handler that refused, if the problem document names one.
    pub fn refused_by(&self) -> Option<String> {
        let problem: Value = serde_json::from_slice(self.bytes()).ok()?;
        problem.get("handler")?.as_str().map(str::to_owned)
    }
}
