//! How a fault reads to its caller: `application/problem+json` (RFC 9457).

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Fault, Violation};

impl Fault {
    /// The problem document (RFC 9457) of this fault.
    pub(crate) fn problem<'a>(&'a self, operation: Option<&'a str>, trace_id: Option<String>) -> Problem<'a> {
        Problem {
            kind: self.0.kind.as_deref().unwrap_or("about:blank"),
            title: self.title(),
            status: self.status().as_u16(),
            detail: &self.0.detail,
            code: self.0.code.as_str(),
            operation,
            handler: self.handler(),
            policy: self.policy().or(self.handler()),
            revision: self.receipt().map(|receipt| &*receipt.revision),
            refusal: self.receipt().and_then(|receipt| receipt.id.as_deref()),
            trace_id,
            violations: &self.0.violations,
            extensions: self.0.extensions.iter().map(|(name, value)| (name.as_ref(), value)).collect(),
        }
    }

    /// The phrase of its status (RFC 9457 §4.2.1); that of its code where HTTP knows none.
    pub(crate) fn title(&self) -> &'static str {
        let (code, status) = (self.0.code, self.0.status);
        if code.status() == status { code.title() } else { status.canonical_reason().unwrap_or(code.title()) }
    }
}

/// The names of the members that chassis fills.
pub(super) const RESERVED: [&str; 12] = [
    "type",
    "title",
    "status",
    "detail",
    "code",
    "operation",
    "handler",
    "policy",
    "revision",
    "refusal",
    "trace_id",
    "violations",
];

/// The members of `application/problem+json` (RFC 9457 §3) as chassis fills them.
#[derive(Serialize)]
pub(crate) struct Problem<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    handler: Option<&'a str>,
    /// The policy of the handler that decided; the handler itself where it has one for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'a str>,
    /// The configuration that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<&'a str>,
    /// What operators find the refusal under.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    #[serde(skip_serializing_if = "<[Violation]>::is_empty")]
    violations: &'a [Violation],
    #[serde(flatten)]
    extensions: BTreeMap<&'a str, &'a serde_json::Value>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Code, Receipt};

    #[test]
    fn members_that_chassis_writes_are_not_written_twice() {
        let violation = Violation { place: "body", pointer: String::new(), detail: "It is wrong.".to_owned() };
        let mut full =
            Fault::new(Code::Conflict, "It is taken.").by("gate").with_violations([violation]).with_policy("p");
        full.set_receipt(Receipt { id: Some("7".to_owned()), revision: "r1".into() });
        let names = |fault: &Fault| {
            let text = serde_json::to_string(&fault.problem(Some("a.b"), Some("1".to_owned()))).unwrap();
            let problem: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
            (problem.keys().cloned().collect::<Vec<_>>(), text)
        };
        let (own, text) = names(&full);
        assert_eq!(own.len(), RESERVED.len());
        let extended = own.iter().fold(full, |fault, name| fault.with_extension(name.clone(), "another"));
        assert_eq!(names(&extended).1, text);
        let extended = extended.with_extension("holder", "ada").with_extension("holder", "bob");
        assert_eq!(names(&extended).1.matches("holder").count(), 1);
    }
}
