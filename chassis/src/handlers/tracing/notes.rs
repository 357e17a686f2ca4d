//! What callers send that stands in spans and log lines because configuration says so.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName};

use crate::conf::BuildError;
use crate::invocation::{Invocation, Network, Proxies};
use crate::outbox::shortened;
use crate::trace::{BAGGAGE, Baggage};

/// The longest correlation id that is taken from a caller, in bytes.
const LONGEST: usize = 128;

/// What is noted of what callers send.
pub(super) struct Notes {
    correlation: Option<HeaderName>,
    baggage: Vec<String>,
    proxies: Proxies,
}

impl Notes {
    pub(super) fn build(
        correlation: Option<&str>,
        baggage: Vec<String>,
        proxies: Vec<Network>,
    ) -> Result<Self, BuildError> {
        let name = |text: &str| {
            text.parse().map_err(|_| {
                BuildError::new("correlation-header", format!("`{text}` is not a header name"))
                    .with_help("a header name has letters, digits and hyphens, such as `operationID`")
            })
        };
        Ok(Self { correlation: correlation.map(name).transpose()?, baggage, proxies: Proxies(proxies) })
    }

    /// The address a call comes from, as far as proxies are trusted to say it.
    pub(super) fn client(&self, invocation: &Invocation) -> Option<IpAddr> {
        self.proxies.client(&invocation.call.peer, invocation.headers())
    }

    /// The id by which the caller finds the call again, if it sent one that is sane.
    pub(super) fn correlation<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        let mut values = headers.get_all(self.correlation.as_ref()?).iter();
        let value = values.next().filter(|_| values.next().is_none())?;
        value.to_str().ok().filter(|id| is_sane(id))
    }

    /// The members of the baggage that may be written, as they were sent: no character in them needs to be escaped.
    pub(super) fn baggage(&self, headers: &HeaderMap) -> Option<String> {
        if self.baggage.is_empty() || !headers.contains_key(BAGGAGE) {
            return None;
        }
        Some(shortened(Baggage::parse(headers)?.only(&self.baggage)?.as_str()).to_owned())
    }
}

/// Whether an id can stand in logs, commands and fields as it is.
fn is_sane(id: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:+/=@".contains(&byte);
    (1..=LONGEST).contains(&id.len()) && id.bytes().all(is_plain)
}
