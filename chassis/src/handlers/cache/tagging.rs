//! Gives replies a tag, a digest of their body, where that is made already.

use axum::body::{Body, Bytes};
use http::StatusCode;
use http::header::ETAG;
use http_body_util::BodyExt;

use super::{Cache, validator};
use crate::fault::Fault;
use crate::reply::Reply;

impl Cache {
    /// The reply with a tag, if it gets one.
    pub(super) async fn tagged(&self, reply: Reply) -> Reply {
        let wants_one = self.makes_tags
            && reply.status() == StatusCode::OK
            && self.is_small(&reply)
            && reply.length() != Some(0)
            && !reply.headers().contains_key(ETAG);
        if !wants_one {
            return reply;
        }
        match whole(reply).await {
            Ok((mut reply, body)) => {
                self.tag(&mut reply, &body);
                reply.map_body(|_| Body::from(body));
                reply
            }
            Err(fault) => fault.into(),
        }
    }

    pub(super) fn tag(&self, reply: &mut Reply, body: &[u8]) {
        if self.makes_tags && !reply.headers().contains_key(ETAG) && reply.status() == StatusCode::OK {
            validator::tag(body).map(|tag| reply.headers_mut().insert(ETAG, tag));
        }
    }

    pub(super) fn is_small(&self, reply: &Reply) -> bool {
        reply.length().is_some_and(|length| length <= self.most)
    }
}

/// Takes the body of a reply that is made already.
pub(super) async fn whole(mut reply: Reply) -> Result<(Reply, Bytes), Fault> {
    let mut taken = Body::empty();
    reply.map_body(|body| {
        taken = body;
        Body::empty()
    });
    let body = taken.collect().await.map_err(Fault::internal)?.to_bytes();
    Ok((reply, body))
}
