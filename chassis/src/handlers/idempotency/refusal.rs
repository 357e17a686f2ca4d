//! What is said to callers whose call is not done.

use std::time::Duration;

use super::key;
use super::metric::Became;
use crate::fault::{Code, Fault, Violation};

/// The refusal of a call that became this.
pub(super) fn of(became: Became, retry_after: Duration) -> Fault {
    match became {
        Became::Running => Fault::new(Code::Conflict, "The call with this `Idempotency-Key` is under way.")
            .with_retry_after(retry_after),
        Became::Differing => {
            let detail = "This `Idempotency-Key` was used for a call with another target or body.";
            Fault::new(Code::UnprocessableContent, detail)
        }
        Became::Full => Fault::new(Code::Unavailable, "No further `Idempotency-Key` can be remembered now.")
            .with_retry_after(retry_after)
            .with_remedy("It passes when answers have expired, with more `memory`, or with `when-full: evict`."),
        Became::Away => Fault::new(Code::Unavailable, "Whether this call was made cannot be found out now.")
            .with_retry_after(retry_after)
            .with_remedy("It passes when Redis answers again or, whether or not it was made, with `on-outage: pass`."),
        Became::Missing => wrong("This call needs an `Idempotency-Key`."),
        Became::Malformed => wrong("This `Idempotency-Key` is malformed."),
        Became::Unknown => {
            let detail = "The call with this `Idempotency-Key` was begun, and how it ended is not known: it may have been \
                          done. Find out whether it was; if not, make it again with another key.";
            Fault::new(Code::Conflict, detail)
        }
        Became::First | Became::Replayed | Became::Unchecked | Became::Unkept => {
            let detail = "The call with this `Idempotency-Key` was answered, and the answer cannot be given again.";
            Fault::new(Code::Conflict, detail)
        }
    }
}

/// The detail says what is wrong, the violation how it must look: they are shown next to each other.
fn wrong(what: &'static str) -> Fault {
    let detail = format!("must be {}", key::FORM);
    let violation = Violation { place: "header", pointer: format!("/{}", key::FIELD), detail };
    Fault::new(Code::InvalidArgument, what).with_violations([violation])
}
