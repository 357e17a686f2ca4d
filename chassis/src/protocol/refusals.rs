//! Counts what a listener refuses itself, because there is no request in it that a chain could see.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::fault::Code;
use crate::metrics::{Kind, Metrics, Spec, Unit, labels};

/// How often listeners refused what their peers sent before there was a call: a malformed request line, a head that is
/// too large or does not come to its end. No chain sees that, so that no handler can count it.
pub struct Refusals {
    counts: [AtomicU64; Code::ALL.len()],
    metrics: Metrics,
}

static REFUSED: Spec = Spec {
    name: "chassis.listener.refused",
    help: "What listeners refused because it was no request, by the code of the fault.",
    unit: Unit::Count("request"),
    kind: Kind::Counter,
};

impl Refusals {
    /// None yet; they are counted in these metrics too.
    pub fn counted(metrics: Metrics) -> Self {
        Self { counts: std::array::from_fn(|_| AtomicU64::new(0)), metrics }
    }

    /// Counts one that was refused with this code.
    pub fn count(&self, code: Code) {
        self.at(code).fetch_add(1, Ordering::Relaxed);
        self.metrics.counter(&REFUSED, labels([("reason", code.as_str())])).increment();
    }

    /// How many were refused with this code.
    pub fn of(&self, code: Code) -> u64 {
        self.at(code).load(Ordering::Relaxed)
    }

    /// Every code that something was refused with, and how many were.
    pub fn iter(&self) -> impl Iterator<Item = (Code, u64)> {
        Code::ALL.iter().map(|code| (*code, self.of(*code))).filter(|(_, count)| *count > 0)
    }

    fn at(&self, code: Code) -> &AtomicU64 {
        &self.counts[code as usize]
    }
}

impl Default for Refusals {
    fn default() -> Self {
        Self::counted(Metrics::default())
    }
}

impl fmt::Debug for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(code, count)| (code.as_str(), count))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_count_of_its_own() {
        let refusals = Refusals::default();
        for (at, code) in Code::ALL.iter().enumerate() {
            (0..=at).for_each(|_| refusals.count(*code));
        }
        let counts: Vec<_> = refusals.iter().collect();
        let expected: Vec<_> = Code::ALL.iter().copied().zip(1..).collect();
        assert_eq!(counts, expected);
    }

    #[test]
    fn only_what_was_refused_is_listed() {
        let refusals = Refusals::default();
        refusals.count(Code::UriTooLong);
        assert_eq!(format!("{refusals:?}"), r#"{"uri-too-long": 1}"#);
    }
}
