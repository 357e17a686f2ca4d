//! What a caller whose quota is used up is told, and what operators are.

use std::time::Duration;

use serde_json::Value;

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
        let others = refusing().filter(|one| longest.is_some_and(|longest| !std::ptr::eq(*one, longest)));
        let others: Vec<_> = others.map(named).collect();
        let fault = if others.is_empty() { fault } else { fault.with_evidence("others", others) };
        if self.fields { fields::tell(all, fault, Fault::with_header) } else { fault }
    }
}

/// What operators are told.
fn with_reason(fault: Fault, standing: &Standing<'_>) -> Fault {
    let Standing { chosen, decision } = standing;
    let fault = fault.with_policy(chosen.limit.name.clone()).with_remedy(remedy(chosen, decision));
    figures(standing).into_iter().fold(fault, |fault, (name, value)| fault.with_evidence(name, value))
}

/// The figures of a policy. The key itself is none of them: it may say who the caller is.
fn figures(Standing { chosen, decision }: &Standing<'_>) -> [(&'static str, Value); 5] {
    let quota = chosen.quota;
    [
        ("remaining", decision.remaining.into()),
        ("limit", quota.rate.to_string().into()),
        ("burst", quota.gcra.burst().into()),
        ("cost", chosen.cost.into()),
        ("key", quota.by.clone().into()),
    ]
}

/// The figures of a policy that does not name the refusal, with its name.
fn named(standing: &Standing<'_>) -> Value {
    let policy = ("policy", Value::from(standing.chosen.limit.name.clone()));
    let all = [policy].into_iter().chain(figures(standing));
    Value::Object(all.map(|(name, value)| (name.to_owned(), value)).collect())
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
