//! How long a call may take, and how much an argument may read of it.

use super::Call;
use crate::clock::Instant;

impl Call {
    /// The largest body, in bytes, that an argument reads; `u64::MAX` where nothing says.
    pub fn body_limit(&self) -> u64 {
        self.body_limit
    }

    /// When the call must be answered; `None` where nothing says.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Lets arguments read at most this many bytes of the body; a smaller limit stays. A larger body is refused in the
    /// name of `handler`.
    pub fn limit_body(&mut self, bytes: u64, handler: &'static str) {
        if bytes < self.body_limit {
            (self.body_limit, self.body_limited_by) = (bytes, Some(handler));
        }
    }

    /// Gives the call until `deadline`; an earlier one stays. A call that is late is refused in the name of `handler`.
    pub fn limit_time(&mut self, deadline: Instant, handler: &'static str) {
        if self.deadline.is_none_or(|earlier| deadline < earlier) {
            (self.deadline, self.timed_by) = (Some(deadline), Some(handler));
        }
    }
}
