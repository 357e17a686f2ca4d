//! What an operation can be called with, and how each argument is taken out of the call.

use std::future::Future;

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Request};
use axum::response::IntoResponse;
use http_body_util::Limited;

use crate::handler::fact;
use crate::invocation::{Call, Invocation};
use crate::operation::Text;
use crate::principal::Principal;

/// A value that an operation can take as an argument.
///
/// There are three ways to be one, told apart by `M`, which nobody writes because the compiler finds it:
/// * axum's [`FromRequestParts`], with [`Call`] as its state: what does not read the body. It may stand anywhere.
/// * this trait itself: what reads the body or changes the call. It is the last argument.
/// * axum's [`FromRequest`]: whatever else reads the body. It is the last argument, and costs a copy of the header
///   fields, because handlers still look at them when the operation has answered.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of an operation",
    label = "chassis does not know how to take this out of a call",
    note = "arguments are `Path<T>`, `Query<T>`, `Header<T>`, `Json<T>`, `Form<T>`, `Principal`, `Component<T>`, and whatever axum can extract",
    note = "the `T` in them is read from the call: put `#[derive(Deserialize, JsonSchema)]` on it"
)]
pub trait Argument<M = Whole>: Sized {
    /// How it says that the call does not hold it: a [`Fault`](crate::fault::Fault), or an answer of its own.
    type Rejection: IntoResponse;

    /// Takes it out of the call.
    ///
    /// # Errors
    /// What the caller sent is missing, malformed or too large.
    fn take(invocation: &mut Invocation) -> impl Future<Output = Result<Self, Self::Rejection>> + Send;
}

/// Marks an [`Argument`] that is handed the whole call.
pub enum Whole {}

/// Marks an [`Argument`] that is an axum extractor and leaves the body alone.
pub enum ViaParts {}

/// Marks an [`Argument`] that is an axum extractor and reads the body.
pub enum ViaRequest {}

/// An [`Argument`] that leaves the body for those after it.
#[diagnostic::on_unimplemented(
    message = "an argument that reads the body must be the last one",
    label = "this one reads the body, and others follow",
    note = "a body can be read once: move this argument to the end, and keep only one that reads the body"
)]
pub trait LeavesBody {}

impl LeavesBody for ViaParts {}

/// What the chain must have established before an argument can be taken, such as [`fact::PRINCIPAL`]. A chain that
/// does not is refused at start-up. Implement it for an argument of your own that relies on a handler.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what it requires of the chain",
    note = "write `impl Requires for {Self} {{ const FACTS: &'static [Text] = &[…]; }}`"
)]
pub trait Requires {
    /// The facts, as handlers name them in `provides(…)`.
    const FACTS: &'static [Text];
}

impl Requires for Principal {
    const FACTS: &'static [Text] = &[Text::Borrowed(fact::PRINCIPAL)];
}

impl<T: FromRequestParts<Call>> Argument<ViaParts> for T {
    type Rejection = T::Rejection;

    fn take(invocation: &mut Invocation) -> impl Future<Output = Result<Self, Self::Rejection>> + Send {
        T::from_request_parts(&mut invocation.parts, &invocation.call)
    }
}

impl<T: FromRequest<Call>> Argument<ViaRequest> for T {
    type Rejection = T::Rejection;

    fn take(invocation: &mut Invocation) -> impl Future<Output = Result<Self, Self::Rejection>> + Send {
        let request = request(invocation);
        T::from_request(request, &invocation.call)
    }
}

/// The call as axum knows it, held to our own limit of the body instead of axum's.
fn request(invocation: &mut Invocation) -> Request {
    let limit = usize::try_from(invocation.call.body_limit).unwrap_or(usize::MAX);
    let body = Limited::new(std::mem::take(&mut invocation.body), limit);
    let mut request = Request::from_parts(invocation.parts.clone(), Body::new(body));
    DefaultBodyLimit::disable().apply(&mut request);
    request
}
