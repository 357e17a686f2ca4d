//! Preflights, by which browsers ask for leave to make another call (Fetch §3.2.2), go where that call would go.
//!
//! One passes the chain of the operation that it asks about, as far as the last handler there that answers preflights;
//! what stands behind that, such as `auth`, never sees it there. What that chain does not grant no other chain grants:
//! without such a handler, it passes the chain of unmatched calls without theirs, and where they may not answer it (`when`,
//! `shadow`), what it has not passed of that.

use axum::body::Body;
use http::header::{ACCESS_CONTROL_REQUEST_METHOD, ORIGIN};
use http::{Method, Request};

use super::Snapshot;
use crate::invocation::Params;
use crate::route::Found;

/// How far a call goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Through the whole chain, to what it matched.
    Whole,
    /// As far as the handler that answers preflights, in the chain of the operation it asks about.
    Preflight,
    /// Through the chain of unmatched calls without those who answer preflights: it asks about an operation whose chain
    /// has none of them.
    Ungranted,
}

/// Where a preflight goes instead of where it was matched; `None` if the call is no preflight, if an operation is
/// declared for `OPTIONS` itself, or if nothing answers what is asked about.
pub(super) fn redirected(
    snapshot: &Snapshot,
    table: usize,
    request: &Request<Body>,
    matched: Option<u32>,
) -> Option<(Way, Option<(u32, Params)>)> {
    let declared = |target| snapshot.target(target).is_some_and(|target| target.operation.method == "OPTIONS");
    if matched.is_some_and(declared) {
        return None;
    }
    let asked = asked_about(request)?;
    let Found::Route { target, params } = snapshot.find(table, &asked, request.uri().path()) else { return None };
    if matched == Some(target) {
        // An operation for any method: it is its own chain either way, and what it answers to OPTIONS is its business.
        return None;
    }
    match snapshot.target(target)?.preflight {
        Some(_) => Some((Way::Preflight, Some((target, params)))),
        None => Some((Way::Ungranted, None)),
    }
}

/// The method that a preflight asks about.
fn asked_about(request: &Request<Body>) -> Option<Method> {
    let asked = request.headers().get(ACCESS_CONTROL_REQUEST_METHOD)?;
    let is_preflight = request.method() == Method::OPTIONS && request.headers().contains_key(ORIGIN);
    Method::from_bytes(asked.as_bytes()).ok().filter(|_| is_preflight)
}
