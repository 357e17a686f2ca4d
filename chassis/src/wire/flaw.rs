//! Why a request is no call: what is wrong with it, and how its peer is told.

use std::borrow::Cow;

use axum::body::Body;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};

use super::check::Head;
use crate::fault::{Code, Fault};

/// Why a request is no call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flaw {
    /// What kind of failure that is.
    pub(crate) code: Code,
    /// What peers read.
    pub(crate) detail: Cow<'static, str>,
}

/// The media type of problem documents (RFC 9457 §6.1).
const PROBLEM: &str = "application/problem+json";

impl Flaw {
    pub(super) const fn new(code: Code, detail: &'static str) -> Self {
        Self { code, detail: Cow::Borrowed(detail) }
    }

    /// What is longer than the listener takes: the target.
    pub(super) fn target(most: Head) -> Self {
        let detail = format!("The target of the request is too long: at most {} bytes are taken.", most.target_bytes);
        Self { code: Code::UriTooLong, detail: detail.into() }
    }

    /// What is more than the listener takes: header fields, by number or by size.
    pub(super) fn headers(Head { headers, bytes, .. }: Head) -> Self {
        let detail = format!(
            "The header fields are too many or too large: at most {headers} are taken, and at most {bytes} bytes with \
             the request line."
        );
        Self { code: Code::HeaderFieldsTooLarge, detail: detail.into() }
    }

    /// What is malformed: 400.
    pub(super) const fn malformed(detail: &'static str) -> Self {
        Self::new(Code::InvalidArgument, detail)
    }

    /// The answer of a site that has no chain.
    pub(crate) fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.document()));
        *response.status_mut() = self.code.status();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM));
        response
    }

    /// The head and the body of the last reply of an HTTP/1.1 connection.
    pub(super) fn last_words(self) -> Vec<u8> {
        let (status, document) = (self.code.status(), self.document());
        let reason = StatusCode::canonical_reason(&status).unwrap_or_default();
        let fields = format!("content-type: {PROBLEM}\r\nconnection: close\r\ncontent-length: {}", document.len());
        [format!("HTTP/1.1 {} {reason}\r\n{fields}\r\n\r\n", status.as_u16()).as_bytes(), &document].concat()
    }

    /// The last reply of a connection whose peer sent no request, instead of the one without a body that hyper makes
    /// of it; `None` if these bytes are no such reply.
    pub(super) fn last_words_instead(of: &[u8], most: Head) -> Option<(Self, Vec<u8>)> {
        const NO_BODY: &str = "content-length: 0\r\n";
        let head = str::from_utf8(of).ok()?.strip_suffix("\r\n\r\n")?;
        let flaw = Self::of_status(head.strip_prefix("HTTP/1.")?.get(2..5)?, most)?;
        let (before, after) = of.split_at(head.find(NO_BODY)?);
        let document = flaw.document();
        let fields = format!("content-type: {PROBLEM}\r\ncontent-length: {}\r\n", document.len());
        Some((flaw, [before, fields.as_bytes(), &after[NO_BODY.len()..], &document].concat()))
    }

    /// What hyper found, which says no more than the status.
    fn of_status(status: &str, most: Head) -> Option<Self> {
        match status {
            "400" => Some(Self::malformed("The request line or a header field is malformed (RFC 9112 §3, §5).")),
            "414" => Some(Self::target(most)),
            "431" => Some(Self::headers(most)),
            _ => None,
        }
    }

    fn document(&self) -> Vec<u8> {
        let fault = Fault::new(self.code, self.detail.clone());
        // Serialising strings and numbers into memory cannot fail; an empty body is still the right status.
        serde_json::to_vec(&fault.problem(None, None)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Limits;

    fn most() -> Head {
        Limits::default().head()
    }

    #[test]
    fn a_reply_of_hypers_own_gets_a_body_and_keeps_its_fields() {
        let bare = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\ndate: x\r\n\r\n";
        let (flaw, words) = Flaw::last_words_instead(bare, most()).unwrap();
        assert_eq!(flaw.code, Code::HeaderFieldsTooLarge);
        let words = String::from_utf8(words).unwrap();
        let (head, document) = words.split_once("\r\n\r\n").unwrap();
        let expected = format!(
            "HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-type: {PROBLEM}\r\n\
             content-length: {}\r\ndate: x",
            document.len()
        );
        assert_eq!(head, expected);
        assert!(document.contains(r#""code":"header-fields-too-large""#), "{document}");
        assert!(document.contains("at most 100 are taken, and at most 65536 bytes"), "{document}");
    }

    #[test]
    fn what_is_no_such_reply_stays_as_it_is() {
        for bytes in [
            "",
            "HTTP/1.1 ",
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 1\r\n\r\nx",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 10\r\n\r\n",
            "PING",
        ] {
            assert_eq!(Flaw::last_words_instead(bytes.as_bytes(), most()).map(|(flaw, _)| flaw), None, "{bytes}");
        }
    }
}
