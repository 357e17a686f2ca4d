//! What an operation can be called with, and how each argument is taken out of the call.

use std::future::Future;

use axum::extract::{FromRequest, FromRequestParts};
use axum::response::{IntoResponse, Response};

use crate::fault::Fault;
use crate::handler::fact;
use crate::invocation::{Call, Invocation};
use crate::operation::Text;
use crate::principal::Principal;

mod path;

mod header;
mod query;

mod form;
mod json;

mod given;

mod body;
mod content;
pub(crate) mod foreign;
mod pairs;
mod plain;
mod refusal;
mod text;

pub use form::Form;
pub use given::Deadline;
pub use header::Header;
pub use json::Json;
pub use path::Path;
pub use query::Query;

/// A value that an operation can take as an argument.
///
/// There are three ways to be one, told apart by `M`, which nobody writes because the compiler finds it:
/// * axum's [`FromRequestParts`], with [`Call`] as its state: what does not read the body. It may stand anywhere.
/// * this trait itself: what reads the body or changes the call. It is the last argument.
/// * axum's [`FromRequest`]: whatever else reads the body. It is the last argument, and costs a copy of the header
///   fields, because handlers still look at them when the operation has answered; `Bytes` and `String` cost none.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of an operation",
    label = "chassis does not know how to take this out of a call",
    note = "arguments are `Path<T>`, `Query<T>`, `Header<T>`, `Json<T>`, `Form<T>`, `Principal`, `Component<T>`, and whatever axum can extract",
    note = "the `T` of `Component<T>` is marked `#[component(\"name\")]`; that of the others is read from the call and needs `#[derive(Deserialize)]`"
)]
pub trait Argument<M = Whole>: Sized {
    /// How it says that the call does not hold it: a [`Fault`], or an answer of its own.
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

#[diagnostic::do_not_recommend]
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

impl<T: FromRequest<Call> + 'static> Argument<ViaRequest> for T {
    type Rejection = Response;

    async fn take(invocation: &mut Invocation) -> Result<Self, Response> {
        if let Some(taken) = plain::take(invocation).await {
            return taken.map_err(Fault::into_response);
        }
        let (request, lent) = foreign::lend(invocation);
        let call = &invocation.call;
        let taken = lent.to(call, T::from_request(request, call)).await;
        taken.map_err(|rejection| {
            let response = rejection.into_response();
            // What was wrong with the body is known better here than by the extractor, which says 400 to most of it.
            lent.fault().map_or(response, Fault::into_response)
        })
    }
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, Bytes};
    use futures_util::FutureExt;
    use http::request::Parts;
    use http::{HeaderMap, Method, Request, StatusCode, Uri, Version};
    use http_body_util::BodyExt;

    use super::*;
    use crate::clock::Clock;
    use crate::fault::{Code, Fault};
    use crate::invocation::{Peer, fixture};
    use crate::principal::Identity;
    use crate::reply::Reply;
    use crate::trace::TraceContext;

    fn call(body: impl Into<Body>) -> Invocation {
        let request = Request::put("/a?b=c").header("x-tenant", "7").body(body.into());
        fixture::call(request.unwrap())
    }

    fn take<T: Argument<M>, M>(call: &mut Invocation) -> Result<T, T::Rejection> {
        T::take(call).now_or_never().unwrap()
    }

    fn taken<T: Argument<M>, M>(call: &mut Invocation) -> T {
        take(call).unwrap_or_else(|_| panic!("it was not taken"))
    }

    fn refusal<T: Argument<M>, M>(call: &mut Invocation) -> Response {
        take::<T, M>(call).err().unwrap().into_response()
    }

    #[derive(Debug, PartialEq)]
    struct Tenant(u32);

    impl FromRequestParts<Call> for Tenant {
        type Rejection = StatusCode;

        async fn from_request_parts(parts: &mut Parts, _: &Call) -> Result<Self, StatusCode> {
            let tenant = parts.headers.get("x-tenant").and_then(|value| value.to_str().ok()?.parse().ok());
            tenant.map(Self).ok_or(StatusCode::FORBIDDEN)
        }
    }

    #[test]
    fn what_axum_extracts_is_an_argument() {
        let call = &mut call("");
        assert_eq!(taken::<Method, _>(call), Method::PUT);
        assert_eq!(taken::<Uri, _>(call), "/a?b=c");
        assert_eq!(taken::<Version, _>(call), Version::HTTP_11);
        assert_eq!(taken::<HeaderMap, _>(call)["x-tenant"], "7");
        assert_eq!(taken::<Tenant, _>(call), Tenant(7));
        call.parts.headers.clear();
        assert_eq!(refusal::<Tenant, _>(call).status(), StatusCode::FORBIDDEN);
    }

    #[test]
    fn what_axum_reads_from_the_body_is_an_argument_and_the_fields_stay() {
        let call = &mut call("text");
        assert_eq!(taken::<String, _>(call), "text");
        assert_eq!(call.headers()["x-tenant"], "7");
        assert_eq!(taken::<Bytes, _>(&mut self::call("text")), "text");
        let body = taken::<Body, _>(&mut self::call("text")).collect().now_or_never().unwrap();
        assert_eq!(body.unwrap().to_bytes(), "text");
    }

    #[test]
    fn a_text_must_be_utf8() {
        let response = refusal::<String, _>(&mut call(&b"\xff"[..]));
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    }

    #[test]
    fn what_axum_reads_is_held_to_the_limit() {
        let cut = || Body::from_stream(futures_util::stream::iter(["12", "345"].map(Ok::<_, std::io::Error>)));
        for body in [|| Body::from("12345"), cut] {
            let call = &mut call(body());
            call.call.body_limit = 4;
            assert_eq!(refusal::<Bytes, _>(call).status(), StatusCode::PAYLOAD_TOO_LARGE);
        }
        let call = &mut call(cut());
        call.call.body_limit = 4;
        let stream = taken::<Body, _>(call).collect().now_or_never().unwrap();
        assert_eq!(Fault::from(stream.unwrap_err()).code(), Code::ContentTooLarge);
    }

    #[test]
    fn what_chassis_knows_is_an_argument() {
        let call = &mut call("");
        assert_eq!(taken::<Peer, _>(call), Peer::Local);
        assert_eq!(taken::<Deadline, _>(call).at(), None);
        call.call.trace = TraceContext { flags: 1, ..TraceContext::default() };
        assert!(taken::<TraceContext, _>(call).is_sampled());
        call.call.deadline = Some(Clock::system().now());
        let deadline = taken::<Deadline, _>(call);
        assert_eq!(deadline.at(), call.call.deadline);
        assert!(deadline.has_passed());
    }

    #[test]
    fn a_caller_that_is_not_known_is_no_principal() {
        let call = &mut call("");
        assert_eq!(taken::<Option<Principal>, _>(call), None);
        let reply = Reply::from(refusal::<Principal, _>(call));
        assert_eq!(reply.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(reply.headers()["www-authenticate"], "Bearer");
        let ada = Principal::new(Identity { subject: "ada".to_owned(), ..Identity::default() });
        call.call.principal = Some(ada.clone());
        assert_eq!(taken::<Option<Principal>, _>(call), Some(ada.clone()));
        assert_eq!(taken::<Principal, _>(call), ada);
    }
}
