//! The latest refusals, with the figures that decided, for whoever asks why a call was refused.
//!
//! A caller's problem document names the refusal, the configuration revision and the trace; here is the rest. Memory is
//! bounded by the number kept and by what is kept of each, whatever callers send. A flood of refusals is kept by samples:
//! what the flood costs must not grow with it.

use std::collections::VecDeque;
use std::sync::Mutex;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::clock::Clock;
use crate::fault::Violation;
use crate::lock::locked;
use crate::memory::{Memory, Reserved};
use crate::random::Random;

mod refused;

pub(super) use refused::Refused;

/// The latest refusals.
pub struct Receipts {
    most: usize,
    kept: Mutex<Kept>,
    _reserved: Option<Reserved>,
}

#[derive(Default)]
struct Kept {
    refusals: VecDeque<Refusal>,
    // The second that began last, and how many were kept in it.
    second: u64,
    in_second: usize,
    passed_over: u64,
}

/// How many refusals are kept of one second; of a flood the rest is only counted.
const MOST_A_SECOND: usize = 100;

/// Why one call was refused. A text that is long is kept shortened, and of a list that is long its beginning.
#[derive(Clone, Debug, Serialize)]
pub struct Refusal {
    /// What its caller was told to ask for.
    pub id: String,
    /// When, as RFC 3339 says.
    pub at: String,
    /// The configuration that decided.
    pub revision: String,
    /// Whether it counted; otherwise the handler is a shadow and the call went on.
    pub enforced: bool,
    /// The handler that refused; `None` where the chain itself did, by the key of its configuration that `policy` names.
    pub handler: Option<String>,
    /// The policy of the handler that refused; the handler itself where it has one for all.
    pub policy: Option<String>,
    /// The operation the call led to.
    pub operation: Option<String>,
    /// The method.
    pub method: String,
    /// The path without its query.
    pub path: String,
    /// Who was at the other end of the connection.
    pub peer: String,
    /// Who the caller proved to be.
    pub subject: Option<String>,
    /// The status of the answer.
    pub status: u16,
    /// The code of the fault.
    pub code: &'static str,
    /// What the caller read.
    pub detail: String,
    /// The values that were wrong, as the caller read it too.
    pub violations: Vec<Violation>,
    /// What would have to change for the call to pass.
    pub remedy: Option<String>,
    /// The figures that decided.
    pub evidence: Map<String, Value>,
    /// The trace.
    pub trace_id: Option<String>,
    /// The id of the call.
    pub request_id: Option<String>,
}

impl Default for Receipts {
    fn default() -> Self {
        Self::new(0, &Memory::default())
    }
}

impl Receipts {
    /// Keeps so many, in memory of this process; none if `most` is 0.
    pub fn new(most: usize, memory: &Memory) -> Self {
        let reserved = (most > 0).then(|| memory.reserve("refusals", most.saturating_mul(refused::MOST_BYTES)));
        Self { most, kept: Mutex::default(), _reserved: reserved }
    }

    /// The refusals that are kept, the latest first.
    pub fn all(&self) -> Vec<Refusal> {
        locked(&self.kept).refusals.iter().rev().cloned().collect()
    }

    /// The refusal of this id, if it is still kept.
    pub fn find(&self, id: &str) -> Option<Refusal> {
        locked(&self.kept).refusals.iter().rev().find(|refusal| refusal.id == id).cloned()
    }

    /// How many were not kept because too many came at once.
    pub fn passed_over(&self) -> u64 {
        locked(&self.kept).passed_over
    }

    /// Keeps a refusal, if there were not too many in this second; what it is kept under.
    pub(super) fn keep(&self, refused: &Refused<'_>, clock: Clock, random: &Random) -> Option<String> {
        if self.most == 0 || !self.has_room(clock.unix_seconds()) {
            return None;
        }
        let id = format!("{:016x}", random.next_u64());
        let refusal = refused.refusal(id.clone(), clock);
        let mut kept = locked(&self.kept);
        while kept.refusals.len() >= self.most {
            kept.refusals.pop_front();
        }
        kept.refusals.push_back(refusal);
        Some(id)
    }

    fn has_room(&self, second: u64) -> bool {
        let mut kept = locked(&self.kept);
        if kept.second != second {
            (kept.second, kept.in_second) = (second, 0);
        }
        kept.in_second += 1;
        let room = kept.in_second <= MOST_A_SECOND;
        kept.passed_over += u64::from(!room);
        room
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Code, Fault};
    use crate::invocation::{Invocation, fixture};

    fn kept(receipts: &Receipts, fault: &Fault, invocation: &Invocation) -> Option<String> {
        let refused = Refused { fault, handler: Some("rate-limit"), invocation, revision: "r1", enforced: true };
        receipts.keep(&refused, Clock::anchored(std::time::SystemTime::UNIX_EPOCH), &Random::system())
    }

    fn keep(receipts: &Receipts, path: &str) -> Option<String> {
        let fault = Fault::new(Code::TooManyRequests, "Slowly.").with_policy("burst").with_evidence("remaining", 0);
        kept(receipts, &fault.with_remedy("wait"), &fixture::call(fixture::request("GET", path)))
    }

    fn keeping(most: usize) -> Receipts {
        Receipts::new(most, &Memory::default())
    }

    #[test]
    fn a_refusal_is_found_by_its_id_until_others_take_its_place() {
        let receipts = keeping(2);
        let ids: Vec<_> = (0..3).filter_map(|at| keep(&receipts, &format!("/{at}"))).collect();
        assert!(receipts.find(&ids[0]).is_none());
        let refusal = serde_json::to_value(receipts.find(&ids[1]).unwrap()).unwrap();
        assert_eq!(
            (&refusal["path"], &refusal["policy"], &refusal["remedy"]),
            (&"/1".into(), &"burst".into(), &"wait".into())
        );
        assert_eq!(
            (&refusal["evidence"]["remaining"], &refusal["at"]),
            (&0.into(), &"1970-01-01T00:00:00.000Z".into())
        );
        assert_eq!(receipts.all()[0].path, "/2");
    }

    #[test]
    fn of_a_flood_only_samples_are_kept() {
        let receipts = keeping(1000);
        let kept = (0..500).filter_map(|_| keep(&receipts, "/")).count();
        assert_eq!((kept, receipts.passed_over()), (MOST_A_SECOND, 400));
    }

    #[test]
    fn what_is_wrong_with_a_call_is_kept_beside_why_it_was_refused() {
        let violation = Violation { place: "header", pointer: "/host".to_owned(), detail: "It is odd.".to_owned() };
        let fault = Fault::new(Code::InvalidArgument, "A header field is wrong.").with_violations([violation.clone()]);
        let receipts = keeping(1);
        kept(&receipts, &fault, &fixture::call(fixture::request("GET", "/")));
        assert_eq!(receipts.all()[0].violations, [violation]);
    }

    #[test]
    fn whatever_a_caller_sends_a_receipt_stays_small_and_is_counted() {
        let long = || "ä".repeat(30_000);
        let violation = || Violation { place: "header", pointer: long(), detail: long() };
        let fault = Fault::new(Code::PermissionDenied, long()).with_policy(long()).with_remedy(long());
        let fault = fault.with_violations((0..100).map(|_| violation()));
        let fault = (0..100).fold(fault, |fault, at| fault.with_evidence(format!("{at}{}", long()), vec![long(); 3]));
        let (memory, mut call) = (Memory::default(), fixture::call(fixture::request("GET", &format!("/{}", long()))));
        call.parts.method = "A".repeat(30_000).parse().unwrap();
        let receipts = Receipts::new(10, &memory);
        kept(&receipts, &fault, &call);
        let bytes = serde_json::to_vec(&receipts.all()[0]).unwrap().len();
        assert!(bytes < refused::MOST_BYTES, "{bytes} of {}", refused::MOST_BYTES);
        assert_eq!(memory.bound().total.0, 10 * refused::MOST_BYTES as u64);
        assert!(receipts.all()[0].detail.ends_with("ä…"));
        drop(receipts);
        assert_eq!(memory.bound().total.0, 0);
    }
}
