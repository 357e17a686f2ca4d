//! Makes the answer to a call from what its operation returned.

use std::future::Future;

use axum::response::IntoResponse;
use http::StatusCode;

use crate::fault::Fault;
use crate::reply::Reply;
use crate::schema::BoxFuture;

/// What an operation can return. `M` tells axum's responses from ours.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the answer of an operation",
    label = "chassis does not know how to send this",
    note = "return `Json<T>`, `Created<T>`, `NoContent`, text, `()`, a `Reply`, or whatever axum can answer with",
    note = "or a `Result` of these: an alias of it is recognised by being called `Result` too"
)]
pub trait Answer<M> {
    /// Makes the reply.
    fn into_reply(self) -> Reply;
}

/// Marks what axum can answer with.
pub enum ViaResponse {}

/// Marks what is a reply already.
pub enum Already {}

#[diagnostic::do_not_recommend]
impl<T: IntoResponse> Answer<ViaResponse> for T {
    fn into_reply(self) -> Reply {
        Reply::new(self)
    }
}

impl Answer<Already> for Reply {
    fn into_reply(self) -> Reply {
        self
    }
}

/// How an operation can fail.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not become a `Fault`",
    label = "an operation that fails answers with a Fault, and this is not one",
    note = "write `impl From<{Self}> for Fault` and choose the `Code` and what callers may read"
)]
pub trait IntoFault {
    /// Makes the fault.
    fn into_fault(self) -> Fault;
}

#[diagnostic::do_not_recommend]
impl<E: Into<Fault>> IntoFault for E {
    fn into_fault(self) -> Fault {
        self.into()
    }
}

/// How a value becomes the reply. Named in two steps so that the compiler points at the type if it does not.
pub fn answer<T: Answer<M>, M>() -> fn(T) -> Reply {
    T::into_reply
}

/// The same for a `Json<T>` and its like: what is wrong with one is usually wrong with the `T`, and the compiler says so
/// when axum's trait is asked for directly.
pub fn document<T: IntoResponse>() -> fn(T) -> Reply {
    Reply::new
}

/// How an error becomes the reply.
pub fn failure<E: IntoFault>() -> fn(E) -> Reply {
    fail
}

/// The reply that says an error.
pub fn fail<E: IntoFault>(error: E) -> Reply {
    Reply::from(error.into_fault())
}

/// The reply that says no more than that it is done (RFC 9110 §15.3.5).
pub fn done((): ()) -> Reply {
    Reply::new(StatusCode::NO_CONTENT)
}

/// The call of an operation, its arguments taken and its answer made.
pub fn call<'a>(call: impl Future<Output = Result<Reply, Box<Reply>>> + Send + 'a) -> BoxFuture<'a, Reply> {
    Box::pin(async move { call.await.unwrap_or_else(|reply| *reply) })
}
