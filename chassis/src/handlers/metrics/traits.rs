//! What tells the calls of one operation apart in metrics: few values of each, whatever callers make up.

use http::{Method, Version};

use crate::fault::Code;
use crate::invocation::Invocation;
use crate::metrics::Labels;
use crate::operation::Operation;
use crate::reply::Reply;

/// The methods that are told apart; the last stands for all that anybody may invent.
const METHODS: [&str; 11] =
    ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY", "_OTHER"];

/// The schemes that are told apart: `https` comes from a proxy that speaks it for us.
const SCHEMES: [&str; 2] = ["http", "https"];

/// How many pairs of a method and a scheme there are.
pub(super) const PAIRS: usize = METHODS.len() * SCHEMES.len();

/// The traits of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Traits {
    method: u8,
    scheme: u8,
    version: Version,
    /// 0 where no status was sent: the caller was gone.
    status: u16,
    error: Option<Failure>,
}

/// What a failure of this service is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    /// By the code of its fault.
    Fault(Code),
    /// By its status, where an operation answered with one and no fault.
    Status,
}

impl Traits {
    /// Those that are known when the call arrives.
    pub(super) fn of(invocation: &Invocation) -> Self {
        let scheme = u8::from(invocation.uri().scheme_str() == Some("https"));
        let version = invocation.parts.version;
        Self { method: number(invocation.method()), scheme, version, status: 0, error: None }
    }

    /// Those of a call that is answered. Only failures of this service are errors: neither what the caller did wrong nor
    /// that it went away is.
    pub(super) fn answered(invocation: &Invocation, reply: &Reply) -> Self {
        let traits = Self::of(invocation);
        if reply.is_cancelled() {
            return traits;
        }
        let status = reply.status();
        let failure = || reply.fault().map_or(Failure::Status, |fault| Failure::Fault(fault.code()));
        Self { status: status.as_u16(), error: status.is_server_error().then(failure), ..traits }
    }

    /// The same where the body failed on the way, after the status was sent.
    pub(super) fn broken(self) -> Self {
        Self { error: Some(Failure::Fault(Code::Internal)), ..self }
    }

    /// Which of the pairs of a method and a scheme it is.
    pub(super) fn pair(self) -> usize {
        usize::from(self.method) * SCHEMES.len() + usize::from(self.scheme)
    }

    /// A number that differs where traits differ, as far as tables need.
    pub(super) fn number(self) -> u64 {
        u64::from(self.status) << 8 | u64::from(self.method) << 2 | u64::from(self.scheme)
    }

    /// The labels of the pair.
    pub(super) fn pair_labels(self) -> Labels {
        Labels::from([
            ("http.request.method", METHODS[usize::from(self.method)].into()),
            ("url.scheme", SCHEMES[usize::from(self.scheme)].into()),
        ])
    }

    /// All labels. The path never takes the place of a template that is not known.
    pub(super) fn labels(self, operation: Option<&Operation>) -> Labels {
        let mut labels = self.pair_labels();
        if let Some(operation) = operation {
            labels.insert("http.route", operation.template.clone().into());
            labels.insert("operation", operation.id.clone().into());
        }
        if let Some(version) = spelled(self.version) {
            labels.insert("network.protocol.version", version.into());
        }
        if self.status != 0 {
            labels.insert("http.response.status_code", self.status.to_string().into());
        }
        match self.error {
            Some(Failure::Fault(code)) => labels.insert("error.type", code.as_str().into()),
            Some(Failure::Status) => labels.insert("error.type", self.status.to_string().into()),
            None => None,
        };
        labels
    }
}

fn number(method: &Method) -> u8 {
    let other = METHODS.len() - 1;
    let known = METHODS[..other].iter().position(|known| *known == method.as_str());
    known.unwrap_or(other) as u8
}

fn spelled(version: Version) -> Option<&'static str> {
    Some(match version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_11 => "1.1",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _ => return None,
    })
}
