//! `limit-body`: how large the body of a call may be.
//!
//! A body whose `Content-Length` is too large is refused with 413 (RFC 9110 §15.5.14) before a byte of it is read.
//! A body that does not say its length is refused by the argument that reads it, as soon as it has read too much.

#![expect(unsafe_code, reason = "the entry of a handler stands in a section of the linker")]

use http::HeaderMap;
use http::header::CONTENT_LENGTH;

use crate::conf::{BuildContext, BuildError, Configure, Size};
use crate::fault::{Code, Fault};
use crate::handler::{Handler, Verdict};
use crate::invocation::Invocation;
use crate::{conf, handler};

/// How large the body of a call may be.
#[conf]
pub struct Conf {
    /// The largest body, such as `64KiB` or `10MB`. A smaller limit that the listener or another handler set stays.
    #[conf(default = Size(1 << 20))]
    pub max: Size,
}

/// Limits how large the body of a call may be. One that says it is larger is refused with 413 before any of it is read.
#[handler("limit-body")]
pub struct LimitBody {
    max: u64,
}

impl Configure for LimitBody {
    type Conf = Conf;

    fn build(conf: Conf, _: &BuildContext<'_>) -> Result<Self, BuildError> {
        Ok(Self { max: conf.max.0 })
    }
}

impl Handler for LimitBody {
    fn before(&self, invocation: &mut Invocation) -> Verdict {
        invocation.call.limit_body(self.max, "limit-body");
        let limit = invocation.call.body_limit;
        match length(invocation.headers()) {
            Some(length) if length > limit => Verdict::Refuse(self.too_large(length, limit)),
            _ => Verdict::Continue,
        }
    }
}

impl LimitBody {
    #[cold]
    fn too_large(&self, length: u64, limit: u64) -> Fault {
        let remedy = match self.max == limit {
            true => "It passes with a smaller body, or with a higher `max` of `limit-body`.",
            false => "It passes with a smaller body, or with a higher limit of the listener or of a handler before.",
        };
        Fault::new(Code::ContentTooLarge, format!("The body has {length} bytes; at most {limit} are read."))
            .with_evidence("length", length)
            .with_evidence("limit", limit)
            .with_remedy(remedy)
    }
}

/// The length of the body, if it is said. The protocol refused those that are no number or say two.
fn length(headers: &HeaderMap) -> Option<u64> {
    let value = headers.get(CONTENT_LENGTH)?.to_str().ok()?.trim();
    let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    // A number that does not fit is too large for any limit.
    is_number.then(|| value.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::Request;

    use super::*;
    use crate::conf::typed;
    use crate::invocation::fixture;

    fn call(length: Option<&str>) -> Invocation {
        let mut request = Request::post("/");
        if let Some(length) = length {
            request = request.header(CONTENT_LENGTH, length);
        }
        fixture::call(request.body(Body::empty()).unwrap())
    }

    fn refused(max: u64, call: &mut Invocation) -> Option<Code> {
        match (LimitBody { max }).before(call) {
            Verdict::Refuse(fault) => Some(fault.code()),
            _ => None,
        }
    }

    #[test]
    fn a_body_that_says_it_is_too_large_is_refused_unread() {
        assert_eq!(refused(10, &mut call(Some("11"))), Some(Code::ContentTooLarge));
        assert_eq!(refused(10, &mut call(Some("99999999999999999999999"))), Some(Code::ContentTooLarge));
        assert_eq!(refused(10, &mut call(Some("10"))), None);
        assert_eq!(refused(10, &mut call(None)), None);
        assert_eq!(refused(0, &mut call(Some("0"))), None);
    }

    #[test]
    fn the_smallest_of_all_limits_counts() {
        let mut call = call(Some("15"));
        assert_eq!((refused(20, &mut call), call.call.body_limit), (None, 20));
        assert_eq!((refused(30, &mut call), call.call.body_limit), (None, 20));
        assert_eq!((refused(10, &mut call), call.call.body_limit), (Some(Code::ContentTooLarge), 10));
        assert_eq!((refused(30, &mut call), call.call.body_limit), (Some(Code::ContentTooLarge), 10));
    }

    #[test]
    fn the_limit_is_one_mebibyte_unless_said() {
        assert_eq!(typed::<Conf>(serde_json::json!({})).unwrap().max, Size(1_048_576));
        assert_eq!(typed::<Conf>(serde_json::json!({ "max": "64KiB" })).unwrap().max, Size(65_536));
    }
}
