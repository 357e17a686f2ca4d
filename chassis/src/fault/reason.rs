//! Why a call was refused, for operators: by which policy, with which figures, and what would have to change.

use std::sync::Arc;

use serde_json::Value;

use super::Fault;
use crate::operation::Text;

/// What operators can ask about a refusal. Callers read no more of it than the policy and what leads to the rest.
#[derive(Debug, Default)]
pub(super) struct Reason {
    pub(super) policy: Option<Text>,
    pub(super) evidence: Vec<(Text, Value)>,
    pub(super) remedy: Option<Text>,
    pub(super) receipt: Option<Receipt>,
}

/// What leads from the answer of a caller to what operators can see.
#[derive(Clone, Debug)]
pub(crate) struct Receipt {
    /// What the refusal is kept under; `None` if it was not kept.
    pub(crate) id: Option<String>,
    /// The configuration that decided.
    pub(crate) revision: Arc<str>,
}

impl Fault {
    /// Names the policy of the handler that decided, where it has several. Callers read it.
    #[must_use]
    pub fn with_policy(mut self, policy: impl Into<Text>) -> Self {
        self.reason_mut().policy = Some(policy.into());
        self
    }

    /// Records a figure that decided, such as what was left of a quota: operators see it, callers do not.
    #[must_use]
    pub fn with_evidence(mut self, name: impl Into<Text>, value: impl Into<Value>) -> Self {
        self.reason_mut().evidence.push((name.into(), value.into()));
        self
    }

    /// Says what would have to change for the call to pass: operators see it, callers do not.
    #[must_use]
    pub fn with_remedy(mut self, remedy: impl Into<Text>) -> Self {
        self.reason_mut().remedy = Some(remedy.into());
        self
    }

    /// The policy that decided.
    pub fn policy(&self) -> Option<&str> {
        self.reason()?.policy.as_deref()
    }

    /// The figures that decided.
    pub fn evidence(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.reason().into_iter().flat_map(|reason| &reason.evidence).map(|(name, value)| (name.as_ref(), value))
    }

    /// What would have to change for the call to pass.
    pub fn remedy(&self) -> Option<&str> {
        self.reason()?.remedy.as_deref()
    }

    pub(crate) fn set_receipt(&mut self, receipt: Receipt) {
        self.reason_mut().receipt = Some(receipt);
    }

    pub(super) fn receipt(&self) -> Option<&Receipt> {
        self.reason()?.receipt.as_ref()
    }

    fn reason(&self) -> Option<&Reason> {
        self.0.reason.as_deref()
    }

    fn reason_mut(&mut self) -> &mut Reason {
        self.0.reason.get_or_insert_default()
    }
}
