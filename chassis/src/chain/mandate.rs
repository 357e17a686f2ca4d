//! Whether a handler that wraps the rest of a chain may act on a call.

use super::Terms;
use crate::fault::Fault;
use crate::invocation::Invocation;

/// Whether a handler that wraps the rest of a chain may act on a call, or decides only: then what it would have done is
/// counted, and the rest of the chain answers as if the handler were not there.
#[must_use = "whoever asks whether it may act heeds the answer"]
pub struct Mandate<'a> {
    acts: bool,
    /// What configuration says, and the name of the handler.
    step: Option<(&'a Terms, &'a str)>,
    is_settled: bool,
}

impl<'a> Mandate<'a> {
    /// By these terms of the handler of this name; without limit where there are none.
    pub(super) fn draw(step: Option<(&'a Terms, &'a str)>) -> Self {
        Self { acts: step.is_none_or(|(terms, _)| terms.draw()), step, is_settled: false }
    }
}

impl Mandate<'_> {
    /// Whether it may act.
    pub fn acts(&self) -> bool {
        self.acts
    }

    /// Counts, once, that the handler settles the call itself, with a Fault if it refuses it, and says whether it does.
    /// Where it does not, it runs the rest of the chain.
    pub fn settles(&mut self, fault: Option<&Fault>, invocation: &Invocation) -> bool {
        if let Some((terms, handler)) = self.step
            && !std::mem::replace(&mut self.is_settled, true)
        {
            terms.settle(self.acts, fault, invocation, handler);
        }
        self.acts
    }
}
