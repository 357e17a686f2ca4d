//! What YAML says about calls that have names.

use std::time::Duration;

use http::{HeaderName, Method};

use super::local;
use crate::condition;
use crate::conf;
use crate::conf::{BuildError, Interval, Size};

/// The shortest lease: a third of it must be enough to have it renewed.
const SHORTEST_LEASE: Duration = Duration::from_millis(100);

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
    /// How long an answer is kept, or that a call was begun and how it ended is not known. Tell callers.
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
    /// How long a call counts as under way when nobody can say any more how it ended, because the instance died that did it;
    /// never less than its deadline. From then on how it ended is not known, for `ttl`. For `redis`; at least 100ms.
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

impl Conf {
    /// # Errors
    /// Nothing could be remembered, or not what is to be.
    pub(super) fn check(&self) -> Result<(), BuildError> {
        if self.methods.is_empty() {
            let error = BuildError::new("methods", "the list is empty: every call would be done again");
            return Err(error.with_help("list methods such as `POST`, or take `idempotency` out of the chain"));
        }
        if self.ttl == Interval::ZERO {
            let error = BuildError::new("ttl", "`0s` remembers nothing, and every call would be done again");
            return Err(error.with_help("write how long callers may send a call again, such as `1d`"));
        }
        if self.lease.0 < SHORTEST_LEASE {
            let message = format!("`{}` is over before it can be renewed, while the call is under way", self.lease);
            return Err(BuildError::new("lease", message).with_help("write `100ms` or more, such as `60s`"));
        }
        if self.store == Place::Memory { self.check_memory() } else { Ok(()) }
    }

    fn check_memory(&self) -> Result<(), BuildError> {
        let Some(room) = self.memory.0.checked_sub(local::EACH as u64) else {
            let message = format!("`{}` has no room for a single call, and each would be refused", self.memory);
            return Err(
                BuildError::new("memory", message).with_help("write as much as all answers may take, such as `64MiB`")
            );
        };
        if self.max_answer.0 > room {
            let message =
                format!("an answer of `{}` has no room in `memory`, which is `{}`", self.max_answer, self.memory);
            return Err(BuildError::new("max-answer", message).with_help("make it smaller, or `memory` larger"));
        }
        Ok(())
    }

    /// # Errors
    /// One is none, or one that no call has.
    pub(super) fn methods(&self) -> Result<Vec<Method>, BuildError> {
        each("methods", &self.methods, condition::method)
    }

    /// # Errors
    /// One is none.
    pub(super) fn headers(&self) -> Result<Vec<HeaderName>, BuildError> {
        let help = "a header name has letters, digits and hyphens";
        each("headers", &self.headers, |text| {
            text.parse().map_err(|_| BuildError::new("", format!("`{text}` is no header name")).with_help(help))
        })
    }
}

/// Reads each text of a list, or says what is wrong with one.
fn each<T>(key: &str, texts: &[String], read: impl Fn(&str) -> Result<T, BuildError>) -> Result<Vec<T>, BuildError> {
    let numbered = texts.iter().enumerate();
    numbered.map(|(at, text)| read(text).map_err(|error| error.below(&format!("{key}[{at}]")))).collect()
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
