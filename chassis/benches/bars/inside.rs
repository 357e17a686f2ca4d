//! Calls that enter behind the protocol: matched, run through their chain, answered, nothing read or written.

use chassis::app::Running;
use chassis::invocation::Peer;
use chassis::prelude::Body;
use chassis::provider::Connection;
use futures_util::FutureExt;
use http::{Request, StatusCode, Uri};

use crate::service::{runtime, sources, start};

/// One caller with a connection of its own.
pub(crate) struct Caller {
    connection: Connection,
    uri: Uri,
    expected: StatusCode,
}

impl Caller {
    fn new(running: &Running, target: &'static str, expected: StatusCode) -> Self {
        let entry = running.provider().entry("rest").unwrap();
        Self { connection: entry.connect(Peer::Local), uri: Uri::from_static(target), expected }
    }

    /// Calls once.
    pub(crate) fn call(&mut self) {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = self.uri.clone();
        let response = self.connection.call(request).now_or_never().unwrap();
        assert_eq!(response.status(), self.expected);
    }
}

/// Calls of the operation that does nothing, behind this chain.
pub(crate) fn nothing(chain: &str) -> Box<dyn FnMut()> {
    let mut caller = Caller::new(&service(chain), "/greetings", StatusCode::NO_CONTENT);
    Box::new(move || caller.call())
}

/// Calls of the operation that greets.
pub(crate) fn greeting(chain: &str) -> Box<dyn FnMut()> {
    let mut caller = greeter(&service(chain));
    Box::new(move || caller.call())
}

/// A caller of the operation that greets.
pub(crate) fn greeter(running: &Running) -> Caller {
    Caller::new(running, "/greetings/ada", StatusCode::OK)
}

/// The service behind this chain.
pub(crate) fn service(chain: &str) -> Running {
    runtime().block_on(start(&sources(chain)))
}
