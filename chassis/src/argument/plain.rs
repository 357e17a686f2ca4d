//! Bodies as bytes and as text, read as those of chassis' own arguments are.

use std::any::{Any, TypeId};

use axum::body::Bytes;

use super::body;
use crate::fault::Fault;
use crate::invocation::Invocation;

/// Takes the body if `T` is [`Bytes`] or [`String`], which are axum's: its way would cost a copy of the header fields,
/// and would not say why a body cannot be read. `None` for every other type, before anything is read.
pub(super) async fn take<T: 'static>(invocation: &mut Invocation) -> Option<Result<T, Fault>> {
    let wanted = TypeId::of::<T>();
    if wanted == TypeId::of::<Bytes>() {
        body::read(invocation).await.map(same).transpose()
    } else if wanted == TypeId::of::<String>() {
        body::read(invocation).await.and_then(body::into_text).map(same).transpose()
    } else {
        None
    }
}

/// The value, if `A` is `B`.
fn same<A: 'static, B: 'static>(value: A) -> Option<B> {
    (&mut Some(value) as &mut dyn Any).downcast_mut::<Option<B>>()?.take()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use futures_util::FutureExt;
    use http::Request;

    use super::*;
    use crate::fault::Code;
    use crate::invocation::fixture::call;

    fn taken<T: 'static>(body: &'static [u8]) -> Option<Result<T, Code>> {
        let mut invocation = call(Request::new(Body::from(body)));
        let taken = take::<T>(&mut invocation).now_or_never().unwrap();
        taken.map(|taken| taken.map_err(|fault| fault.code()))
    }

    #[test]
    fn bytes_and_text_are_read_and_nothing_else_is() {
        assert_eq!(taken::<Bytes>(b"\xff"), Some(Ok(Bytes::from_static(b"\xff"))));
        assert_eq!(taken::<String>("ä".as_bytes()), Some(Ok("ä".to_owned())));
        assert_eq!(taken::<String>(b""), Some(Ok(String::new())));
        assert_eq!(taken::<Vec<u8>>(b"a"), None);
    }

    #[test]
    fn text_that_is_not_utf8_says_where() {
        let mut invocation = call(Request::new(Body::from(&b"a\xff"[..])));
        let fault = take::<String>(&mut invocation).now_or_never().unwrap().unwrap().unwrap_err();
        assert_eq!(fault.code(), Code::InvalidArgument);
        assert!(fault.detail().contains("byte 1 is not"), "{}", fault.detail());
    }
}
