//! Calls that enter behind the protocol: matched, run through their chain, answered, nothing read or written.

use chassis::app::Running;
use chassis::invocation::Peer;
use chassis::prelude::Body;
use chassis::provider::Connection;
use futures_util::FutureExt;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Uri};

use crate::recording;
use crate::service::{bearer, bearer_of, runtime, sources, start};

/// The chain of a service that is open to others.
const DEFAULT: &str = "tracing, metrics, rate-limit, auth";

/// A caller that is traced and not recorded.
const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

/// A caller that is recorded.
const RECORDED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// One caller with a connection of its own.
pub(crate) struct Caller {
    connection: Connection,
    uri: Uri,
    headers: HeaderMap,
    expected: StatusCode,
}

impl Caller {
    fn new(running: &Running, target: &'static str, expected: StatusCode) -> Self {
        let entry = running.provider().entry("rest").unwrap();
        let connection = entry.connect(Peer::Ip(([127, 0, 0, 1], 40_000).into()));
        Self { connection, uri: Uri::from_static(target), headers: HeaderMap::new(), expected }
    }

    /// Sends this field in all requests that follow.
    pub(crate) fn set(&mut self, name: HeaderName, value: HeaderValue) {
        self.headers.insert(name, value);
    }

    /// Calls once.
    pub(crate) fn call(&mut self) {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = self.uri.clone();
        if !self.headers.is_empty() {
            *request.headers_mut() = self.headers.clone();
        }
        let response = self.connection.call(request).now_or_never().unwrap();
        assert_eq!(response.status(), self.expected);
    }
}

/// Calls of the operation that does nothing, behind this chain.
pub(crate) fn nothing(chain: &str) -> Box<dyn FnMut()> {
    let mut caller = idler(&service(chain));
    Box::new(move || caller.call())
}

/// A caller of the operation that does nothing.
pub(crate) fn idler(running: &Running) -> Caller {
    Caller::new(running, "/greetings", StatusCode::NO_CONTENT)
}

/// Calls of the operation that greets.
pub(crate) fn greeting(chain: &str) -> Box<dyn FnMut()> {
    let mut caller = greeter(&service(chain));
    Box::new(move || caller.call())
}

/// Calls the operation that greets with a token and a trace that is not recorded: nobody looks at them.
pub(crate) fn proven_past_nobody() -> Box<dyn FnMut()> {
    let mut caller = proven(greeter(&service("")), &bearer());
    Box::new(move || caller.call())
}

/// The same request through the default chain, which verifies the token: a forged one is refused.
pub(crate) fn proven_through_default_chain() -> Box<dyn FnMut()> {
    let running = service(DEFAULT);
    let forged = Caller::new(&running, "/greetings/ada", StatusCode::UNAUTHORIZED);
    proven(forged, &(bearer() + "A")).call();
    let mut caller = proven(greeter(&running), &bearer());
    Box::new(move || caller.call())
}

/// So many callers in turn, each with a token of its own that was verified before.
pub(crate) fn proven_by(count: usize) -> Box<dyn FnMut()> {
    let mut caller = proven(greeter(&service(DEFAULT)), "");
    let fields: Vec<_> =
        (0..count).map(|number| format!("Bearer {}", bearer_of(&format!("caller-{number:05}")))).collect();
    // In one piece and copied from there: a request has arrived just now and is in every cache.
    let (length, fields) = (fields[0].len(), fields.concat());
    let mut turn = (0..count).cycle();
    let mut call = move || {
        let at = turn.next().unwrap() * length;
        caller.set(AUTHORIZATION, HeaderValue::from_str(&fields[at..at + length]).unwrap());
        caller.call();
    };
    (0..count).for_each(|_| call());
    Box::new(call)
}

/// The same request in a trace that is recorded, with somebody who sends what is recorded.
pub(crate) fn proven_and_recorded() -> Box<dyn FnMut()> {
    let mut caller = proven(greeter(&recording::service(DEFAULT)), &bearer());
    caller.set(HeaderName::from_static("traceparent"), HeaderValue::from_static(RECORDED));
    let mut waiting = 0;
    Box::new(move || {
        caller.call();
        waiting = (waiting + 1) % recording::BATCH;
        if waiting == 0 {
            recording::discard();
        }
    })
}

fn proven(mut caller: Caller, token: &str) -> Caller {
    caller.set(AUTHORIZATION, HeaderValue::try_from(format!("Bearer {token}")).unwrap());
    caller.set(HeaderName::from_static("traceparent"), HeaderValue::from_static(TRACEPARENT));
    caller
}

/// A caller of the operation that greets.
pub(crate) fn greeter(running: &Running) -> Caller {
    Caller::new(running, "/greetings/ada", StatusCode::OK)
}

/// The service behind this chain.
pub(crate) fn service(chain: &str) -> Running {
    runtime().block_on(start(&sources(chain)))
}
