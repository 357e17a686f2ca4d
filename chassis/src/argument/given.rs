//! What chassis knows about a call, as arguments.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::HeaderValue;
use http::header::WWW_AUTHENTICATE;
use http::request::Parts;

use crate::clock::{Clock, Instant};
use crate::fault::{Code, Fault};
use crate::invocation::{Call, Peer};
use crate::principal::Principal;
use crate::trace::TraceContext;

/// When the call must be answered. The chain gives up on the operation then; one that knows can do so earlier, or
/// tell those it calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// A deadline at this instant; `None` for a call that may take as long as it wants.
    pub const fn new(at: Option<Instant>) -> Self {
        Self(at)
    }

    /// The instant, if there is one.
    pub const fn at(self) -> Option<Instant> {
        self.0
    }

    /// How long is left from now: zero once it has passed, `None` where there is no deadline.
    pub fn remaining(self) -> Option<Duration> {
        self.0.map(|at| at.saturating_duration_since(Clock::system().now()))
    }

    /// Whether it has passed.
    pub fn has_passed(self) -> bool {
        self.remaining().is_some_and(|left| left.is_zero())
    }
}

impl FromRequestParts<Call> for Deadline {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, call: &Call) -> Result<Self, Infallible> {
        Ok(Self(call.deadline))
    }
}

impl FromRequestParts<Call> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, call: &Call) -> Result<Self, Infallible> {
        Ok(call.peer)
    }
}

impl FromRequestParts<Call> for TraceContext {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, call: &Call) -> Result<Self, Infallible> {
        Ok(call.trace)
    }
}

/// The caller, which must have proved who it is: otherwise 401 (RFC 9110 §15.5.2).
///
/// `Option<Principal>` is `None` for a caller that did not, in an operation that is open to both.
impl FromRequestParts<Call> for Principal {
    type Rejection = Fault;

    async fn from_request_parts(_: &mut Parts, call: &Call) -> Result<Self, Fault> {
        call.principal.clone().ok_or_else(unknown)
    }
}

impl OptionalFromRequestParts<Call> for Principal {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, call: &Call) -> Result<Option<Self>, Infallible> {
        Ok(call.principal.clone())
    }
}

#[cold]
fn unknown() -> Fault {
    // RFC 9110 §11.6.1: a 401 names a scheme. Bearer (RFC 6750) is what tokens are sent with.
    Fault::new(Code::Unauthenticated, "This operation needs to know who calls; the call does not say it.")
        .with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}
