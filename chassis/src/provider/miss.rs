//! The answers to calls that match no operation. They end the chain for unmatched calls, so that they are traced,
//! counted and limited like all others.

use std::borrow::Cow;
use std::future::ready;

use axum::body::Body;
use http::header::{ALLOW, HeaderValue};
use http::{Method, Response, StatusCode};

use crate::chain::Chain;
use crate::clock::Clock;
use crate::fault::{Code, Fault};
use crate::invocation::{Invocation, Undecodable, decode};
use crate::reply::Reply;
use crate::route::{Allow, Found};
use crate::schema::{BoxFuture, Endpoint};

/// Why no operation was matched.
pub(super) enum Miss {
    NotFound,
    /// The path is none: a broken escape, a NUL, or no UTF-8.
    Malformed,
    MethodNotAllowed(HeaderValue),
    /// The method is not one of HTTP's own, nor of any operation.
    Unrecognised(HeaderValue),
    /// The protocol does not allow it to be a call.
    Refused(Code, Cow<'static, str>),
    /// The methods of the path, where they are known.
    Options(Option<HeaderValue>),
    /// A preflight that nothing has answered so far.
    Unanswered(Box<Behind>),
}

/// What a call passes that is not answered where it was expected to be.
pub(super) struct Behind {
    pub(super) rest: Chain,
    miss: Miss,
    clock: Clock,
}

impl From<Found<'_>> for Miss {
    fn from(found: Found<'_>) -> Self {
        match found {
            Found::Options { allow } => Self::Options(Some(allow_field(allow.to_string()))),
            Found::MethodNotAllowed { allow } => Self::MethodNotAllowed(allow_field(allow.to_string())),
            Found::Malformed => Self::Malformed,
            Found::Route { .. } | Found::NotFound => Self::NotFound,
        }
    }
}

/// Methods are tokens, so the list of them is always a valid field value.
fn allow_field(methods: String) -> HeaderValue {
    HeaderValue::try_from(methods).unwrap_or(HeaderValue::from_static(""))
}

impl Miss {
    /// A method that nothing here is called by.
    pub(super) fn unrecognised(allow: &Allow<'_>) -> Self {
        Self::Unrecognised(allow_field(allow.to_string()))
    }

    /// What a preflight is answered that no handler answers, also where an operation for any method takes `OPTIONS`;
    /// behind `rest`, if one was expected to.
    pub(super) fn of_preflight(self, rest: Option<(Chain, Clock)>) -> Self {
        let miss = if let Self::Options(_) = self { self } else { Self::Options(None) };
        match rest {
            Some((rest, clock)) => Self::Unanswered(Box::new(Behind { rest, miss, clock })),
            None => miss,
        }
    }

    pub(super) fn reply(&self, invocation: &Invocation) -> Reply {
        match self {
            Self::NotFound => Fault::new(Code::NotFound, "Nothing answers at this path.").into(),
            Self::Malformed => Fault::new(Code::InvalidArgument, flaw(invocation.path())).into(),
            Self::MethodNotAllowed(allow) => {
                let detail = format!(
                    "{} is not among the methods of this path: the Allow field lists them.",
                    shortened(invocation.method())
                );
                Fault::new(Code::MethodNotAllowed, detail).with_header(ALLOW, allow.clone()).into()
            }
            Self::Unrecognised(allow) => {
                let detail = "The method is not known here: the Allow field lists those of this path.";
                Fault::new(Code::Unimplemented, detail).with_header(ALLOW, allow.clone()).into()
            }
            Self::Refused(code, detail) => Fault::new(*code, detail.clone()).into(),
            Self::Options(allow) => {
                let mut response = Response::new(Body::empty());
                *response.status_mut() = StatusCode::NO_CONTENT;
                response.headers_mut().extend(allow.clone().map(|allow| (ALLOW, allow)));
                Reply::from(response)
            }
            Self::Unanswered(behind) => behind.miss.reply(invocation),
        }
    }
}

impl Behind {
    /// Runs the rest as it is run for calls that match nothing. Those before it see again what was asked about, however
    /// it ends.
    async fn answer(&self, invocation: &mut Invocation) -> Reply {
        let target = invocation.call.lead(None);
        let led = Astray { invocation, target };
        self.rest.run(&self.miss, led.invocation, self.clock).await
    }
}

/// A call that leads nowhere for a while.
struct Astray<'i> {
    invocation: &'i mut Invocation,
    target: Option<u32>,
}

impl Drop for Astray<'_> {
    fn drop(&mut self) {
        self.invocation.call.lead(self.target);
    }
}

/// Whether a path spells UTF-8 once it is percent-decoded (RFC 3986 §2.5).
pub(super) fn is_text(path: &str) -> bool {
    !path.contains('%') || decode(path).is_ok()
}

/// How much of a method is sent back; a method is ASCII.
const LONGEST_METHOD: usize = 32;

/// The method, or how it begins: a method may be as long as the head of the request.
fn shortened(method: &Method) -> Cow<'_, str> {
    match method.as_str().get(..LONGEST_METHOD) {
        Some(beginning) if beginning.len() < method.as_str().len() => format!("{beginning}…").into(),
        _ => method.as_str().into(),
    }
}

/// What is wrong with a path that cannot be matched.
fn flaw(path: &str) -> &'static str {
    match decode(path) {
        Err(Undecodable::Escape) => "The path has a `%` that two hexadecimal digits do not follow.",
        Err(Undecodable::Utf8) => "The path is not UTF-8 once it is percent-decoded.",
        Ok(_) => "The path has a NUL, which no path may have, escaped as `%00` or not.",
    }
}

impl Endpoint for Miss {
    fn call<'a>(&'a self, invocation: &'a mut Invocation) -> BoxFuture<'a, Reply> {
        match self {
            Self::Unanswered(behind) => Box::pin(behind.answer(invocation)),
            miss => Box::pin(ready(miss.reply(invocation))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_method_is_not_sent_back_whole() {
        let shown = |method: &str| shortened(&method.parse().unwrap()).into_owned();
        assert_eq!(shown("PUT"), "PUT");
        assert_eq!(shown(&"A".repeat(32)), "A".repeat(32));
        assert_eq!(shown(&"A".repeat(5_000)), format!("{}…", "A".repeat(32)));
    }
}
