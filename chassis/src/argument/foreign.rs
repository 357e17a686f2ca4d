//! Lends a call to extractors that know only axum, and keeps why its body could not be read: they would not tell.

use std::error::Error;
use std::fmt;
use std::future::{Future, poll_fn};
use std::mem;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use axum::BoxError;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Request};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::{LengthLimitError, Limited};

use super::body::{self, Limit};
use crate::fault::Fault;
use crate::invocation::{Call, Invocation};
use crate::lock::locked;

/// The limit, in bytes, that axum's extractors hold a body to which says no other.
const AXUMS_LIMIT: u64 = 2 << 20;

/// The call as axum knows it, its body held to our own limit instead of axum's, and what is learned about that body.
pub(crate) fn lend(invocation: &mut Invocation) -> (Request, Lent) {
    let (body, limit) = (mem::take(&mut invocation.body), Limit::of(&invocation.call));
    let (body, lent) = if body.is_end_stream() { (body, Lent(None)) } else { watched(body, limit) };
    let mut request = Request::from_parts(invocation.parts.clone(), body);
    // To tell axum so costs three allocations, and ours is reached first where it is not larger.
    if limit.bytes > AXUMS_LIMIT {
        DefaultBodyLimit::disable().apply(&mut request);
    }
    (request, lent)
}

fn watched(body: Body, limit: Limit) -> (Body, Lent) {
    let seen = Arc::new(Seen::default());
    let body = match body.size_hint().lower() > limit.bytes {
        // Nothing is read of a body that says it is too large: this byte stands for it.
        true => Limited::new(Body::from("x"), 0),
        false => Limited::new(body, usize::try_from(limit.bytes).unwrap_or(usize::MAX)),
    };
    let watched = Watched { body, limit, seen: Arc::clone(&seen) };
    (Body::new(watched), Lent(Some(seen)))
}

/// What is learned about a body that was lent.
pub(crate) struct Lent(Option<Arc<Seen>>);

/// What a body that was lent and whoever lent it share.
#[derive(Default)]
struct Seen {
    fault: Mutex<Option<Fault>>,
    waits: AtomicBool,
}

impl Seen {
    /// Keeps the first fault: what comes after it follows from it.
    fn keep(&self, fault: Fault) {
        locked(&self.fault).get_or_insert(fault);
    }
}

impl Lent {
    /// Runs what the body was lent to, and notes for the chain when that waits for more of it.
    pub(crate) async fn to<F: Future>(&self, call: &Call, reader: F) -> F::Output {
        let Some(seen) = &self.0 else { return reader.await };
        let mut reader = pin!(reader);
        poll_fn(|cx| {
            let outcome = reader.as_mut().poll(cx);
            call.receiving.store(outcome.is_pending() && seen.waits.load(Ordering::Relaxed), Ordering::Relaxed);
            outcome
        })
        .await
    }

    /// Why the body could not be read to its end. Asked for when the reader has let go of the error it was given.
    pub(crate) fn fault(&self) -> Option<Fault> {
        locked(&self.0.as_ref()?.fault).take()
    }
}

/// A body that was lent.
struct Watched {
    body: Limited<Body>,
    limit: Limit,
    seen: Arc<Seen>,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        self.seen.waits.store(polled.is_pending(), Ordering::Relaxed);
        polled.map(|frame| frame.map(|frame| frame.map_err(|error| self.failed(error))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Watched {
    /// What the reader is told.
    #[cold]
    fn failed(&self, error: BoxError) -> BoxError {
        if error.is::<LengthLimitError>() {
            // The type by which readers know that it was the limit.
            self.seen.keep(body::too_large(&self.limit));
            return error;
        }
        let fault = Fault::from(axum::Error::new(error));
        Box::new(Failed { fault: Some(fault), seen: Arc::clone(&self.seen) })
    }
}

/// Why a body could not be read to its end. A reader that drops it without a word gives the fault back.
pub(super) struct Failed {
    fault: Option<Fault>,
    seen: Arc<Seen>,
}

impl Failed {
    /// The fault, for those who know what this is.
    pub(super) fn into_fault(mut self) -> Option<Fault> {
        self.fault.take()
    }
}

impl Drop for Failed {
    fn drop(&mut self) {
        if let Some(fault) = self.fault.take() {
            self.seen.keep(fault);
        }
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What a reader repeats to callers holds nothing internal.
        f.write_str(self.fault.as_ref().map_or("the body could not be read", Fault::detail))
    }
}

impl fmt::Debug for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Failed").field(&self.fault).finish()
    }
}

impl Error for Failed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.fault.as_ref().map(|fault| fault as _)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use axum::extract::FromRequest;
    use futures_util::{FutureExt, StreamExt, stream};
    use http::{HeaderName, HeaderValue, StatusCode};
    use http_body_util::BodyExt;

    use super::*;
    use crate::argument::Argument;
    use crate::fault::Code;
    use crate::invocation::fixture::call;
    use crate::reply::Reply;

    /// An extractor that repeats nothing of what went wrong, or waits for something else.
    struct Swallows;

    impl FromRequest<Call> for Swallows {
        type Rejection = StatusCode;

        async fn from_request(request: Request, call: &Call) -> Result<Self, StatusCode> {
            let waits = request.headers().contains_key("waits");
            let bytes = Bytes::from_request(request, call).await.map_err(|_| StatusCode::BAD_REQUEST)?;
            match &bytes[..] {
                b"bad" => Err(StatusCode::CONFLICT),
                _ if waits => std::future::pending().await,
                _ => Ok(Self),
            }
        }
    }

    fn invocation(body: Body) -> Invocation {
        let mut invocation = call(Request::new(body));
        invocation.call.body_limit = 8;
        invocation
    }

    fn refused(body: Body) -> Reply {
        let mut invocation = invocation(body);
        let taken = Swallows::take(&mut invocation).now_or_never().unwrap();
        Reply::from(taken.err().unwrap())
    }

    fn failing(error: impl Into<BoxError>) -> Body {
        Body::from_stream(stream::iter([Ok(Bytes::from("{")), Err(error.into())]))
    }

    #[test]
    fn what_an_extractor_swallows_is_answered() {
        let slow = || Fault::new(Code::RequestTimeout, "Too slow.");
        assert_eq!(refused(failing(slow())).fault().unwrap().code(), Code::RequestTimeout);
        let broken = refused(failing(io::Error::from(io::ErrorKind::UnexpectedEof)));
        assert_eq!(broken.fault().unwrap().code(), Code::InvalidArgument);
        assert!(broken.fault().unwrap().cause().is_some());
        let large = refused(Body::from("123456789"));
        assert_eq!(large.fault().unwrap().code(), Code::ContentTooLarge);
        assert!(large.fault().unwrap().detail().contains("at most 8 bytes"));
    }

    #[test]
    fn no_byte_of_the_fields_is_copied_for_an_extractor() {
        let mut invocation = invocation(Body::from("1"));
        for at in 0..100 {
            let name = HeaderName::from_bytes(format!("x-{at}").as_bytes()).unwrap();
            let value = HeaderValue::from_maybe_shared(Bytes::from(vec![b'v'; 1000])).unwrap();
            invocation.parts.headers.insert(name, value);
        }
        let (request, _lent) = lend(&mut invocation);
        assert_eq!(request.headers().len(), 100);
        for (name, value) in request.headers() {
            let kept = &invocation.headers()[name];
            assert_eq!(kept.as_bytes().as_ptr(), value.as_bytes().as_ptr());
        }
    }

    #[test]
    fn what_an_extractor_refuses_by_itself_stays_as_it_is() {
        let reply = refused(Body::from("bad"));
        assert_eq!((reply.status(), reply.fault().is_none()), (StatusCode::CONFLICT, true));
    }

    #[test]
    fn whoever_reads_the_body_itself_learns_why_it_failed() {
        let mut invocation = invocation(failing(Fault::new(Code::RequestTimeout, "Too slow.")));
        let (request, lent) = lend(&mut invocation);
        let error = request.into_body().collect().now_or_never().unwrap().unwrap_err();
        assert!(error.to_string().contains("Too slow."));
        assert_eq!(Fault::from(error).code(), Code::RequestTimeout);
        assert!(lent.fault().is_none());
    }

    #[test]
    fn a_wait_for_the_body_is_told_from_one_for_something_else() {
        let silent = Body::from_stream(stream::once(async { Ok::<_, io::Error>("1") }).chain(stream::pending()));
        let mut unsent = invocation(silent);
        assert!(Swallows::take(&mut unsent).now_or_never().is_none());
        assert!(unsent.call.receiving.load(Ordering::Relaxed));
        let mut read = invocation(Body::from("1"));
        read.parts.headers.insert("waits", "1".parse().unwrap());
        assert!(Swallows::take(&mut read).now_or_never().is_none());
        assert!(!read.call.receiving.load(Ordering::Relaxed));
    }

    #[test]
    fn axums_own_limit_never_comes_before_ours() {
        for limit in [AXUMS_LIMIT, AXUMS_LIMIT + 1, 3 * AXUMS_LIMIT] {
            let mut invocation = invocation(Body::from(vec![0; usize::try_from(limit).unwrap()]));
            invocation.call.body_limit = limit;
            assert!(Swallows::take(&mut invocation).now_or_never().unwrap().is_ok(), "{limit}");
        }
    }
}
