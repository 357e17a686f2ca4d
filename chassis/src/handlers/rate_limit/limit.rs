//! One policy as it was built: whose quota a call counts against, where, and how much.

use std::collections::HashMap;

use super::bucket::{Buckets, Cell, PerKey, Place};
use super::fields::Advice;
use super::gcra::{Decision, Gcra};
use super::key::{By, Key};
use super::metric;
use super::name::{Keys, Seeds};
use super::policy::{Caller, Conf, Policy};
use super::table::Table;
use crate::condition::Condition;
use crate::conf::root::Pattern;
use crate::conf::{BuildContext, BuildError, Rate};
use crate::invocation::Invocation;
use crate::metrics::Counter;

/// One policy.
pub(super) struct Limit {
    pub(super) name: String,
    pub(super) refused: Counter,
    /// What everybody without a limit of their own counts against; `None` lets them pass.
    shared: Option<Shared>,
    /// `None` where every call costs one, and nobody is different.
    terms: Option<Box<Terms>>,
}

struct Shared {
    quota: Quota,
    buckets: Buckets,
}

/// How much may come.
pub(super) struct Quota {
    pub(super) gcra: Gcra,
    pub(super) advice: Advice,
    pub(super) rate: Rate,
    /// What tells its buckets apart, for operators.
    pub(super) by: String,
}

/// What makes some calls different.
struct Terms {
    when: Option<Condition>,
    cost: u64,
    /// The most specific first.
    costs: Vec<(Pattern, u64)>,
    callers: HashMap<String, Own>,
}

/// The limit of one caller.
struct Own {
    /// By which it must have proved who it is; any where there is none.
    scheme: Option<String>,
    quota: Quota,
    cell: Cell,
}

/// What one call counts against.
pub(super) struct Chosen<'a> {
    pub(super) limit: &'a Limit,
    pub(super) quota: &'a Quota,
    pub(super) place: Place<'a>,
    pub(super) cost: u64,
}

impl Limit {
    /// A policy that counts here.
    ///
    /// # Errors
    /// What is wrong with a value, with its key in the policy.
    pub(super) fn new(
        name: &str,
        policy: &Policy,
        conf: &Conf,
        context: &BuildContext<'_>,
    ) -> Result<Self, BuildError> {
        Self::with_buckets(name, policy, context, || buckets(name, &policy.key, conf, context))
    }

    /// A policy that somebody else counts for: what it has to count with is never used.
    ///
    /// # Errors
    /// As of [`new`](Self::new).
    pub(super) fn counted_elsewhere(
        name: &str,
        policy: &Policy,
        context: &BuildContext<'_>,
    ) -> Result<Self, BuildError> {
        Self::with_buckets(name, policy, context, || Buckets::One(Box::default()))
    }

    fn with_buckets(
        name: &str,
        policy: &Policy,
        context: &BuildContext<'_>,
        buckets: impl FnOnce() -> Buckets,
    ) -> Result<Self, BuildError> {
        let shared = policy.rate.map(|rate| {
            let by = policy.key.to_string();
            let quota = Quota::new(name, (rate, policy.burst), by, policy)?;
            Ok(Shared { quota, buckets: buckets() })
        });
        Ok(Self {
            name: name.to_owned(),
            refused: metric::refused(&context.process.metrics, name),
            shared: shared.transpose()?,
            terms: Terms::new(name, policy)?.map(Box::new),
        })
    }

    /// What this call counts against, if anything.
    #[inline]
    pub(super) fn choose(&self, invocation: &Invocation) -> Option<Chosen<'_>> {
        match &self.terms {
            None => self.share(invocation, 1),
            Some(terms) => self.choose_by(terms, invocation),
        }
    }

    fn choose_by<'a>(&'a self, terms: &'a Terms, invocation: &Invocation) -> Option<Chosen<'a>> {
        if terms.when.as_ref().is_some_and(|when| !when.holds(invocation)) {
            return None;
        }
        let cost = Some(terms.cost(invocation)).filter(|cost| *cost > 0)?;
        match terms.caller(invocation) {
            Some(Own { quota, cell, .. }) => Some(Chosen { limit: self, quota, place: Place::Cell(cell), cost }),
            None => self.share(invocation, cost),
        }
    }

    #[inline]
    fn share(&self, invocation: &Invocation, cost: u64) -> Option<Chosen<'_>> {
        let Shared { quota, buckets } = self.shared.as_ref()?;
        Some(Chosen { limit: self, quota, place: buckets.place(invocation), cost })
    }

    /// Whether this is the quota of everybody without a limit of their own.
    pub(super) fn is_shared(&self, quota: &Quota) -> bool {
        self.shared.as_ref().is_some_and(|shared| std::ptr::eq(&shared.quota, quota))
    }

    /// The most bytes of memory it can ever hold.
    pub(super) fn memory_bound(&self) -> usize {
        let callers = self.terms.as_ref().map_or(0, |terms| terms.callers.len());
        let shared = self.shared.as_ref().map_or(0, |shared| shared.buckets.memory_bound());
        size_of::<Self>() + shared + callers * size_of::<(String, Own)>()
    }
}

impl Quota {
    fn new(name: &str, (rate, burst): (Rate, Option<u64>), by: String, policy: &Policy) -> Result<Self, BuildError> {
        let gcra = Gcra::new(rate, burst)?;
        let (at, dearest) = policy.dearest();
        if rate.count > 0 && dearest > gcra.burst() {
            let message = format!("a call that costs {dearest} never passes: no more than {} go at once", gcra.burst());
            return Err(BuildError::new(at, message).with_help(format!("set a `burst` of at least {dearest}")));
        }
        Ok(Self { gcra, advice: Advice::new(name, rate)?, rate, by })
    }
}

impl Terms {
    /// `None` if nothing is different for anybody.
    fn new(name: &str, policy: &Policy) -> Result<Option<Self>, BuildError> {
        let when = policy.when.as_ref().map(|when| when.build().map_err(|error| error.below("when"))).transpose()?;
        let of_caller = |(subject, caller): (&String, &Caller)| {
            let quota = Quota::new(name, (caller.rate, caller.burst), "caller".to_owned(), policy);
            let quota = quota.map_err(|error| {
                // What calls cost is said for all callers, and suits the others.
                let at = if error.at.starts_with("cost") { "burst".to_owned() } else { error.at };
                BuildError { at, ..error }.below(&format!("callers.{subject}"))
            })?;
            Ok((subject.clone(), Own { scheme: caller.scheme.clone(), quota, cell: Cell::default() }))
        };
        let callers = policy.callers.iter().map(of_caller).collect::<Result<HashMap<_, _>, _>>()?;
        let terms = Self { when, cost: policy.cost, costs: policy.costs()?, callers };
        let plain = terms.when.is_none() && terms.cost == 1 && terms.costs.is_empty() && terms.callers.is_empty();
        Ok((!plain).then_some(terms))
    }

    fn cost(&self, invocation: &Invocation) -> u64 {
        if self.costs.is_empty() {
            return self.cost;
        }
        let id = invocation.operation().map(|operation| operation.id.as_str());
        let said = id.and_then(|id| self.costs.iter().find(|(pattern, _)| pattern.matches(id)));
        said.map_or(self.cost, |(_, cost)| *cost)
    }

    fn caller(&self, invocation: &Invocation) -> Option<&Own> {
        if self.callers.is_empty() {
            return None;
        }
        let identity = invocation.call.principal.as_ref()?.identity();
        let own = self.callers.get(&identity.subject)?;
        own.scheme.as_ref().is_none_or(|scheme| *scheme == identity.scheme).then_some(own)
    }
}

impl Chosen<'_> {
    /// How it stands, if nothing more is counted.
    pub(super) fn standing(&self, now: u64) -> Decision {
        self.standing_at(self.place.peek(), now)
    }

    /// The same where the TAT is known.
    pub(super) fn standing_at(&self, tat: u64, now: u64) -> Decision {
        self.quota.gcra.check(tat, now, 0)
    }

    /// What would become of the call.
    pub(super) fn outlook(&self, tat: u64, now: u64) -> Decision {
        self.quota.gcra.check(tat, now, self.cost)
    }
}

fn buckets(name: &str, by: &By, conf: &Conf, context: &BuildContext<'_>) -> Buckets {
    if by.contains(&Key::Global) {
        return Buckets::One(Box::default());
    }
    let max = usize::try_from(conf.max_keys).unwrap_or(usize::MAX);
    let keys = Keys::new(by, conf, Seeds::new());
    let table = Table::new(max, metric::overflowed(&context.process.metrics, name));
    Buckets::Many(Box::new(PerKey { keys, table }))
}
