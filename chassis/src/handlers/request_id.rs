//! `request-id`: gives every call an id that its caller, the logs and other services share.
//!
//! The id the caller sent is taken if it is sane, otherwise one is made (UUID version 7, RFC 9562 §5.7). The operation
//! sees it in the request's header field and as the local value [`RequestId`]; every reply carries it, refusals and
//! failures too; the span of the call has it as `request_id`, which is why this handler stands behind
//! `tracing` where a chain has both.

#![expect(unsafe_code, reason = "the entry of a handler stands in a section of the linker")]

use std::time::{Duration, SystemTime};

use http::{HeaderName, HeaderValue};

use crate::clock::Clock;
use crate::conf::{BuildContext, BuildError, Configure};
use crate::handler::{Handler, Verdict};
use crate::invocation::{Invocation, RequestId};
use crate::random::Random;
use crate::reply::Reply;
use crate::{conf, handler};

/// The longest id that is taken from a caller, in bytes.
const LONGEST: usize = 128;

/// Where the id of a call comes from and goes to.
#[conf]
pub struct Conf {
    /// The header field that carries the id, on requests and replies.
    #[conf(default = "X-Request-Id")]
    pub header: String,
    /// Takes the id a caller sent, if it has 1 to 128 letters, digits or characters of `-._~:+/=@`. Set it to `false`
    /// where callers should not choose what stands in the logs.
    #[conf(default = true)]
    pub trust: bool,
}

/// Gives every call an id that its caller, the logs and other services share: the one the caller sent, or a new one.
/// Every reply carries it.
#[handler("request-id", after("tracing"))]
pub struct RequestIds {
    header: HeaderName,
    trust: bool,
    clock: Clock,
    random: Random,
}

impl Configure for RequestIds {
    type Conf = Conf;

    fn build(conf: Conf, context: &BuildContext<'_>) -> Result<Self, BuildError> {
        let header = conf.header.parse().map_err(|_| {
            BuildError::new("header", format!("`{}` is not a header name", conf.header))
                .with_help("a header name has letters, digits and hyphens, such as `X-Request-Id`")
        })?;
        Ok(Self { header, trust: conf.trust, clock: context.clock, random: context.random.clone() })
    }
}

impl Handler for RequestIds {
    fn before(&self, invocation: &mut Invocation) -> Verdict {
        if !invocation.call.may_act() {
            return Verdict::Continue;
        }
        let id = match self.sent(invocation) {
            Some(id) => id,
            None => {
                let id = generate(self.clock, &self.random);
                // What the operation reads and passes on is what the logs say.
                invocation.parts.headers.insert(&self.header, id.value().clone());
                id
            }
        };
        invocation.call.span.record("request_id", id.as_str());
        invocation.call.locals.set(id);
        Verdict::Continue
    }

    fn after(&self, invocation: &Invocation, reply: &mut Reply) {
        if let Some(id) = invocation.call.locals.get::<RequestId>() {
            reply.headers_mut().insert(&self.header, id.value().clone());
        }
    }
}

impl RequestIds {
    /// The id the caller sent, if it is to be believed, is the only one and is sane.
    fn sent(&self, invocation: &Invocation) -> Option<RequestId> {
        if !self.trust {
            return None;
        }
        let mut values = invocation.headers().get_all(&self.header).iter();
        let value = values.next().filter(|_| values.next().is_none())?;
        is_sane(value.as_bytes()).then(|| RequestId::new(value.clone()))
    }
}

/// A new one (RFC 9562 §5.7): the wall time in milliseconds, then random bits.
fn generate(clock: Clock, random: &Random) -> RequestId {
    let millis = clock.wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_millis();
    let mut bytes = [0; 10];
    bytes[..8].copy_from_slice(&random.next_u64().to_ne_bytes());
    bytes[8..].copy_from_slice(&random.next_u64().to_ne_bytes()[..2]);
    let id = uuid::Builder::from_unix_timestamp_millis(u64::try_from(millis).unwrap_or(u64::MAX), &bytes);
    let mut text = uuid::Uuid::encode_buffer();
    let text = id.as_uuid().hyphenated().encode_lower(&mut text);
    RequestId::new(HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("")))
}

/// Whether an id can stand in logs, commands and fields as it is.
fn is_sane(id: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~:+/=@".contains(byte);
    (1..=LONGEST).contains(&id.len()) && id.iter().all(is_plain)
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use axum::body::Body;
    use http::Request;

    use super::*;
    use crate::fault::{Code, Fault};
    use crate::invocation::fixture;

    fn ids(trust: bool) -> RequestIds {
        let header = HeaderName::from_static("x-request-id");
        RequestIds { header, trust, clock: Clock::system(), random: Random::seeded(1) }
    }

    fn call(sent: &[&str]) -> Invocation {
        let request = sent.iter().fold(Request::get("/"), |request, id| request.header("X-Request-Id", *id));
        fixture::call(request.body(Body::empty()).unwrap())
    }

    fn given(ids: &RequestIds, call: &mut Invocation) -> String {
        assert!(matches!(ids.before(call), Verdict::Continue));
        let id = call.call.locals.get::<RequestId>().unwrap().to_string();
        assert_eq!(call.headers().get_all("x-request-id").iter().count(), 1);
        assert_eq!(call.headers()["x-request-id"], id.as_str());
        id
    }

    #[test]
    fn a_sane_id_is_taken_as_it_is() {
        let longest = "a".repeat(LONGEST);
        for id in ["a", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "Root=1-67891233-abc/x+y==", "a.b_c~d:e@f", &longest] {
            assert_eq!(given(&ids(true), &mut call(&[id])), id);
        }
    }

    #[test]
    fn what_is_not_sane_is_replaced() {
        let too_long = "a".repeat(LONGEST + 1);
        for sent in
            [&[""][..], &["a b"], &["a\"b"], &["<script>"], &["a,b"], &["\u{e9}"], &[&too_long], &["a", "b"], &[]]
        {
            let id = given(&ids(true), &mut call(sent));
            assert_eq!(uuid::Uuid::parse_str(&id).map(|id| id.get_version_num()), Ok(7), "{sent:?}");
        }
    }

    #[test]
    fn callers_that_are_not_trusted_do_not_choose() {
        assert_ne!(given(&ids(false), &mut call(&["mine"])), "mine");
    }

    #[tokio::test(start_paused = true)]
    async fn ids_that_are_made_differ_and_sort_by_time() {
        let mut ids = ids(true);
        ids.clock = Clock::anchored(UNIX_EPOCH + Duration::from_millis(0x0123_4567_89ab));
        let first = given(&ids, &mut call(&[]));
        assert!(first.starts_with("01234567-89ab-7"), "{first}");
        assert_ne!(given(&ids, &mut call(&[])), first);
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(given(&ids, &mut call(&[])) > first);
    }

    #[test]
    fn every_reply_carries_the_id_refusals_too() {
        for mut reply in [Reply::new("ok"), Reply::from(Fault::new(Code::NotFound, "Nothing is there."))] {
            let (ids, mut call) = (ids(true), call(&["a1"]));
            given(&ids, &mut call);
            ids.after(&call, &mut reply);
            assert_eq!(reply.headers()["x-request-id"], "a1");
        }
    }
}
