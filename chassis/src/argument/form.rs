//! The body of a simple HTML form as an argument.

use axum::body::Bytes;
use serde::de::DeserializeOwned;

use super::content::{self, FORM};
use super::pairs::{Unread, read};
use super::refusal::{Flaw, Place, escaped, nested};
use super::{Argument, body};
use crate::fault::{Code, Fault};
use crate::invocation::Invocation;

/// A body of the media type `application/x-www-form-urlencoded`, `a=1&b=2`, read into a struct or a map by name. The
/// rules for values are those of [`Query`](super::Query). It is the last argument.
///
/// # Rejections
/// * 415 with `Accept`: the body has another media type (RFC 9110 §15.5.16).
/// * 413: it is larger than [`Call::body_limit`](crate::invocation::Call::body_limit).
/// * 400: it is cut short, not UTF-8, or has a `%` without two hexadecimal digits behind it.
/// * 422 naming the member: a value is missing or does not fit the type (RFC 9110 §15.5.21).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Form<T>(pub T);

impl<T: DeserializeOwned + Send> Argument for Form<T> {
    type Rejection = Fault;

    async fn take(invocation: &mut Invocation) -> Result<Self, Fault> {
        content::expect(invocation, &FORM)?;
        let body = body::read(invocation).await?;
        parse(&body).map(Self)
    }
}

fn parse<T: DeserializeOwned>(body: &Bytes) -> Result<T, Fault> {
    let text = body::text(body)?;
    read(text, nested).map_err(|unread| match unread {
        Unread::Malformed(flaw) => {
            Flaw::new(format!("/{}", escaped(&flaw.pointer)), flaw.detail).refuse(Code::InvalidArgument, Place::Body)
        }
        Unread::Misfit(flaw) => flaw.refuse(Code::UnprocessableContent, Place::Body),
    })
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use futures_util::FutureExt;
    use http::Request;
    use serde::Deserialize;

    use super::*;
    use crate::invocation::fixture::call;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Order {
        what: String,
        amount: u8,
    }

    fn take(media_type: &str, body: &'static str) -> Result<Order, Fault> {
        let request = Request::post("/orders?amount=9").header("content-type", media_type).body(Body::from(body));
        let form = Form::take(&mut call(request.unwrap())).now_or_never().unwrap();
        form.map(|Form(order)| order)
    }

    #[test]
    fn the_body_is_read_and_not_the_query() {
        let order = take("application/x-www-form-urlencoded;charset=utf-8", "what=hot+tea&amount=2").unwrap();
        assert_eq!(order, Order { what: "hot tea".to_owned(), amount: 2 });
    }

    #[test]
    fn a_value_that_does_not_fit_is_named() {
        let refused = |body| {
            let fault = take("application/x-www-form-urlencoded", body).unwrap_err();
            (fault.code(), fault.violations()[0].place, fault.violations()[0].pointer.clone())
        };
        assert_eq!(refused("what=tea&amount=x"), (Code::UnprocessableContent, "body", "/amount".to_owned()));
        assert_eq!(refused("what=tea"), (Code::UnprocessableContent, "body", "/amount".to_owned()));
        assert_eq!(refused(""), (Code::UnprocessableContent, "body", "/what".to_owned()));
        assert_eq!(refused("what=%zz&amount=1"), (Code::InvalidArgument, "body", "/what".to_owned()));
    }

    #[test]
    fn another_media_type_is_refused() {
        let fault = take("application/json", "{}").unwrap_err();
        assert_eq!(fault.code(), Code::UnsupportedMediaType);
        assert_eq!(fault.headers()["accept"], "application/x-www-form-urlencoded");
    }
}
