//! The latest refusals, with the figures that decided, for whoever asks why a call was refused.
//!
//! A caller's problem document names the refusal, the configuration revision and the trace; here is the rest. Memory is
//! bounded by the number kept, and a flood of refusals is kept by samples: what the flood costs must not grow with it.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde_json::{Map, Value};

use crate::clock::{Clock, rfc3339};
use crate::fault::Fault;
use crate::invocation::{Invocation, RequestId};
use crate::random::Random;

/// The latest refusals.
pub struct Receipts {
    most: usize,
    kept: Mutex<Kept>,
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

/// The longest path that is kept, in bytes.
const LONGEST_PATH: usize = 256;

/// Why one call was refused.
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
    /// The handler that refused.
    pub handler: Option<String>,
    /// The policy of the handler, where it has several.
    pub policy: Option<String>,
    /// The operation the call led to.
    pub operation: Option<String>,
    /// The method.
    pub method: String,
    /// The path without its query, shortened.
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
        Self::new(0)
    }
}

impl Receipts {
    /// Keeps so many; none if `most` is 0.
    pub fn new(most: usize) -> Self {
        Self { most, kept: Mutex::default() }
    }

    /// The refusals that are kept, the latest first.
    pub fn all(&self) -> Vec<Refusal> {
        self.locked().refusals.iter().rev().cloned().collect()
    }

    /// The refusal of this id, if it is still kept.
    pub fn find(&self, id: &str) -> Option<Refusal> {
        self.locked().refusals.iter().rev().find(|refusal| refusal.id == id).cloned()
    }

    /// How many were not kept because too many came at once.
    pub fn passed_over(&self) -> u64 {
        self.locked().passed_over
    }

    /// Keeps a refusal, if there were not too many in this second; what it is kept under.
    pub(super) fn keep(&self, refused: &Refused<'_>, clock: Clock, random: &Random) -> Option<String> {
        if self.most == 0 || !self.has_room(clock.unix_seconds()) {
            return None;
        }
        let id = format!("{:016x}", random.next_u64());
        let refusal = refused.refusal(id.clone(), clock);
        let mut kept = self.locked();
        while kept.refusals.len() >= self.most {
            kept.refusals.pop_front();
        }
        kept.refusals.push_back(refusal);
        Some(id)
    }

    fn has_room(&self, second: u64) -> bool {
        let mut kept = self.locked();
        if kept.second != second {
            (kept.second, kept.in_second) = (second, 0);
        }
        kept.in_second += 1;
        let room = kept.in_second <= MOST_A_SECOND;
        kept.passed_over += u64::from(!room);
        room
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that a handler refused.
pub(super) struct Refused<'a> {
    pub(super) fault: &'a Fault,
    pub(super) handler: Option<&'a str>,
    pub(super) invocation: &'a Invocation,
    pub(super) revision: &'a str,
    pub(super) enforced: bool,
}

impl Refused<'_> {
    fn refusal(&self, id: String, clock: Clock) -> Refusal {
        let Self { fault, handler, invocation, revision, enforced } = self;
        let (call, text) = (&invocation.call, |text: &str| text.to_owned());
        Refusal {
            id,
            at: rfc3339(clock.wall()),
            revision: text(revision),
            enforced: *enforced,
            handler: handler.map(text),
            policy: fault.policy().map(text),
            operation: invocation.operation().map(|operation| operation.id.clone()),
            method: shortened(invocation.method().as_str()),
            path: shortened(invocation.path()),
            peer: call.peer.to_string(),
            subject: call.principal.as_ref().map(|principal| shortened(principal.subject())),
            status: fault.status().as_u16(),
            code: fault.code().as_str(),
            detail: text(fault.detail()),
            remedy: fault.remedy().map(text),
            evidence: fault.evidence().map(|(name, value)| (text(name), value.clone())).collect(),
            trace_id: call.trace.trace_id().map(|id| id.to_string()),
            request_id: call.locals.get::<RequestId>().map(ToString::to_string),
        }
    }
}

/// A caller chooses how long this is.
fn shortened(text: &str) -> String {
    let end = (0..=LONGEST_PATH.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    let mark = if end < text.len() { "…" } else { "" };
    format!("{}{mark}", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Code;
    use crate::invocation::fixture;

    fn keep(receipts: &Receipts, path: &str) -> Option<String> {
        let fault = Fault::new(Code::TooManyRequests, "Slowly.").with_policy("burst").with_evidence("remaining", 0);
        let fault = fault.with_remedy("wait");
        let invocation = fixture::call(fixture::request("GET", path));
        let refused = Refused {
            fault: &fault,
            handler: Some("rate-limit"),
            invocation: &invocation,
            revision: "r1",
            enforced: true,
        };
        receipts.keep(&refused, Clock::anchored(std::time::SystemTime::UNIX_EPOCH), &Random::system())
    }

    #[test]
    fn a_refusal_is_found_by_its_id_until_others_take_its_place() {
        let receipts = Receipts::new(2);
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
        let receipts = Receipts::new(1000);
        let kept = (0..500).filter_map(|_| keep(&receipts, "/")).count();
        assert_eq!((kept, receipts.passed_over()), (MOST_A_SECOND, 400));
    }

    #[test]
    fn what_a_caller_chooses_is_kept_shortened() {
        let receipts = Receipts::new(1);
        keep(&receipts, &format!("/{}", "ä".repeat(1000)));
        assert!(receipts.all()[0].path.len() <= LONGEST_PATH + "…".len());
    }
}
