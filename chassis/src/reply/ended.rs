//! When the body of a reply has ended: for whoever measures a call to its last byte.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use http_body::{Body as HttpBody, Frame, SizeHint};

/// How the body of a reply ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// How many bytes of it were taken to be sent.
    pub bytes: u64,
    /// What became of the rest.
    pub outcome: Outcome,
}

/// What became of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All of it was taken.
    Complete,
    /// Whoever made it failed on the way.
    Failed,
    /// Nobody took the rest: the caller went away, or the reply has no body because `HEAD` asked for it.
    Abandoned,
}

type Run = Box<dyn FnOnce(&End) + Send>;

/// What runs when a body has ended. Dropping it early is an end too.
#[derive(Default)]
pub(super) struct Ends(Vec<Run>);

impl Ends {
    pub(super) fn add(&mut self, run: Run) {
        self.0.push(run);
    }

    /// Runs all that has not run. A panic of one is nobody's: the connection carries other calls.
    fn run(&mut self, end: &End) {
        for run in self.0.drain(..) {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(end))) {
                // Dropping it might panic once more.
                std::mem::forget(panic);
            }
        }
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        self.run(&End { bytes: 0, outcome: Outcome::Abandoned });
    }
}

/// A body whose end somebody wants to know of.
pub(super) struct Watched {
    body: Body,
    ends: Box<Ends>,
    bytes: u64,
}

impl Watched {
    pub(super) fn new(body: Body, ends: Box<Ends>) -> Self {
        Self { body, ends, bytes: 0 }
    }

    fn end(&mut self, outcome: Outcome) {
        self.ends.run(&End { bytes: self.bytes, outcome });
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.body).poll_frame(cx);
        match &polled {
            Poll::Pending => {}
            Poll::Ready(None) => this.end(Outcome::Complete),
            Poll::Ready(Some(Err(_))) => this.end(Outcome::Failed),
            Poll::Ready(Some(Ok(frame))) => {
                this.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                // Whoever sends it need not ask again.
                if this.body.is_end_stream() {
                    this.end(Outcome::Complete);
                }
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.end(if self.body.is_end_stream() { Outcome::Complete } else { Outcome::Abandoned });
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use axum::response::Response;
    use futures_util::stream;
    use http_body_util::BodyExt;

    use super::*;
    use crate::fault::{Code, Fault};
    use crate::invocation::fixture;
    use crate::reply::Reply;

    type Seen = Arc<Mutex<Vec<End>>>;

    fn watched(mut reply: Reply) -> (Reply, Seen) {
        let seen = Seen::default();
        let notes = Arc::clone(&seen);
        reply.on_end(move |end| notes.lock().unwrap().push(*end));
        (reply, seen)
    }

    fn streaming(chunks: Vec<Result<&'static str, io::Error>>) -> Reply {
        Reply::from(Response::new(Body::from_stream(stream::iter(chunks))))
    }

    fn sent(reply: Reply) -> Body {
        reply.into_response(&fixture::call(fixture::request("GET", "/"))).into_body()
    }

    fn end(bytes: u64, outcome: Outcome) -> End {
        End { bytes, outcome }
    }

    #[tokio::test]
    async fn a_body_ends_with_its_last_byte_once() {
        let (reply, seen) = watched(streaming(vec![Ok("abc"), Ok("de")]));
        assert_eq!(reply.length(), None);
        let mut body = sent(reply);
        body.frame().await.unwrap().unwrap();
        assert_eq!(*seen.lock().unwrap(), []);
        assert_eq!(body.collect().await.unwrap().to_bytes(), "de");
        assert_eq!(*seen.lock().unwrap(), [end(5, Outcome::Complete)]);
    }

    #[tokio::test]
    async fn one_that_fails_or_is_dropped_ends_there() {
        let (reply, seen) = watched(streaming(vec![Ok("abc"), Err(io::Error::other("gone"))]));
        assert!(sent(reply).collect().await.is_err());
        assert_eq!(*seen.lock().unwrap(), [end(3, Outcome::Failed)]);

        let (reply, seen) = watched(streaming(vec![Ok("abc"), Ok("de")]));
        let mut body = sent(reply);
        body.frame().await.unwrap().unwrap();
        drop(body);
        assert_eq!(*seen.lock().unwrap(), [end(3, Outcome::Abandoned)]);
    }

    #[tokio::test]
    async fn a_length_stays_known_and_a_problem_document_has_one_too() {
        let (reply, seen) = watched(Reply::new("hello"));
        assert_eq!(reply.length(), Some(5));
        let body = sent(reply);
        assert_eq!(body.size_hint().exact(), Some(5));
        body.collect().await.unwrap();
        assert_eq!(*seen.lock().unwrap(), [end(5, Outcome::Complete)]);

        let (reply, seen) = watched(Reply::from(Fault::new(Code::NotFound, "Not there.")));
        assert_eq!(reply.length(), None);
        let document = sent(reply).collect().await.unwrap().to_bytes();
        assert_eq!(*seen.lock().unwrap(), [end(document.len() as u64, Outcome::Complete)]);
    }

    #[tokio::test]
    async fn a_reply_that_nobody_sends_ends_too() {
        let (reply, seen) = watched(Reply::new("hello"));
        drop(reply);
        assert_eq!(*seen.lock().unwrap(), [end(0, Outcome::Abandoned)]);
        let (reply, seen) = watched(Reply::new("hello"));
        let (reply, other) = watched(Reply::from(reply.carry()));
        sent(reply).collect().await.unwrap();
        assert_eq!((seen.lock().unwrap().len(), other.lock().unwrap().len()), (1, 1));
    }

    #[tokio::test]
    async fn a_panic_at_the_end_of_a_body_is_nobodys() {
        let (mut reply, seen) = watched(Reply::new("hello"));
        reply.on_end(|_| panic!("as asked"));
        assert_eq!(sent(reply).collect().await.unwrap().to_bytes(), "hello");
        assert_eq!(seen.lock().unwrap().len(), 1);
    }
}
