//! What YAML says about a rate limit.

use super::fields;
use super::key::Key;
use crate::conf;
use crate::conf::{BuildError, Interval, Rate};
use crate::invocation::Network;

/// How often calls may come.
#[conf]
pub struct Conf {
    /// How many calls each key may make in how long, such as `100/s`. `0/s` refuses every call; without a rate no
    /// call is refused.
    pub rate: Option<Rate>,
    /// How many calls a key may make at once after a pause. Without it, the count of `rate`.
    #[conf(range(1..))]
    pub burst: Option<u64>,
    /// What is counted by: `peer` (the caller's address), `principal` (who it proved to be: start-up
    /// refuses a chain that does not list this handler after one that finds out, such as `auth`; the address for
    /// callers that prove nothing), `global` (all calls together), `operation`,
    /// or `header:NAME` (the address where the field is absent; callers choose what they send, so name one that a
    /// proxy sets).
    #[conf(default = Key::Peer)]
    pub key: Key,
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
    /// How many keys are counted one by one. Further ones share a few buckets until others are used no more. A key
    /// takes 30 bytes.
    #[conf(default = 100_000, range(1..=16_777_216))]
    pub max_keys: u32,
    /// When replies carry `RateLimit` and `RateLimit-Policy`: on `refusals`, `always` (costs a few allocations a
    /// call) or `never`.
    #[conf(default = Fields::Refusals)]
    pub fields: Fields,
    /// The name of this policy in those fields and in refusals.
    #[conf(default = "default")]
    pub policy: String,
    /// Up to how much is added at random to `Retry-After`, so that refused callers do not all come back at once.
    #[conf(default = Interval::secs(1))]
    pub retry_jitter: Interval,
    /// Counts what would be refused, and refuses nothing.
    #[conf(default = false)]
    pub shadow: bool,
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

impl Conf {
    /// Says what is wrong with values in a way their types cannot.
    pub(super) fn check(&self) -> Result<(), BuildError> {
        if self.burst.is_some() && self.rate.is_none_or(|rate| rate.count == 0) {
            return Err(BuildError::new("burst", "a burst has no meaning without a rate above 0").with_help(
                "set `rate`, such as `rate: 100/s`; where every call is to be refused, `burst: null` takes back the burst \
                 that is said for all",
            ));
        }
        fields::string(&self.policy).map(drop)
    }
}
