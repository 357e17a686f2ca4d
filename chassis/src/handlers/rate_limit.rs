//! `rate-limit`: how often calls may come, counted per caller, in memory.
//!
//! The algorithm is GCRA ([`Gcra`]): `rate` calls in the long run, at most `burst` at once, and a refused call costs
//! its caller nothing. Memory is bounded: [`RateLimit::memory_bound`] bytes, about 30 a key. When more callers come
//! at the same time than `max-keys`, the further ones share a few buckets, so that a flood of made-up callers is
//! refused sooner, never let through.
//!
//! A refusal is 429 (RFC 6585 §4) with `Retry-After`, the problem type `quota-exceeded` and the fields `RateLimit` and
//! `RateLimit-Policy`. Where the rate is 0 nothing says when to come back, because no time would help.

#![expect(unsafe_code, reason = "the entry of a handler stands in a section of the linker")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::conf::{BuildContext, BuildError, Configure, Rate, Requirement};
use crate::fault::{Code, Fault};
use crate::handler;
use crate::handler::{Handler, Verdict, fact};
use crate::invocation::Invocation;
use crate::random::Random;
use crate::reply::Reply;

mod bucket;
mod fields;
mod gcra;
mod key;
mod policy;
mod table;

pub use gcra::{Decision, Gcra};
pub use key::Key;
pub use policy::{Conf, Fields};

use bucket::Buckets;
use fields::Advice;

const QUOTA_EXCEEDED: &str = "https://iana.org/assignments/http-problem-types#quota-exceeded";

/// Limits how often calls may come, counted per caller, in memory. Further calls are refused with 429 and are told when
/// to come back.
#[handler("rate-limit")]
pub struct RateLimit {
    /// `None` lets every call pass.
    limit: Option<Limit>,
}

struct Limit {
    gcra: Gcra,
    buckets: Buckets,
    advice: Advice,
    fields: Fields,
    policy: String,
    retry_jitter: Duration,
    random: Random,
    shadow: bool,
    refused: AtomicU64,
}

/// What a limiter did since it was built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls that were refused, or would have been if the limit were not a shadow.
    pub refused: u64,
    /// Calls that were judged by a bucket they share with other keys, because there were more than `max-keys`.
    pub overflowed: u64,
}

/// What is left for the caller of a call that passed, for the fields of its reply.
struct Left(Decision);

impl Configure for RateLimit {
    type Conf = Conf;

    fn build(conf: Conf, context: &BuildContext<'_>) -> Result<Self, BuildError> {
        conf.check()?;
        let limit = conf.rate.map(|rate| Limit::new(&conf, rate, context)).transpose()?;
        Ok(Self { limit })
    }

    fn requires(conf: &Conf) -> Vec<Requirement> {
        // Before anybody knows the caller every call would count by its address, and nobody would notice.
        let by_principal = conf.rate.is_some() && conf.key == Key::Principal;
        by_principal.then_some(Requirement { fact: fact::PRINCIPAL, key: "key" }).into_iter().collect()
    }
}

impl Handler for RateLimit {
    fn before(&self, invocation: &mut Invocation) -> Verdict {
        match &self.limit {
            Some(limit) => limit.judge(invocation),
            None => Verdict::Continue,
        }
    }

    fn after(&self, invocation: &Invocation, reply: &mut Reply) {
        let Some(limit) = self.limit.as_ref().filter(|limit| limit.fields == Fields::Always) else { return };
        let Some(Left(decision)) = invocation.call.locals.get() else { return };
        // The draft asks to leave redirections alone: whoever follows one would take its figures for the target's.
        if !reply.status().is_redirection() {
            limit.advice.add(decision, reply.headers_mut());
        }
    }
}

impl RateLimit {
    /// What would become of this call, without counting it; `None` when nothing limits it.
    pub fn peek(&self, invocation: &Invocation) -> Option<Decision> {
        let limit = self.limit.as_ref()?;
        let now = limit.buckets.since(invocation.call.arrived);
        Some(limit.gcra.check(limit.buckets.peek(invocation), now, 1))
    }

    /// What it did since it was built.
    pub fn counts(&self) -> Counts {
        self.limit.as_ref().map_or_else(Counts::default, |limit| Counts {
            refused: limit.refused.load(Ordering::Relaxed),
            overflowed: limit.buckets.overflowed(),
        })
    }

    /// The most memory its buckets can ever take, in bytes.
    pub fn memory_bound(&self) -> usize {
        self.limit.as_ref().map_or(0, |limit| limit.buckets.memory_bound())
    }
}

impl Limit {
    fn new(conf: &Conf, rate: Rate, context: &BuildContext<'_>) -> Result<Self, BuildError> {
        Ok(Self {
            gcra: Gcra::new(rate, conf.burst)?,
            buckets: Buckets::new(conf, context.clock.now()),
            advice: Advice::new(&conf.policy, rate)?,
            fields: conf.fields,
            policy: conf.policy.clone(),
            retry_jitter: conf.retry_jitter.0,
            random: context.random.clone(),
            shadow: conf.shadow,
            refused: AtomicU64::new(0),
        })
    }

    fn judge(&self, invocation: &mut Invocation) -> Verdict {
        let now = self.buckets.since(invocation.call.arrived);
        let conforming = |tat| self.gcra.conforms(tat, now, 1).then(|| self.gcra.commit(tat, now, 1));
        let update = self.buckets.update(invocation, now, conforming);
        if update.changed && self.fields != Fields::Always {
            return Verdict::Continue;
        }
        let decision = self.gcra.check(update.before, now, 1);
        if !update.changed {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return if self.shadow { Verdict::Continue } else { Verdict::Refuse(self.refusal(&decision)) };
        }
        invocation.call.locals.set(Left(decision));
        Verdict::Continue
    }

    fn refusal(&self, decision: &Decision) -> Fault {
        let fault = match decision.retry_after {
            Some(wait) => {
                let jitter = self.retry_jitter.mul_f64(self.random.next_f64());
                Fault::new(Code::TooManyRequests, "The quota is used up. Call again when `Retry-After` has passed.")
                    .with_retry_after(wait.saturating_add(jitter))
            }
            None => Fault::new(Code::TooManyRequests, "The quota is zero: no call passes, however long it waits."),
        };
        let fault = fault.with_type(QUOTA_EXCEEDED).with_extension("violated-policies", vec![self.policy.clone()]);
        if self.fields == Fields::Never {
            return fault;
        }
        fault
            .with_header(fields::POLICY.clone(), self.advice.policy())
            .with_header(fields::LIMIT.clone(), self.advice.limit(decision))
    }
}

#[cfg(test)]
mod tests;
