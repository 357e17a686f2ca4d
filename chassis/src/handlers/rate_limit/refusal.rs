//! What a caller whose quota is used up is told, and what operators are.

use std::time::Duration;

use super::fields;
use super::gcra::Decision;
use super::limit::Chosen;
use super::policy::{Conf, Fields};
use crate::conf::BuildContext;
use crate::fault::{Code, Fault};
use crate::handler::Verdict;
use crate::random::Random;

const QUOTA_EXCEEDED: &str = "https://iana.org/assignments/http-problem-types#quota-exceeded";

/// How one policy stands to a call.
pub(super) struct Standing<'a> {
    pub(super) chosen: Chosen<'a>,
    pub(super) decision: Decision,
}

/// How callers are told.
pub(super) struct Telling {
    pub(super) fields: bool,
    pub(super) jitter: Duration,
    pub(super) random: Random,
}

impl Telling {
    pub(super) fn new(conf: &Conf, context: &BuildContext<'_>) -> Self {
        let (fields, random) = (conf.fields != Fields::Never, context.random.clone());
        Self { fields, jitter: conf.retry_jitter.0, random }
    }

    /// Refuses a call, and counts that by policy.
    #[cold]
    pub(super) fn refuse(&self, all: &[Standing<'_>]) -> Verdict {
        all.iter().filter(|one| !one.decision.allowed).for_each(|one| one.chosen.limit.refused.increment());
        Verdict::Refuse(self.refusal(all))
    }

    /// The refusal by those of the policies that do not allow the call: at least one of them. The one that refuses
    /// longest names it.
    pub(super) fn refusal(&self, all: &[Standing<'_>]) -> Fault {
        let refusing = || all.iter().filter(|standing| !standing.decision.allowed);
        // One that never lets the call pass refuses longest of all.
        let longest = refusing().max_by_key(|one| one.decision.retry_after.unwrap_or(Duration::MAX));
        let fault = match longest.and_then(|one| one.decision.retry_after) {
            Some(wait) => {
                let jitter = self.jitter.mul_f64(self.random.next_f64());
                Fault::new(Code::TooManyRequests, "The quota is used up. Call again when `Retry-After` has passed.")
                    .with_retry_after(wait.saturating_add(jitter))
            }
            None => Fault::new(Code::TooManyRequests, "The quota is zero: no call passes, however long it waits."),
        };
        let names: Vec<_> = refusing().map(|one| one.chosen.limit.name.as_str()).collect();
        let fault = fault.with_type(QUOTA_EXCEEDED).with_extension("violated-policies", names);
        let fault = longest.into_iter().fold(fault, with_reason);
        if self.fields { fields::tell(all, fault, Fault::with_header) } else { fault }
    }
}

/// What operators are told. The key itself is not: it may say who the caller is.
fn with_reason(fault: Fault, Standing { chosen, decision }: &Standing<'_>) -> Fault {
    let quota = chosen.quota;
    fault
        .with_policy(chosen.limit.name.clone())
        .with_evidence("remaining", decision.remaining)
        .with_evidence("limit", quota.rate.to_string())
        .with_evidence("burst", quota.gcra.burst())
        .with_evidence("cost", chosen.cost)
        .with_evidence("key", quota.by.clone())
        .with_remedy(remedy(chosen, decision))
}

fn remedy(chosen: &Chosen<'_>, decision: &Decision) -> String {
    let name = &chosen.limit.name;
    match decision.retry_after {
        Some(wait) => format!(
            "It passes after {} s, or with a higher `rate` or `burst` of policy `{name}`.",
            fields::whole_seconds(wait)
        ),
        None => format!("It passes when the `rate` of policy `{name}` is above 0."),
    }
}
