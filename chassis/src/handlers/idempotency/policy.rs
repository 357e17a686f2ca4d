//! What YAML says about calls that have names.

use crate::conf;
use crate::conf::{Interval, Size};

/// Which calls have names, and how long answers are kept.
#[conf]
pub struct Conf {
    /// The methods of the calls that have names. Others are not looked at: what they do again changes nothing.
    #[conf(default = vec!["POST".to_owned(), "PATCH".to_owned()])]
    pub methods: Vec<String>,
    /// Whether a call without `Idempotency-Key` is refused with 400.
    #[conf(default = false)]
    pub required: bool,
    /// Whether a key without quotes is taken too, as many clients send it.
    #[conf(default = false)]
    pub bare_keys: bool,
    /// How long an answer is kept. Tell callers.
    #[conf(default = Interval::secs(24 * 3600))]
    pub ttl: Interval,
    /// The largest body of an answer that is kept.
    #[conf(default = Size(64 << 10))]
    pub max_answer: Size,
    /// How much memory the answers may take in all.
    #[conf(default = Size(64 << 20))]
    pub memory: Size,
    /// What happens when they would take more.
    #[conf(default = Full::Evict)]
    pub when_full: Full,
    /// Header fields that are kept with an answer. Others are made anew, or are not given again.
    #[conf(default = usual_fields())]
    pub headers: Vec<String>,
    /// How long a call counts as under way when nobody can say any more how it ended; never less than its deadline.
    #[conf(default = Interval::secs(60))]
    pub lease: Interval,
    /// When callers are told to come back for the answer of a call that is under way.
    #[conf(default = Interval::secs(1))]
    pub retry_after: Interval,
    /// Where answers are kept: in the `memory` of this instance, or in the `redis` that all instances of the service share
    /// (see `redis.url`), so that callers may reach any of them. `memory` and `when-full` are for the first; what Redis may
    /// take is said to Redis.
    #[conf(default = Place::Memory)]
    pub store: Place,
    /// What happens to calls with keys while Redis is away: they are refused, or pass, at the risk that they are done
    /// twice.
    #[conf(default = OnOutage::Deny)]
    pub on_outage: OnOutage,
}

/// Where answers are kept.
#[conf]
#[derive(Copy, PartialEq, Eq)]
pub enum Place {
    /// In the memory of this instance.
    Memory,
    /// In Redis, for all instances.
    Redis,
}

/// What happens to calls while Redis is away.
#[conf]
#[derive(Copy, PartialEq, Eq)]
pub enum OnOutage {
    /// They are refused with 503.
    Deny,
    /// They pass, whether or not they were done before.
    Pass,
}

/// What happens when there is no room for another answer.
#[conf]
#[derive(Copy, PartialEq, Eq)]
pub enum Full {
    /// The oldest answers go before their time. Such a call would be done again if it came again.
    Evict,
    /// Calls with new keys are refused with 503.
    Refuse,
}

fn usual_fields() -> Vec<String> {
    let names = "content-type content-language content-encoding content-disposition location etag last-modified link \
                 cache-control vary";
    names.split(' ').map(str::to_owned).collect()
}
