//! How much memory a million callers take, against what is said at the start to be the worst case.

use chassis::conf::{BuildContext, Configure, Process};
use chassis::handlers::rate_limit::RateLimit;
use http::{HeaderName, HeaderValue};
use serde_json::{from_value, json};

use crate::counting::grown_by;
use crate::inside::{Caller, idler};
use crate::service::{built, limited, runtime, start};

/// How many different keys are sent.
const KEYS: u32 = 1_000_000;

/// What the keys took.
pub(crate) struct Flood {
    /// How many keys the limit counts one by one.
    pub(crate) most: u32,
    /// The worst case that the ledger of the process says, in bytes.
    pub(crate) bound: u64,
    /// What was held in the end and not before, in bytes.
    pub(crate) held: i64,
}

/// Floods a limit that counts fewer keys than come, and one that counts all of them.
pub(crate) fn floods() -> [Flood; 2] {
    [100_000, KEYS].map(|most| Flood { most, bound: bound(most), held: held(most) })
}

impl Flood {
    /// Whether it stayed within its bound.
    pub(crate) fn is_bounded(&self) -> bool {
        i128::from(self.held) <= i128::from(self.bound)
    }
}

impl std::fmt::Display for Flood {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "bytes held after {KEYS} keys, max-keys {}", self.most)
    }
}

/// What the handler says when it is built.
fn bound(most: u32) -> u64 {
    let process = Process::default();
    let conf = json!({ "rate": "1/h", "key": "header:x-key", "max-keys": most });
    let limit = |context: &BuildContext<'_>| RateLimit::build(from_value(conf).unwrap(), context).unwrap();
    let _limit = built(&limited("", ""), &process, limit);
    process.memory.bound().total.0
}

/// Sends each key once to a service. Those that share a bucket have enough for all.
fn held(most: u32) -> i64 {
    let limit = format!("rate: 1/h, burst: {KEYS}, key: 'header:x-key', max-keys: {most}");
    let running = runtime().block_on(start(&limited("rate-limit", &limit)));
    let mut caller = idler(&running);
    let held = grown_by(|| (0..KEYS).for_each(|key| call(&mut caller, key)));
    drop(running);
    held
}

fn call(caller: &mut Caller, key: u32) {
    caller.set(HeaderName::from_static("x-key"), HeaderValue::from(key));
    caller.call();
}
