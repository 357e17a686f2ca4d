//! The ways a call takes.

use crate::inside::{greeting, nothing, proven_and_recorded, proven_past_nobody, proven_through_default_chain};
use crate::outside::{exchange, get, post, text};
use crate::service::bearer;

/// Something that is done over and over.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// How often it is done to count or to time it once.
    pub(crate) repetitions: u64,
    /// Makes what does it once.
    pub(crate) prepare: fn() -> Box<dyn FnMut()>,
}

pub(crate) const EMPTY: &str = "inside, empty chain";
pub(crate) const SIX: &str = "inside, six empty handlers";
pub(crate) const OVERLOAD: &str = "inside, overload";
pub(crate) const PROVEN: &str = "inside GET with token, empty chain";
pub(crate) const DEFAULT: &str = "inside GET with token, default chain";
pub(crate) const RECORDED: &str = "inside GET with token, default chain, recorded";
pub(crate) const SERVED_GET: &str = "served GET, empty chain";
pub(crate) const SERVED_FULL: &str = "served GET, full chain";

const ALL: &[Scenario] = &[
    Scenario { name: EMPTY, repetitions: 4_000, prepare: || nothing("") },
    Scenario { name: SIX, repetitions: 4_000, prepare: || nothing(&["nothing"; 6].join(", ")) },
    Scenario { name: "inside, a handler waits", repetitions: 4_000, prepare: || nothing("wait") },
    Scenario { name: "inside, a handler wraps", repetitions: 4_000, prepare: || nothing("around") },
    Scenario { name: OVERLOAD, repetitions: 4_000, prepare: || nothing("overload") },
    Scenario { name: "inside GET, empty chain", repetitions: 4_000, prepare: || greeting("") },
    Scenario { name: PROVEN, repetitions: 8_000, prepare: proven_past_nobody },
    Scenario { name: DEFAULT, repetitions: 8_000, prepare: proven_through_default_chain },
    Scenario { name: SERVED_GET, repetitions: 8_000, prepare: || exchange("", get("")) },
    Scenario {
        name: SERVED_FULL,
        repetitions: 8_000,
        prepare: || exchange("tracing, rate-limit, auth", get(&format!("authorization: Bearer {}\r\n", bearer()))),
    },
    Scenario { name: "served POST of 1 KiB, empty chain", repetitions: 2_000, prepare: || exchange("", post()) },
    Scenario { name: "served POST of text", repetitions: 4_000, prepare: || exchange("", text("/orders/text")) },
    Scenario {
        name: "served POST, foreign extractor",
        repetitions: 4_000,
        prepare: || exchange("", text("/orders/foreign")),
    },
    // The last one, because it sets the subscriber of the process.
    Scenario { name: RECORDED, repetitions: 2_000, prepare: proven_and_recorded },
];

impl Scenario {
    pub(crate) fn all() -> &'static [Self] {
        ALL
    }

    pub(crate) fn named(name: &str) -> &'static Self {
        ALL.iter().find(|scenario| scenario.name == name).unwrap_or_else(|| panic!("no scenario `{name}`"))
    }

    pub(crate) fn repeat(&self, times: u64) {
        let mut subject = (self.prepare)();
        (0..times).for_each(|_| subject());
    }
}
