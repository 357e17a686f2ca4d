//! What handlers that let a number of calls run at once have in common: what they tell those for whom there is no room.

use std::time::Duration;

use crate::conf::{BuildError, Interval};
use crate::fault::{Code, Fault};
use crate::random::Random;

const REDUCED_CAPACITY: &str = "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity";

/// When refused callers come back.
pub(crate) struct Retry {
    pub(crate) after: Duration,
    pub(crate) jitter: Duration,
    pub(crate) random: Random,
}

impl Retry {
    /// There is no room for a call: 503, by this policy.
    #[cold]
    pub(crate) fn refusal(&self, policy: &'static str) -> Fault {
        Fault::new(Code::Unavailable, "The service is at its capacity. Call again when `Retry-After` has passed.")
            .with_type(REDUCED_CAPACITY)
            .with_extension("violated-policies", vec![policy])
            .with_retry_after(self.after.saturating_add(self.random.seconds_up_to(self.jitter)))
    }
}

/// Refuses times that leave those who wait, or are refused, none.
pub(crate) fn check_times(queue: u32, queue_timeout: Interval, retry_after: Interval) -> Result<(), BuildError> {
    if queue > 0 && queue_timeout == Interval::ZERO {
        let error = BuildError::new("queue-timeout", "nobody can wait for so short a time");
        return Err(error.with_help("write `queue: 0` for calls that do not wait, or a longer time"));
    }
    if retry_after == Interval::ZERO {
        let error = BuildError::new("retry-after", "refused callers would come back at once");
        return Err(error.with_help("write at least `1s`"));
    }
    Ok(())
}
