//! How a call fails: one cause with a stable [`Code`], told apart into what callers may and may not read.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use axum::response::IntoResponse;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{StatusCode, header};
use serde::Serialize;

mod code;
mod origin;
mod problem;
mod reason;

pub use code::Code;
pub(crate) use reason::Receipt;

use origin::Origin;
use problem::RESERVED;
use reason::Reason;

/// Why a call failed.
///
/// What [`Fault::new`] is given is public: callers read it. What [`Fault::with_cause`] is given is
/// internal: it is logged and never leaves the process.
pub struct Fault(Box<Cause>);

struct Cause {
    code: Code,
    status: StatusCode,
    detail: Cow<'static, str>,
    kind: Option<Cow<'static, str>>,
    internal: Option<Box<dyn Error + Send + Sync>>,
    violations: Vec<Violation>,
    origin: Origin,
    retry_after: Option<Duration>,
    headers: HeaderMap,
    extensions: Vec<(Cow<'static, str>, serde_json::Value)>,
    reason: Option<Box<Reason>>,
    measures: Vec<Measure>,
}

/// What is told how long the problem document is.
type Measure = Box<dyn FnOnce(u64) + Send + Sync>;

/// One thing that is wrong with what the caller sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Where: `body`, `path`, `query` or `header`.
    #[serde(rename = "in")]
    pub place: &'static str,
    /// Which value: a JSON Pointer (RFC 6901) into the body, or into the object that the parameters or header fields
    /// are by their names, such as `/limit`. Empty is the whole.
    pub pointer: String,
    /// What is wrong with it and what is expected.
    pub detail: String,
}

/// What is told of a call that was not answered before the process ended.
pub(crate) const CUT_OFF: &str =
    "The service ended before it answered this call; what it had done by then is not known.";

impl Fault {
    /// A fault that tells callers `detail`: what is wrong and what they can do, nothing internal.
    ///
    /// [`Code::Cancelled`] becomes [`Code::Unavailable`]: whoever makes this fault has a caller that waits for it.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        let code = if code == Code::Cancelled { Code::Unavailable } else { code };
        Self::of(code, detail.into())
    }

    /// The fault of a call that nobody waits for any more. Only the chain knows of one.
    pub(crate) fn cancelled() -> Self {
        Self::of(Code::Cancelled, "The caller went away before the answer.".into())
    }

    /// The fault of a call that was not answered before the process ended.
    pub(crate) fn cut_off() -> Self {
        Self::new(Code::Unavailable, CUT_OFF).by_chain("drain")
    }

    fn of(code: Code, detail: Cow<'static, str>) -> Self {
        Self(Box::new(Cause {
            code,
            status: code.status(),
            detail,
            kind: None,
            internal: None,
            violations: Vec::new(),
            origin: Origin::Unsaid,
            retry_after: None,
            headers: HeaderMap::new(),
            extensions: Vec::new(),
            reason: None,
            measures: Vec::new(),
        }))
    }

    /// A failure of the service itself. Callers read no more than that; `cause` is logged.
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Code::Internal, "The service failed to answer this call.").with_cause(cause)
    }

    /// A fault that is answered with a status that may be no code's own; its code is then the first of the class.
    pub(crate) fn of_status(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        let mut fault = Self::new(Code::from_status(status), detail);
        fault.0.status = status;
        fault
    }

    /// Attaches what the logs should say and callers must not read.
    #[must_use]
    pub fn with_cause(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.internal = Some(cause.into());
        self
    }

    /// Replaces the problem type (RFC 9457 §3.1.1), an absolute URI; otherwise it is `about:blank`.
    #[must_use]
    pub fn with_type(mut self, uri: impl Into<Cow<'static, str>>) -> Self {
        self.0.kind = Some(uri.into());
        self
    }

    /// Names the values that were wrong.
    #[must_use]
    pub fn with_violations(mut self, violations: impl IntoIterator<Item = Violation>) -> Self {
        self.0.violations.extend(violations);
        self
    }

    /// When it makes sense to call again (RFC 9110 §10.2.3); sent in whole seconds, rounded up.
    #[must_use]
    pub fn with_retry_after(mut self, delay: Duration) -> Self {
        self.0.retry_after = Some(delay);
        self
    }

    /// Adds a header field to the reply, beside those of the same name.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.append(name, value);
        self
    }

    /// Adds a member to the problem document (RFC 9457 §3.2); of those with the same name the last counts.
    ///
    /// A member that chassis writes itself is left as it is: `type`, `title`, `status`, `detail`, `code`,
    /// `operation`, `handler`, `policy`, `revision`, `refusal`, `trace_id` and `violations` are no names for others.
    #[must_use]
    pub fn with_extension(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<serde_json::Value>) -> Self {
        let name = name.into();
        if !RESERVED.contains(&&*name) {
            self.0.extensions.push((name, value.into()));
        }
        self
    }

    /// Runs something with the length of the problem document, once that is written; not if nobody waits for it any more.
    pub(crate) fn on_document(&mut self, run: impl FnOnce(u64) + Send + Sync + 'static) {
        self.0.measures.push(Box::new(run));
    }

    /// The problem document was written.
    pub(crate) fn written(self, length: u64) {
        self.0.measures.into_iter().for_each(|run| run(length));
    }

    /// What kind of failure it is.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The status of the HTTP reply.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// What callers read.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// What only the logs read.
    pub fn cause(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        self.0.internal.as_deref()
    }

    /// The values that were wrong.
    pub fn violations(&self) -> &[Violation] {
        &self.0.violations
    }

    /// When it makes sense to call again.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The header fields the reply must carry, `Retry-After` among them.
    pub(crate) fn headers(&self) -> HeaderMap {
        let mut headers = self.0.headers.clone();
        if let Some(delay) = self.0.retry_after {
            let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        headers
    }

    /// Whether this fault brings a header field of this name along.
    pub(crate) fn says(&self, name: &HeaderName) -> bool {
        self.0.headers.contains_key(name)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code.as_str(), self.0.detail)?;
        match &self.0.internal {
            Some(cause) => write!(f, ": {cause}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fault")
            .field("code", &self.0.code)
            .field("detail", &self.0.detail)
            .field("handler", &self.handler())
            .field("cause", &self.0.internal)
            .finish_non_exhaustive()
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.internal.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }
}

/// Lets a Fault be the rejection of an axum extractor. The chain takes it out again and writes the
/// problem document, so that operation and trace id are in it.
impl IntoResponse for Fault {
    fn into_response(self) -> axum::response::Response {
        let mut response = self.status().into_response();
        *response.headers_mut() = self.headers();
        response.extensions_mut().insert(Carried(std::sync::Arc::new(std::sync::Mutex::new(Some(self)))));
        response
    }
}

/// A Fault on its way through a type that only knows responses.
#[derive(Clone)]
struct Carried(std::sync::Arc<std::sync::Mutex<Option<Fault>>>);

impl Fault {
    /// Takes the fault out of a response made from one.
    pub(crate) fn from_response(response: &mut axum::response::Response) -> Option<Self> {
        let carried = response.extensions_mut().remove::<Carried>()?;
        carried.0.lock().ok()?.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_but_the_chain_says_that_a_caller_left() {
        let fault = Fault::new(Code::from_status(Code::Cancelled.status()), "It was stopped.");
        assert_eq!((fault.code(), fault.status()), (Code::Unavailable, StatusCode::SERVICE_UNAVAILABLE));
        assert_eq!(Fault::cancelled().code(), Code::Cancelled);
    }
}
