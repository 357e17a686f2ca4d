//! Takes the arguments of an operation out of its call.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header;
use http_body_util::{BodyExt, Limited};

use super::bounds::Taken;
use crate::argument::LeavesBody;
use crate::fault::{Code, Fault};
use crate::invocation::Invocation;
use crate::reply::Reply;
use crate::schema::BoxFuture;

/// How much of what a foreign extractor says callers are told, in bytes.
const DETAIL: usize = 1024;

/// Takes an argument that others follow.
///
/// # Errors
/// The answer to a caller whose call does not hold it.
pub async fn part<T: Taken<M>, M: LeavesBody>(invocation: &mut Invocation) -> Result<T, Box<Reply>> {
    last(invocation).await
}

/// Takes the last argument.
///
/// # Errors
/// The answer to a caller whose call does not hold it.
pub async fn last<T: Taken<M>, M>(invocation: &mut Invocation) -> Result<T, Box<Reply>> {
    match T::take(invocation).await {
        Ok(value) => Ok(value),
        Err(rejection) => Err(refused(rejection.into_response()).await),
    }
}

/// What a rejection says, as a Fault; boxed because it is rare and would make the future of every call larger.
fn refused(mut response: Response) -> BoxFuture<'static, Box<Reply>> {
    Box::pin(async move {
        let status = response.status();
        let reply = match Fault::from_response(&mut response) {
            Some(fault) => Reply::from(fault),
            None if status.is_client_error() || status.is_server_error() => Reply::from(foreign(response).await),
            None => Reply::from(response),
        };
        Box::new(reply)
    })
}

/// A rejection that is not ours: callers may read what they did wrong, not what failed here.
async fn foreign(response: Response) -> Fault {
    let (parts, body) = response.into_parts();
    let (code, text) = (Code::from_status(parts.status), text(body).await);
    let mut fault = match parts.status.is_client_error() {
        true if text.is_empty() => Fault::new(code, "The call does not hold what this operation takes."),
        true => Fault::new(code, text),
        false => Fault::new(code, "The service failed to read this call.").with_cause(text),
    };
    for (name, value) in &parts.headers {
        if *name != header::CONTENT_TYPE && *name != header::CONTENT_LENGTH {
            fault = fault.with_header(name.clone(), value.clone());
        }
    }
    fault
}

async fn text(body: Body) -> String {
    let bytes = Limited::new(body, DETAIL).collect().await.map(http_body_util::Collected::to_bytes);
    bytes.ok().and_then(|bytes| String::from_utf8(bytes.into()).ok()).unwrap_or_default()
}
