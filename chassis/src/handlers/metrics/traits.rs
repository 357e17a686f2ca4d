//! What tells the calls of one operation apart in metrics: few values of each, whatever callers make up.

use http::Version;

use crate::fault::Code;
use crate::invocation::Invocation;
use crate::invocation::convention::{METHODS, SCHEMES, VERSIONS, method, name_at, scheme, version};
use crate::metrics::Labels;
use crate::operation::Operation;
use crate::reply::Reply;

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
        let (method, scheme) = (method(invocation.method()) as u8, scheme(invocation) as u8);
        Self { method, scheme, version: invocation.parts.version, status: 0, error: None }
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
            let method = name_at(usize::from(self.method), Some(operation));
            labels.insert("http.request.method", method.to_owned().into());
            labels.insert("http.route", operation.template.clone().into());
            labels.insert("operation", operation.id.clone().into());
        }
        if let Some(version) = VERSIONS[version(self.version)] {
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
