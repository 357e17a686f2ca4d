//! What YAML says about a rate limit.

use std::collections::BTreeMap;

use super::fields;
use super::key::{By, Key};
use crate::condition::When;
use crate::conf;
use crate::conf::{BuildError, Interval, Rate, root::Pattern};
use crate::invocation::Network;

/// How often calls may come.
#[conf]
pub struct Conf {
    /// How many calls each key may make in how long, such as `100/s`. `0/s` refuses every call; without a rate no
    /// call is refused, but by `callers` and `policies`.
    pub rate: Option<Rate>,
    /// How many calls a key may make at once after a pause. Without it, the count of `rate`.
    #[conf(range(1..))]
    pub burst: Option<u64>,
    /// What is counted by: `peer` (the caller's address), `principal` (who it proved to be: start-up
    /// refuses a chain that does not list this handler after one that finds out, such as `auth`; the address for
    /// callers that prove nothing), `global` (all calls together), `operation`, `mark` (what `marker` calls them),
    /// `param:NAME` (a path parameter; the address where the path has none), `header:NAME` (the last of several
    /// fields, which is what a proxy adds; the address where there is none; callers choose what they send, so name one
    /// that a proxy sets). Or a list: with
    /// `[principal, operation]` each caller has a bucket for each operation.
    #[conf(default)]
    pub key: By,
    /// How much of the quota a call uses up: 1 is one call of `rate`, 0 is not counted and never refused.
    #[conf(default = 1)]
    pub cost: u64,
    /// What calls of some operations cost instead: `{ report.*: 10, report.status: 0 }`. The most specific pattern
    /// counts.
    #[conf(default)]
    #[schemars(extend("x-operations" = true))]
    pub costs: BTreeMap<String, u64>,
    /// Callers with a limit of their own, by the subject that they proved: `{ ada: { rate: 5/s } }`. All calls of such
    /// a caller count together, whatever `key` says, and nobody else's with them. Where several schemes of `auth` may
    /// know somebody of that name, say which is meant: `{ billing: { rate: 5/s, scheme: api-key } }`.
    #[conf(default)]
    pub callers: BTreeMap<String, Caller>,
    /// Further limits by name: a call must pass all of them, and one that any of them refuses costs nothing.
    #[conf(default)]
    pub policies: BTreeMap<String, Policy>,
    /// Addresses of proxies that are believed about who they forward for (`X-Forwarded-For`): `10.0.0.0/8`,
    /// `192.0.2.7`, `unix` for Unix sockets. Nobody is by default.
    #[conf(default)]
    pub trusted_proxies: Vec<Network>,
    /// How many leading bits of an IPv4 address tell callers apart, from 0 to 32.
    #[conf(default = 32, range(0..=32))]
    pub ipv4_prefix: u8,
    /// How many leading bits of an IPv6 address tell callers apart, from 0 to 128. One subscriber usually has a
    /// whole /64.
    #[conf(default = 64, range(0..=128))]
    pub ipv6_prefix: u8,
    /// How many keys each policy counts one by one. Further ones share a few buckets until others are used no more. A
    /// key takes 30 bytes.
    #[conf(default = 100_000, range(1..=16_777_216))]
    pub max_keys: u32,
    /// When replies carry `RateLimit` and `RateLimit-Policy`: on `refusals`, `always` (costs a few allocations a
    /// call) or `never`.
    #[conf(default = Fields::Refusals)]
    pub fields: Fields,
    /// The name of the limit that is not under `policies`, in those fields and in refusals.
    #[conf(default = "default")]
    pub policy: String,
    /// Up to how much is added at random to `Retry-After`, so that refused callers do not all come back at once.
    #[conf(default = Interval::secs(1))]
    pub retry_jitter: Interval,
    /// Where calls are counted: in the `memory` of this instance, or in the `redis` that all instances of the service
    /// share (see `redis.url`), so that a limit holds for all of them together.
    #[conf(default = Store::Memory)]
    pub store: Store,
    /// How many instances share a limit that Redis counts: while it is away each takes this part of `rate` and `burst`
    /// for itself.
    #[conf(default = 1, range(1..=65_536))]
    pub replicas: u32,
    /// What happens while Redis is away: calls are counted by each instance for itself, or refused.
    #[conf(default = OnOutage::Local)]
    pub on_outage: OnOutage,
}

/// Where calls are counted.
#[conf]
#[derive(Copy, PartialEq, Eq)]
pub enum Store {
    /// In the memory of this instance.
    Memory,
    /// In Redis, for all instances.
    Redis,
}

/// What happens to calls while Redis is away.
#[conf]
#[derive(Copy, PartialEq, Eq)]
pub enum OnOutage {
    /// This instance counts them, by its part of the limit.
    Local,
    /// They are refused with 503.
    Deny,
}

/// One limit of several.
#[conf]
pub struct Policy {
    /// The calls it is for; all of them if left out. `{ mark: [none] }` is those that have no mark.
    #[schemars(extend("x-narrows" = true))]
    pub when: Option<When>,
    /// How many calls each key may make in how long. `0/s` refuses every call; it may only be left out where `callers`
    /// are limited.
    pub rate: Option<Rate>,
    /// How many calls a key may make at once after a pause. Without it, the count of `rate`.
    #[conf(range(1..))]
    pub burst: Option<u64>,
    /// What is counted by, as without a policy.
    #[conf(default)]
    pub key: By,
    /// How much of the quota a call uses up.
    #[conf(default = 1)]
    pub cost: u64,
    /// What calls of some operations cost instead.
    #[conf(default)]
    #[schemars(extend("x-operations" = true))]
    pub costs: BTreeMap<String, u64>,
    /// Callers with a limit of their own.
    #[conf(default)]
    pub callers: BTreeMap<String, Caller>,
}

/// The limit of one caller.
#[conf]
pub struct Caller {
    /// How many calls it may make in how long.
    pub rate: Rate,
    /// How many calls it may make at once after a pause. Without it, the count of `rate`.
    #[conf(range(1..))]
    pub burst: Option<u64>,
    /// The scheme that it proves itself by, such as `jwt`, `basic`, `api-key` or `mtls`; any if left out. Who proves the
    /// same subject by another is one of the others.
    pub scheme: Option<String>,
}

/// When replies say how much of a quota is left.
#[conf]
#[derive(Copy, Default, PartialEq, Eq)]
pub enum Fields {
    /// When a call is refused.
    #[default]
    Refusals,
    /// On every reply but redirections.
    Always,
    /// Never.
    Never,
}

/// A policy with its name and its key.
pub(super) struct Named<'a> {
    pub(super) name: &'a str,
    pub(super) policy: Policy,
    /// Empty for the one that is not under `policies`.
    pub(super) key: String,
}

impl Named<'_> {
    /// Says of what is wrong with the policy where that is.
    pub(super) fn at<T>(&self, built: Result<T, BuildError>) -> Result<T, BuildError> {
        built.map_err(|error| if self.key.is_empty() { error } else { error.below(&self.key) })
    }

    /// The part of it that one of so many instances has for itself: no call that costs more than that is kept out.
    pub(super) fn part(&self, replicas: u32) -> Self {
        let (_, dearest) = self.policy.dearest();
        let part = |rate: Rate, burst: Option<u64>| {
            let per = rate.per.saturating_mul(replicas);
            let burst = (burst.unwrap_or(rate.count) / u64::from(replicas)).max(dearest).max(1);
            (Rate { per, ..rate }, Some(burst).filter(|_| rate.count > 0))
        };
        let mut policy = self.policy.clone();
        if let Some(rate) = policy.rate {
            let (rate, burst) = part(rate, policy.burst);
            (policy.rate, policy.burst) = (Some(rate), burst);
        }
        for caller in policy.callers.values_mut() {
            (caller.rate, caller.burst) = part(caller.rate, caller.burst);
        }
        Self { name: self.name, policy, key: self.key.clone() }
    }
}

impl Conf {
    /// All its policies with their names and keys, the one that is not under `policies` first, if it limits anything.
    ///
    /// # Errors
    /// What is wrong with a value in a way its type cannot say.
    pub(super) fn checked(&self) -> Result<Vec<Named<'_>>, BuildError> {
        let first = self.first();
        first.check()?;
        fields::string(&self.policy).map_err(|error| error.below("policy"))?;
        let mut all = Vec::new();
        if first.limits() {
            all.push(Named { name: &self.policy, policy: first, key: String::new() });
        }
        for (name, policy) in &self.policies {
            let key = format!("policies.{name}");
            self.check_named(name, policy).map_err(|error| error.below(&key))?;
            all.push(Named { name, policy: policy.clone(), key });
        }
        Ok(all)
    }

    fn check_named(&self, name: &str, policy: &Policy) -> Result<(), BuildError> {
        fields::string(name)?;
        policy.check()?;
        if !policy.limits() {
            return Err(
                BuildError::new("", "this policy limits nothing").with_help("set `rate`, such as `rate: 100/s`")
            );
        }
        if *name == self.policy && self.first().limits() {
            return Err(BuildError::new("", format!("two policies are named `{name}`")).with_help(
                "`policy` names the one that is not under `policies`: choose another name for one of them",
            ));
        }
        Ok(())
    }

    /// What is said at the top.
    fn first(&self) -> Policy {
        Policy {
            when: None,
            rate: self.rate,
            burst: self.burst,
            key: self.key.clone(),
            cost: self.cost,
            costs: self.costs.clone(),
            callers: self.callers.clone(),
        }
    }

    /// Where what is counted depends on who the caller is, the key that says so.
    pub(super) fn knows_callers(&self) -> Vec<&'static str> {
        let first = self.first();
        let by_principal = |policy: &Policy| policy.rate.is_some() && policy.key.contains(&Key::Principal);
        let policies = self.policies.values().any(|policy| by_principal(policy) || !policy.callers.is_empty());
        let keys = [(by_principal(&first), "key"), (!self.callers.is_empty(), "callers"), (policies, "policies")];
        keys.into_iter().filter_map(|(needed, key)| needed.then_some(key)).collect()
    }

    /// Where what is counted depends on what `marker` calls the call, the key that says so.
    pub(super) fn knows_marks(&self) -> Vec<&'static str> {
        let by_mark = |policy: &Policy| policy.rate.is_some() && policy.key.contains(&Key::Mark);
        let keys = [(by_mark(&self.first()), "key"), (self.policies.values().any(by_mark), "policies")];
        keys.into_iter().filter_map(|(needed, key)| needed.then_some(key)).collect()
    }

    /// The path parameters that are counted by, each with the key that says so.
    pub(super) fn params(&self) -> Vec<(String, String)> {
        let named = self.policies.iter().map(|(name, policy)| (format!("policies.{name}.key"), policy.key.clone()));
        let all = [("key".to_owned(), self.key.clone())].into_iter().chain(named);
        all.flat_map(|(at, by)| by.params().map(|name| (at.clone(), name.to_owned())).collect::<Vec<_>>()).collect()
    }
}

impl Policy {
    fn limits(&self) -> bool {
        self.rate.is_some() || !self.callers.is_empty()
    }

    fn check(&self) -> Result<(), BuildError> {
        // Beside a rate of 0 it is one that is said for all, of which nothing is left.
        if self.burst.is_some() && self.rate.is_none() {
            return Err(BuildError::new("burst", "a burst has no meaning without a rate")
                .with_help("set `rate`, such as `rate: 100/s`"));
        }
        self.key.check()
    }

    /// The most that a call costs, with the key that says so.
    pub(super) fn dearest(&self) -> (String, u64) {
        let costs = self.costs.iter().map(|(pattern, cost)| (format!("costs.{pattern}"), *cost));
        let first = ("cost".to_owned(), self.cost);
        costs.fold(first, |dearest, next| if next.1 > dearest.1 { next } else { dearest })
    }

    /// What calls of some operations cost, the most specific pattern first.
    ///
    /// # Errors
    /// A pattern that is none.
    pub(super) fn costs(&self) -> Result<Vec<(Pattern, u64)>, BuildError> {
        let read = |(text, cost): (&String, &u64)| match Pattern::parse(text) {
            Some(pattern) => Ok((pattern, *cost)),
            None => Err(BuildError::new(format!("costs.{text}"), format!("`{text}` is no pattern of operations"))
                .with_help("write an operation, `greeting.hello`, or a pattern: `greeting.*`, `*.list`, `*`")),
        };
        let mut costs = self.costs.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        costs.sort_by(|one, other| other.cmp(one));
        Ok(costs)
    }
}
