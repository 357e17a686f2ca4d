//! The id of a call, which its caller, the logs and other services share.

use std::fmt;

use http::HeaderValue;

/// The id of a call: a local value, where the handler `request-id` gave it one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// This id, which is ASCII.
    pub(crate) fn new(id: HeaderValue) -> Self {
        Self(id)
    }

    /// The id as it is sent.
    pub(crate) fn value(&self) -> &HeaderValue {
        &self.0
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        // An id is made of ASCII characters, or it would not have been taken.
        self.0.to_str().unwrap_or_default()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
