//! `rate-limit`: how often calls may come, counted per caller or by what else YAML names, in memory
//! or, for all instances together, in Redis ([`Store`]).
//!
//! The algorithm is GCRA ([`Gcra`]): `rate` calls in the long run, at most `burst` at once, and a refused call costs
//! its caller nothing. That holds of several policies too: a call is judged by all of them while nobody else can change
//! what it counts against, and only then is it counted, by all or by none. Memory is bounded:
//! [`RateLimit::memory_bound`] bytes, about 30 a key. When more callers come at the same time than `max-keys`, the
//! further ones share a few buckets, so that a flood of made-up callers is refused sooner, never let through.
//!
//! A refusal is 429 (RFC 6585 §4) with `Retry-After`, the problem type `quota-exceeded` and the fields `RateLimit` and
//! `RateLimit-Policy`. Where the rate is 0 nothing says when to come back, because no time would help.

#![expect(unsafe_code, reason = "the entry of a handler stands in a section of the linker")]

use std::sync::Arc;

use http::{HeaderName, HeaderValue};

use crate::clock::{Instant, nanos};
use crate::condition::When;
use crate::conf::{BuildContext, BuildError, Configure, Requirement};
use crate::handler;
use crate::handler::{Handler, Verdict, fact};
use crate::invocation::Invocation;
use crate::memory::Reserved;
use crate::operation::Operation;
use crate::reply::Reply;

mod bucket;
mod fields;
mod gcra;
mod key;
mod limit;
mod metric;
mod name;
mod policy;
mod refusal;
mod scheme;
mod several;
mod shared;
mod table;

pub use gcra::{Decision, Gcra};
pub use key::{By, Key};
pub use policy::{Caller, Conf, Fields, OnOutage, Policy, Store};

use limit::{Chosen, Limit};
use policy::Named;
use refusal::{Standing, Telling};
use shared::Shared;

/// Limits how often calls may come, counted per caller. Further calls are refused with 429 and are told when
/// to come back.
#[handler("rate-limit")]
pub struct RateLimit {
    /// None lets every call pass, or leaves it to `shared`.
    limits: Box<[Limit]>,
    /// What is counted in Redis.
    shared: Option<Arc<Shared>>,
    /// What TATs are counted from.
    epoch: Instant,
    fields: Fields,
    telling: Telling,
    _reserved: Option<Reserved>,
}

/// The fields of the reply to a call that passed.
struct Told(Vec<(HeaderName, HeaderValue)>);

impl Configure for RateLimit {
    type Conf = Conf;

    fn build(conf: Conf, context: &BuildContext<'_>) -> Result<Self, BuildError> {
        let policies = conf.checked()?;
        for named in &policies {
            scheme::strangers(&named.policy).for_each(|error| context.warnings.warn_at(error.below(&named.key)));
        }
        match conf.store {
            Store::Redis if !policies.is_empty() => {
                let shared = Some(Arc::new(Shared::build(&policies, &conf, context)?));
                Ok(Self { shared, ..Self::new(Box::default(), &conf, context) })
            }
            _ => Self::counting(&policies, &conf, context),
        }
    }

    fn conditions(conf: &Conf) -> Vec<(String, &When)> {
        let policies = conf.policies.iter();
        policies.filter_map(|(name, policy)| Some((format!("policies.{name}.when"), policy.when.as_ref()?))).collect()
    }

    fn requires(conf: &Conf) -> Vec<Requirement> {
        // Before anybody knows the caller every call would count by its address, and before any has a mark all would
        // count together; and nobody would notice.
        let of = |fact: &'static str| move |key| Requirement { fact, key };
        let callers = conf.knows_callers().into_iter().map(of(fact::PRINCIPAL));
        callers.chain(conf.knows_marks().into_iter().map(of(fact::MARK))).collect()
    }

    fn suits(conf: &Conf, operations: &[&Operation]) -> Result<(), BuildError> {
        let has =
            |name: &str| operations.iter().any(|operation| operation.parameters.iter().any(|known| known == name));
        let missing = conf.params().into_iter().find(|(_, name)| !operations.is_empty() && !has(name));
        let Some((at, name)) = missing else { return Ok(()) };
        Err(BuildError::new(at, format!("no operation that this limits has a path parameter `{name}`"))
            .with_help("name one that stands in the path of an operation, such as `name` in `/greetings/{name}`"))
    }
}

impl Handler for RateLimit {
    fn before(&self, invocation: &mut Invocation) -> Verdict {
        match &*self.limits {
            [] => self.shared.as_ref().map_or(Verdict::Continue, |shared| Shared::before(shared, invocation)),
            [limit] => self.judge(limit, invocation),
            limits => self.judge_all(limits, invocation),
        }
    }

    fn after(&self, invocation: &Invocation, reply: &mut Reply) {
        if self.fields != Fields::Always {
            return;
        }
        let Some(Told(fields)) = invocation.call.locals.get() else { return };
        // The draft asks to leave redirections alone: whoever follows one would take its figures for the target's.
        if !reply.status().is_redirection() {
            for (name, value) in fields {
                reply.headers_mut().append(name, value.clone());
            }
        }
    }
}

impl RateLimit {
    /// These policies, counted here.
    fn counting(policies: &[Named<'_>], conf: &Conf, context: &BuildContext<'_>) -> Result<Self, BuildError> {
        let build = |named: &Named<'_>| named.at(Limit::new(named.name, &named.policy, conf, context));
        let limits = policies.iter().map(build).collect::<Result<Box<[_]>, _>>()?;
        let mut built = Self::new(limits, conf, context);
        let bound = Some(built.memory_bound()).filter(|bound| *bound > 0);
        built._reserved = bound.map(|bound| context.process.memory.reserve("rate-limit", bound));
        Ok(built)
    }

    fn new(limits: Box<[Limit]>, conf: &Conf, context: &BuildContext<'_>) -> Self {
        let (epoch, telling) = (context.clock.now(), Telling::new(conf, context));
        Self { limits, shared: None, epoch, fields: conf.fields, telling, _reserved: None }
    }

    /// What each policy that limits this call, by its name, would do with it. Nothing is counted; nothing is said of
    /// what Redis counts, which is not asked.
    pub fn peek(&self, invocation: &Invocation) -> Vec<(&str, Decision)> {
        let now = self.since(invocation.call.arrived);
        let chosen = self.limits.iter().filter_map(|limit| limit.choose(invocation));
        chosen.map(|chosen| (chosen.limit.name.as_str(), chosen.outlook(chosen.place.peek(), now))).collect()
    }

    /// The most memory its buckets can ever take, in bytes.
    pub fn memory_bound(&self) -> usize {
        self.limits.iter().map(Limit::memory_bound).sum()
    }

    /// The nanoseconds from the start to `instant`; 0 for a call that arrived before it.
    fn since(&self, instant: Instant) -> u64 {
        nanos(instant.saturating_duration_since(self.epoch))
    }

    /// Judges a call by the only policy there is: without a lock.
    fn judge(&self, limit: &Limit, invocation: &mut Invocation) -> Verdict {
        let Some(chosen) = limit.choose(invocation) else { return Verdict::Continue };
        let Chosen { quota, cost, .. } = chosen;
        let now = self.since(invocation.call.arrived);
        let conforming = |tat| quota.gcra.conforms(tat, now, cost).then(|| quota.gcra.commit(tat, now, cost));
        let update = chosen.place.update(now, conforming);
        if update.changed && self.fields != Fields::Always {
            return Verdict::Continue;
        }
        let decision = chosen.outlook(update.before, now);
        let standing = [Standing { chosen, decision }];
        if update.changed { tell(&standing, invocation) } else { self.telling.refuse(&standing) }
    }

    /// Judges a call by several policies: it is counted by all of them or by none.
    fn judge_all(&self, limits: &[Limit], invocation: &mut Invocation) -> Verdict {
        let now = self.since(invocation.call.arrived);
        match several::take(limits, invocation, now, None) {
            Ok(()) if self.fields != Fields::Always => Verdict::Continue,
            Ok(()) => tell(&several::standings(limits, invocation, now, None), invocation),
            Err(refused) => self.telling.refuse(&several::standings(limits, invocation, now, Some(refused))),
        }
    }
}

/// Lets a call pass whose reply says what is left.
fn tell(all: &[Standing<'_>], invocation: &mut Invocation) -> Verdict {
    let told = fields::tell(all, Vec::new(), |mut told, name, value| {
        told.push((name, value));
        told
    });
    invocation.call.locals.set(Told(told));
    Verdict::Continue
}

#[cfg(test)]
mod tests;
