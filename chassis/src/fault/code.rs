//! The one table of failure codes: their stable names, HTTP statuses and titles.

use http::StatusCode;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $status:literal, $title:literal;)*) => {
        /// What kind of failure a [`Fault`](super::Fault) is. The names are stable: programs may match on them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])* $variant,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The machine-readable name, as in the problem document's `code`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The title: the status phrase, in words.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            const fn number(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }
        }
    };
}

codes! {
    /// The request is malformed or a value in it has the wrong form: 400.
    InvalidArgument = "invalid-argument", 400, "Bad Request";
    /// The caller did not prove who it is: 401.
    Unauthenticated = "unauthenticated", 401, "Unauthorized";
    /// The caller is known and may not do this: 403.
    PermissionDenied = "permission-denied", 403, "Forbidden";
    /// Nothing is there: 404.
    NotFound = "not-found", 404, "Not Found";
    /// The path exists, the method does not: 405.
    MethodNotAllowed = "method-not-allowed", 405, "Method Not Allowed";
    /// Nothing the caller accepts can be produced: 406.
    NotAcceptable = "not-acceptable", 406, "Not Acceptable";
    /// The caller was too slow to send its request: 408.
    RequestTimeout = "request-timeout", 408, "Request Timeout";
    /// The state of what is addressed forbids it: 409.
    Conflict = "conflict", 409, "Conflict";
    /// What was there is gone for good: 410.
    Gone = "gone", 410, "Gone";
    /// A precondition of the request does not hold: 412.
    PreconditionFailed = "precondition-failed", 412, "Precondition Failed";
    /// The body is larger than allowed: 413.
    ContentTooLarge = "content-too-large", 413, "Content Too Large";
    /// The target is longer than allowed: 414.
    UriTooLong = "uri-too-long", 414, "URI Too Long";
    /// The body has a media type that is not understood: 415.
    UnsupportedMediaType = "unsupported-media-type", 415, "Unsupported Media Type";
    /// The body is well-formed and says something that is not allowed: 422.
    UnprocessableContent = "unprocessable-content", 422, "Unprocessable Content";
    /// The caller used up its quota: 429 (RFC 6585 §4).
    TooManyRequests = "too-many-requests", 429, "Too Many Requests";
    /// The header fields are larger than allowed: 431 (RFC 6585 §5).
    HeaderFieldsTooLarge = "header-fields-too-large", 431, "Request Header Fields Too Large";
    /// The caller went away before the answer; never sent, only seen by handlers and logs: 499. Only the chain says so
    /// of a call: a Fault that anybody else makes with it is [`Unavailable`](Self::Unavailable), because somebody waits
    /// for it, and 499 is no status of HTTP.
    Cancelled = "cancelled", 499, "Client Closed Request";
    /// The service failed: 500.
    Internal = "internal", 500, "Internal Server Error";
    /// The method is not known here at all: 501.
    Unimplemented = "unimplemented", 501, "Not Implemented";
    /// Another service this one needs answered wrongly: 502.
    BadGateway = "bad-gateway", 502, "Bad Gateway";
    /// The service cannot take this call now: 503.
    Unavailable = "unavailable", 503, "Service Unavailable";
    /// The deadline of the call passed before it was answered: 504.
    DeadlineExceeded = "deadline-exceeded", 504, "Gateway Timeout";
}

impl Code {
    /// The status of the HTTP reply.
    pub fn status(self) -> StatusCode {
        StatusCode::from_u16(self.number()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The code that says best what a status says; statuses without their own fall back to the first of their class.
    pub fn from_status(status: StatusCode) -> Self {
        let class = if status.is_client_error() { Self::InvalidArgument } else { Self::Internal };
        Self::ALL.iter().copied().find(|code| code.number() == status.as_u16()).unwrap_or(class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_own_name_and_its_own_status() {
        for (at, code) in Code::ALL.iter().enumerate() {
            for other in &Code::ALL[at + 1..] {
                assert_ne!(code.as_str(), other.as_str());
                assert_ne!(code.status(), other.status());
            }
            assert_eq!(Code::from_status(code.status()), *code);
        }
    }
}
