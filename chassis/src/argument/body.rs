//! Reads the body of a call into memory, never more of it than the call may have.

use std::error::Error;
use std::str::Utf8Error;
use std::sync::atomic::Ordering;

use axum::BoxError;
use axum::body::{Body, Bytes};
use bytes::BytesMut;
use http_body::Body as _;
use http_body_util::{BodyExt, LengthLimitError};

use super::foreign::Failed;
use super::refusal::{Flaw, Place};
use crate::fault::{Code, Fault};
use crate::invocation::{Call, Invocation};

/// The most memory, in bytes, that is set aside for a body before it has come.
const AHEAD: u64 = 64 * 1024;

/// Reads the whole body. One that comes in one piece is not copied.
pub(super) async fn read(invocation: &mut Invocation) -> Result<Bytes, Fault> {
    let body = std::mem::take(&mut invocation.body);
    // Stays set if the deadline ends this: then it was the caller who was slow.
    invocation.call.receiving.store(true, Ordering::Relaxed);
    let whole = within(body, invocation.call.body_limit).await;
    invocation.call.receiving.store(false, Ordering::Relaxed);
    whole.map_err(|short| match short {
        Short::TooLarge => too_large(&Limit::of(&invocation.call)),
        Short::Failed(fault) => fault,
    })
}

/// Why a body is not there whole.
enum Short {
    TooLarge,
    Failed(Fault),
}

/// How large a body may be.
#[derive(Clone, Copy)]
pub(super) struct Limit {
    pub(super) bytes: u64,
    /// The handler that says so; `None` for the listener.
    by: Option<&'static str>,
}

impl Limit {
    pub(super) fn of(call: &Call) -> Self {
        Self { bytes: call.body_limit, by: call.body_limited_by }
    }
}

async fn within(mut body: Body, limit: u64) -> Result<Bytes, Short> {
    // `Content-Length`, where there is one: nothing of a body that is too large is read, nor asked for with a 100.
    if body.size_hint().lower() > limit {
        return Err(Short::TooLarge);
    }
    let Some(first) = piece(&mut body).await? else { return Ok(Bytes::new()) };
    if first.len() as u64 > limit {
        return Err(Short::TooLarge);
    }
    if body.is_end_stream() {
        return Ok(first);
    }
    // In a place of its own: most bodies come in one piece, and their calls need not have room for this.
    Box::pin(gather(body, first, limit)).await
}

/// Reads what comes after the first piece, and puts all of it together.
async fn gather(mut body: Body, first: Bytes, limit: u64) -> Result<Bytes, Short> {
    let Some(second) = piece(&mut body).await? else { return Ok(first) };
    let known = first.len() + second.len();
    let ahead = body.size_hint().lower().min(AHEAD) as usize;
    let mut whole = BytesMut::with_capacity(known + ahead);
    whole.extend_from_slice(&first);
    let mut next = Some(second);
    while let Some(data) = next {
        if (whole.len() + data.len()) as u64 > limit {
            return Err(Short::TooLarge);
        }
        whole.extend_from_slice(&data);
        next = piece(&mut body).await?;
    }
    Ok(whole.freeze())
}

/// The next piece of data; trailers are skipped.
async fn piece(body: &mut Body) -> Result<Option<Bytes>, Short> {
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(|error| Short::Failed(error.into()))?.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

/// A body as text.
pub(super) fn text(body: &[u8]) -> Result<&str, Fault> {
    str::from_utf8(body).map_err(not_text)
}

/// The same, to keep.
pub(super) fn into_text(body: Bytes) -> Result<String, Fault> {
    String::from_utf8(body.into()).map_err(|error| not_text(error.utf8_error()))
}

#[cold]
fn not_text(error: Utf8Error) -> Fault {
    let detail = format!("UTF-8 is expected, and byte {} is not", error.valid_up_to());
    Flaw::new("", detail).refuse(Code::InvalidArgument, Place::Body)
}

#[cold]
pub(super) fn too_large(limit: &Limit) -> Fault {
    let Limit { bytes, by } = limit;
    let detail = format!("The body is too large: at most {bytes} bytes are read.");
    let fault = Fault::new(Code::ContentTooLarge, detail).with_evidence("limit", *bytes);
    match by {
        Some(handler) => {
            let remedy = format!("It passes with a smaller body, or with a higher limit of `{handler}`.");
            fault.with_remedy(remedy).by(*handler)
        }
        None => fault
            .with_remedy("It passes with a smaller body, or with a higher `max-body` of the listener.")
            .by_chain("max-body"),
    }
}

/// Why a body could not be read to its end: it is too large, or the connection ended first. A handler that guards the
/// body may fail it with a [`Fault`] of its own.
impl From<axum::Error> for Fault {
    fn from(error: axum::Error) -> Self {
        let cause = match known(unwrapped(error)) {
            Ok(fault) => return fault,
            Err(cause) => cause,
        };
        match caused_by_limit(&*cause) {
            true => Self::new(Code::ContentTooLarge, "The body is larger than this operation reads.").with_cause(cause),
            false => Self::new(Code::InvalidArgument, "The body ended before it was complete.").with_cause(cause),
        }
    }
}

/// What axum wrapped: once for each body that was wrapped in a body.
fn unwrapped(error: axum::Error) -> BoxError {
    match error.into_inner().downcast::<axum::Error>() {
        Ok(inner) => unwrapped(*inner),
        Err(cause) => cause,
    }
}

/// The fault that an error is, or brings along.
fn known(error: BoxError) -> Result<Fault, BoxError> {
    match error.downcast::<Fault>() {
        Ok(fault) => Ok(*fault),
        Err(error) => {
            let failed = error.downcast::<Failed>()?;
            failed.into_fault().ok_or_else(|| "the body failed before".into())
        }
    }
}

fn caused_by_limit(error: &(dyn Error + 'static)) -> bool {
    error.is::<LengthLimitError>() || error.source().is_some_and(caused_by_limit)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::io;

    use futures_util::{FutureExt, stream};
    use http::Request;
    use http_body_util::Limited;
    use proptest::prelude::*;

    use super::*;
    use crate::invocation::fixture::call;

    fn take(body: Body, limit: u64) -> Result<Bytes, Fault> {
        let mut call = call(Request::new(body));
        call.call.body_limit = limit;
        let body = read(&mut call).now_or_never().unwrap();
        assert!(!call.call.receiving.load(Ordering::Relaxed));
        body
    }

    fn chunked(chunks: Vec<Vec<u8>>) -> Body {
        Body::from_stream(stream::iter(chunks.into_iter().map(Ok::<_, Infallible>)))
    }

    #[test]
    fn a_body_in_one_piece_is_not_copied() {
        let sent = Bytes::from(vec![7; 1024]);
        let read = take(Body::from(sent.clone()), 1024).unwrap();
        assert_eq!(read.as_ptr(), sent.as_ptr());
    }

    #[test]
    fn a_body_that_says_it_is_too_large_is_not_read() {
        let mut call = call(Request::new(Body::from("12345")));
        call.call.body_limit = 4;
        let never = Limited::new(std::mem::take(&mut call.body), 0);
        call.body = Body::new(Said(5, never));
        let fault = read(&mut call).now_or_never().unwrap().unwrap_err();
        assert_eq!(fault.code(), Code::ContentTooLarge);
        assert!(fault.cause().is_none(), "it was polled");
        assert!(fault.detail().contains("at most 4 bytes"));
    }

    /// A body that says how long it is.
    struct Said(u64, Limited<Body>);

    impl http_body::Body for Said {
        type Data = Bytes;
        type Error = BoxError;

        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            cx: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, BoxError>>> {
            std::pin::Pin::new(&mut self.1).poll_frame(cx)
        }

        fn size_hint(&self) -> http_body::SizeHint {
            http_body::SizeHint::with_exact(self.0)
        }
    }

    #[test]
    fn whoever_set_the_limit_refuses_what_is_larger() {
        let refused = |by: Option<&'static str>| {
            let mut call = call(Request::new(chunked(vec![vec![0; 3], vec![0; 3]])));
            call.call.body_limit = 5;
            by.into_iter().for_each(|by| call.call.limit_body(4, by));
            read(&mut call).now_or_never().unwrap().unwrap_err()
        };
        let fault = refused(Some("limit-body"));
        assert_eq!((fault.handler(), fault.policy()), (Some("limit-body"), None));
        assert!(fault.evidence().eq([("limit", &4.into())]) && fault.remedy().is_some());
        let fault = refused(None);
        assert_eq!((fault.handler(), fault.policy(), fault.is_refusal()), (None, Some("max-body"), true));
    }

    #[test]
    fn a_body_that_breaks_off_is_the_callers_mistake() {
        let broken = stream::iter([Ok(Bytes::from("{")), Err(io::Error::from(io::ErrorKind::UnexpectedEof))]);
        let fault = take(Body::from_stream(broken), 100).unwrap_err();
        assert_eq!(fault.code(), Code::InvalidArgument);
        assert!(fault.cause().is_some());
    }

    #[test]
    fn a_fault_of_a_handler_that_guards_the_body_is_kept() {
        let slow = || Fault::new(Code::RequestTimeout, "Too slow.");
        let body = Body::from_stream(stream::once(async move { Err::<Bytes, _>(slow()) }));
        let wrapped = Body::new(Limited::new(body, 100));
        assert_eq!(take(wrapped, 100).unwrap_err().code(), Code::RequestTimeout);
    }

    #[test]
    fn a_limit_set_around_the_body_counts_too() {
        let body = Body::new(Limited::new(chunked(vec![vec![0; 3], vec![0; 3]]), 5));
        assert_eq!(take(body, 100).unwrap_err().code(), Code::ContentTooLarge);
    }

    proptest! {
        #[test]
        fn the_limit_holds_however_the_body_is_cut(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..8), 0..8),
            limit in 0_u64..64,
        ) {
            let whole = chunks.concat();
            match take(chunked(chunks), limit) {
                Ok(read) => {
                    prop_assert!(read.len() as u64 <= limit);
                    prop_assert_eq!(&read[..], &whole[..]);
                }
                Err(fault) => {
                    prop_assert!(whole.len() as u64 > limit);
                    prop_assert_eq!(fault.code(), Code::ContentTooLarge);
                }
            }
        }
    }
}
