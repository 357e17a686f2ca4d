//! Limits that Redis counts, for all instances together; while it is away each instance counts its part.

use std::sync::Arc;

use super::gcra::Decision;
use super::limit::{Chosen, Limit};
use super::name::{Keys, Naming};
use super::policy::{Conf, Fields, Named, OnOutage};
use super::refusal::{Standing, Telling};
use super::{RateLimit, tell};
use crate::conf::{BuildContext, BuildError};
use crate::fault::{Code, Fault};
use crate::handler::{Handler, Verdict};
use crate::invocation::Invocation;
use crate::principal::Principal;
use crate::redis::{Client, Script};

#[cfg(test)]
#[cfg(feature = "redis")]
mod tests;

/// Limits that Redis counts.
pub(super) struct Shared {
    limits: Box<[Counted]>,
    client: Client,
    script: Script,
    fields: Fields,
    telling: Telling,
    on_outage: OnOutage,
    /// What counts while Redis is away.
    alone: RateLimit,
}

/// A limit, and what its keys are called.
struct Counted {
    limit: Limit,
    keys: Keys<Stable>,
    /// What its keys begin with.
    prefix: String,
}

/// Makes names that hold in all instances, and do not tell whose they are.
struct Stable(Client);

/// What Redis is asked about one call.
struct Question {
    keys: Vec<String>,
    arguments: Vec<Vec<u8>>,
}

/// What it said.
struct Judged {
    passes: bool,
    /// The time that is used up of each policy, in nanoseconds.
    used: Vec<u64>,
}

impl Shared {
    /// # Errors
    /// What is wrong with a value, with its key.
    pub(super) fn build(policies: &[Named<'_>], conf: &Conf, context: &BuildContext<'_>) -> Result<Self, BuildError> {
        let client = context.process.redis.client("store", context)?;
        // No pattern of operations is a dash.
        let scope = context.scope.unwrap_or("-");
        let build = |named: &Named<'_>| {
            let limit = named.at(Limit::counted_elsewhere(named.name, &named.policy, context))?;
            let keys = Keys::new(&named.policy.key, conf, Stable(client.clone()));
            Ok(Counted { limit, keys, prefix: client.key(&format!("rate-limit:{scope}:{}:", named.name)) })
        };
        let parts: Vec<_> = policies.iter().map(|named| named.part(conf.replicas)).collect();
        Ok(Self {
            limits: policies.iter().map(build).collect::<Result<_, _>>()?,
            script: Script::new(include_str!("shared/judge.lua")),
            fields: conf.fields,
            telling: Telling::new(conf, context),
            on_outage: conf.on_outage,
            alone: RateLimit::counting(&parts, conf, context)?,
            client,
        })
    }

    /// Asks about a call that a policy limits.
    pub(super) fn before(shared: &Arc<Self>, invocation: &mut Invocation) -> Verdict {
        let Some(Question { keys, arguments }) = shared.question(invocation) else { return Verdict::Continue };
        if shared.client.is_away() {
            return shared.without(invocation);
        }
        let (asking, deciding) = (Arc::clone(shared), Arc::clone(shared));
        let answer = async move { asking.client.ask(&asking.script, &keys, &arguments).await };
        let decide = move |invocation: &mut Invocation, answer: Result<Vec<Vec<u8>>, _>| match answer
            .ok()
            .and_then(|answer| Judged::read(&answer))
        {
            Some(judged) => deciding.decide(&judged, invocation),
            None => deciding.alone(invocation),
        };
        Verdict::wait(answer, decide).because("Redis counts it for all instances, and is not asked here")
    }

    /// What there is to ask; nothing where no policy limits the call.
    fn question(&self, invocation: &Invocation) -> Option<Question> {
        let mut question = Question { keys: Vec::new(), arguments: Vec::new() };
        for counted in &self.limits {
            let Some(chosen) = counted.limit.choose(invocation) else { continue };
            let (asked, most) = chosen.quota.gcra.terms(chosen.cost);
            question.keys.push(counted.key(&chosen, invocation));
            question.arguments.extend([asked, most].map(|time| time.to_string().into_bytes()));
        }
        Some(question).filter(|question| !question.keys.is_empty())
    }

    /// Does what Redis says.
    fn decide(&self, judged: &Judged, invocation: &mut Invocation) -> Verdict {
        if judged.passes && self.fields != Fields::Always {
            return Verdict::Continue;
        }
        let chosen = self.limits.iter().filter_map(|counted| counted.limit.choose(invocation));
        let standing = |(chosen, used): (_, &u64)| Standing { decision: judged.of(&chosen, *used), chosen };
        let standings: Vec<_> = chosen.zip(&judged.used).map(standing).collect();
        if judged.passes { tell(&standings, invocation) } else { self.telling.refuse(&standings) }
    }

    /// Does without Redis, which is not asked now.
    fn without(&self, invocation: &mut Invocation) -> Verdict {
        self.client.away();
        self.alone(invocation)
    }

    #[cold]
    fn alone(&self, invocation: &mut Invocation) -> Verdict {
        match self.on_outage {
            OnOutage::Local => self.alone.before(invocation),
            OnOutage::Deny => Verdict::Refuse(
                Fault::new(Code::Unavailable, "Calls cannot be counted now. Call again when `Retry-After` has passed.")
                    .with_retry_after(self.client.retry())
                    .with_remedy("It passes when Redis answers again, or with `on-outage: local`."),
            ),
        }
    }
}

impl Counted {
    fn key(&self, chosen: &Chosen<'_>, invocation: &Invocation) -> String {
        let name = match self.limit.is_shared(chosen.quota) {
            true => self.keys.name(invocation),
            false => {
                let subject = invocation.call.principal.as_ref().map_or("", Principal::subject);
                self.keys.naming().text("caller", [subject.as_bytes()])
            }
        };
        format!("{}{name}", self.prefix)
    }
}

impl Naming for Stable {
    type Name = String;

    fn text<const N: usize>(&self, kind: &str, parts: [&[u8]; N]) -> String {
        let parts: Vec<_> = [kind.as_bytes()].into_iter().chain(parts).collect();
        self.0.digest(&parts)
    }

    fn address(&self, bits: u128) -> String {
        self.text("address", [&bits.to_be_bytes()])
    }

    fn together(&self, parts: impl Iterator<Item = String>) -> String {
        let parts: Vec<_> = parts.collect();
        let parts: Vec<_> = parts.iter().map(String::as_bytes).collect();
        self.0.digest(&parts)
    }
}

impl Judged {
    /// `None` if this is no judgement.
    fn read(answer: &[Vec<u8>]) -> Option<Self> {
        let (passes, used) = answer.split_first()?;
        let number = |text: &Vec<u8>| std::str::from_utf8(text).ok()?.parse().ok();
        Some(Self { passes: passes == b"1", used: used.iter().map(number).collect::<Option<_>>()? })
    }

    /// How a policy stands to the call. Of a refused one, those that would let it pass have counted nothing.
    fn of(&self, chosen: &Chosen<'_>, used: u64) -> Decision {
        let outlook = Some(chosen.outlook(used, 0)).filter(|outlook| !self.passes && !outlook.allowed);
        outlook.unwrap_or_else(|| chosen.standing_at(used, 0))
    }
}
