//! Where it is kept which calls were made and how they were answered.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::Response;
use http::{HeaderMap, HeaderName, StatusCode};

use super::key::Digest;
use crate::reply::Reply;
use crate::schema::BoxFuture;

/// Keeps which calls were made and how they were answered: in this process, or in one that others ask too.
pub(super) trait Store: Send + Sync {
    /// Begins a call, if no call of this name was begun. It counts as under way until it is ended; when the lease is over
    /// and nobody lives who could end it, how it ended is not known.
    fn begin(&self, name: Digest, fingerprint: Digest, lease: Duration) -> BoxFuture<'_, Standing>;

    /// Ends a call that was begun with this number, whether or not anybody waits for what it returns: whoever does knows
    /// that others hear of the end, or cannot now.
    fn end(&self, name: Digest, number: u64, end: End) -> Ended;
}

/// Ready when others hear of the end of a call, or cannot now.
pub(super) type Ended = BoxFuture<'static, ()>;

/// How a name stands.
#[derive(Clone, Debug)]
pub(super) enum Standing {
    /// Nobody used it before, and it is under way from now on, with this number.
    Begun(u64),
    /// It is under way.
    Running,
    /// It was used with another payload.
    Differs,
    /// It was answered.
    Answered(Arc<Record>),
    /// It was answered, and how is not known.
    Unkept,
    /// It was begun, and how it ended is not known.
    Unknown,
    /// There is no room for another one.
    Full,
    /// Whoever knows is not there.
    Away,
}

/// How a call ended.
#[derive(Debug)]
pub(super) enum End {
    /// This was the answer.
    Answered(Record),
    /// It was answered, and the answer cannot be given again.
    Unkept,
    /// It was begun, and nobody knows what came of it.
    Unknown,
    /// It came to nothing, and may be made again.
    Forgotten,
}

/// An answer that can be given again.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Record {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Record {
    /// The fields that are kept of an answer.
    pub(super) fn fields(all: &HeaderMap, kept: &[HeaderName]) -> HeaderMap {
        let pairs = kept.iter().flat_map(|name| all.get_all(name).iter().map(move |value| (name, value)));
        pairs.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// How many bytes it takes, about.
    pub(super) fn weight(&self) -> usize {
        // What a field takes beside its texts.
        const FIELD: usize = 128;
        let fields = self.headers.iter().map(|(name, value)| FIELD + name.as_str().len() + value.len());
        self.body.len() + fields.sum::<usize>()
    }

    /// The answer once more.
    pub(super) fn reply(&self) -> Reply {
        let mut response = Response::new(Body::from(self.body.clone()));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers.clone();
        Reply::from(response)
    }
}
