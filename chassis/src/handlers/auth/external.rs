//! Asks another service whether a known caller may call: over HTTP, bounded in time and number.
//!
//! It is asked with `GET` and learns of the call in header fields: `X-Forwarded-Method`, `X-Forwarded-Uri`,
//! `X-Forwarded-For`, `X-Operation`, and who calls in `X-Auth-Subject`, `X-Auth-Scheme`, `X-Auth-Scopes` and
//! `X-Auth-Roles`. 2xx lets the call pass, 401 and 403 refuse it; anything else is a failure.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Uri, header};
use http_body_util::Full;
use tokio::sync::Semaphore;

use super::conf::{self, OnFailure};
use super::metric::Answers;
use crate::conf::{BuildContext, BuildError, Interval};
use crate::invocation::Invocation;
use crate::outgoing::{Bounds, Encryption, Outgoing, address};
use crate::schema::BoxFuture;

/// How large its answer may be; only the status matters.
const MOST_BYTES: usize = 64 << 10;

const METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");
const TARGET: HeaderName = HeaderName::from_static("x-forwarded-uri");
const PEER: HeaderName = HeaderName::from_static("x-forwarded-for");
const OPERATION: HeaderName = HeaderName::from_static("x-operation");
const SUBJECT: HeaderName = HeaderName::from_static("x-auth-subject");
const SCHEME: HeaderName = HeaderName::from_static("x-auth-scheme");
const SCOPES: HeaderName = HeaderName::from_static("x-auth-scopes");
const ROLES: HeaderName = HeaderName::from_static("x-auth-roles");

/// What only we say.
const OURS: [HeaderName; 8] = [METHOD, TARGET, PEER, OPERATION, SUBJECT, SCHEME, SCOPES, ROLES];

/// What belongs to a connection or frames a message (RFC 9110 §7.6.1).
const FRAMING: [HeaderName; 7] = [
    header::HOST,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::TE,
    header::UPGRADE,
    header::EXPECT,
];

/// Another service that decides about callers.
pub(super) struct External {
    outgoing: Outgoing,
    address: Uri,
    time: Duration,
    handed_on: Vec<HeaderName>,
    allow: bool,
    turns: Semaphore,
    answers: Answers,
    /// Whether it failed last: what goes on for long is told once.
    failing: AtomicBool,
}

/// What it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Allowed,
    /// The caller is to prove itself in another way: 401.
    Unknown,
    /// The caller may not: 403.
    Denied,
    /// Nothing, and that is not enough.
    Failed,
}

impl External {
    pub(super) fn build(conf: &conf::External, context: &BuildContext<'_>) -> Result<Self, BuildError> {
        if conf.timeout == Interval::ZERO {
            return Err(BuildError::new("timeout", "nobody answers in no time")
                .with_help("write a time such as `500ms`, or remove the key"));
        }
        let encryption = if conf.insecure { Encryption::Optional } else { Encryption::Required };
        let address = address(&conf.url, encryption).map_err(|error| error.below("url"))?;
        let open = address.scheme() == Some(&http::uri::Scheme::HTTP);
        let outgoing = if open { Outgoing::plain() } else { Outgoing::build() };
        Ok(Self {
            outgoing: outgoing.map_err(|error| error.below("url"))?,
            address,
            time: conf.timeout.duration(),
            handed_on: conf.headers.iter().map(|name| handed_on(name)).collect::<Result<_, _>>()?,
            allow: conf.on_failure == OnFailure::Allow,
            turns: Semaphore::new(conf.at_once),
            answers: Answers::of(&context.process.metrics),
            failing: AtomicBool::new(false),
        })
    }

    /// Asks about a call.
    pub(super) fn ask(self: &Arc<Self>, invocation: &Invocation) -> BoxFuture<'static, Answer> {
        let (external, request) = (Arc::clone(self), self.request(invocation));
        Box::pin(async move {
            let answer = match request {
                Some(request) => tokio::time::timeout(external.time, external.answer(request)).await,
                // A caller whose name cannot be said cannot be asked about: nothing went wrong that `allow` is for.
                None => return Answer::Denied,
            };
            let late = || Err(format!("no answer within {}", Interval(external.time)));
            external.settled(answer.unwrap_or_else(|_| late()))
        })
    }

    async fn answer(&self, request: Request<Full<Bytes>>) -> Result<Answer, String> {
        let _turn = self.turns.acquire().await.map_err(|error| error.to_string())?;
        let bounds = Bounds { time: self.time, body: MOST_BYTES };
        let response = self.outgoing.send(request, bounds).await.map_err(|error| error.to_string())?;
        match response.status() {
            status if status.is_success() => Ok(Answer::Allowed),
            StatusCode::UNAUTHORIZED => Ok(Answer::Unknown),
            StatusCode::FORBIDDEN => Ok(Answer::Denied),
            status => Err(format!("it answered {status}")),
        }
    }

    /// What holds, whatever became of the question.
    fn settled(&self, answer: Result<Answer, String>) -> Answer {
        let failed = answer.is_err();
        let changed = self.failing.swap(failed, Ordering::Relaxed) != failed;
        match answer {
            Ok(answer) => {
                if changed {
                    tracing::info!("the service that decides about callers answers again");
                }
                self.answers.count(answer);
                answer
            }
            Err(reason) => {
                if changed {
                    tracing::warn!(
                        reason,
                        allowed = self.allow,
                        "the service that decides about callers does not answer"
                    );
                }
                self.answers.count(Answer::Failed);
                if self.allow { Answer::Allowed } else { Answer::Failed }
            }
        }
    }

    /// The question; `None` where the caller cannot be named in it.
    fn request(&self, invocation: &Invocation) -> Option<Request<Full<Bytes>>> {
        let mut request = Request::new(Full::default());
        *request.uri_mut() = self.address.clone();
        let fields = request.headers_mut();
        for name in &self.handed_on {
            let values = invocation.headers().get_all(name).iter();
            values.for_each(|value| _ = fields.append(name, value.clone()));
        }
        let target = invocation.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        say(fields, METHOD, invocation.method().as_str())?;
        say(fields, TARGET, target)?;
        if let Some(ip) = invocation.call.peer.ip() {
            say(fields, PEER, &ip.to_string())?;
        }
        if let Some(operation) = invocation.operation() {
            say(fields, OPERATION, &operation.id)?;
        }
        if let Some(principal) = &invocation.call.principal {
            let identity = principal.identity();
            say(fields, SUBJECT, &identity.subject)?;
            say(fields, SCHEME, &identity.scheme)?;
            say(fields, SCOPES, &identity.scopes.join(" "))?;
            say(fields, ROLES, &identity.roles.join(" "))?;
        }
        Some(request)
    }
}

fn say(fields: &mut HeaderMap, name: HeaderName, value: &str) -> Option<()> {
    fields.insert(name, HeaderValue::from_bytes(value.as_bytes()).ok()?);
    Some(())
}

/// A field of the call that is handed on as it came.
fn handed_on(name: &str) -> Result<HeaderName, BuildError> {
    let wrong = |message: String, help: &str| Err(BuildError::new("headers", message).with_help(help));
    match HeaderName::try_from(name) {
        Ok(name) if OURS.contains(&name) => {
            let help = "take it out of the list: a caller could say there who it is";
            wrong(format!("`{name}` is what the service is told by us"), help)
        }
        Ok(name) if FRAMING.contains(&name) => {
            wrong(format!("`{name}` belongs to the connection of the caller"), "take it out of the list")
        }
        Ok(name) => Ok(name),
        Err(_) => wrong(format!("`{name}` is no name of a header field"), "write a name such as `Cookie`"),
    }
}
