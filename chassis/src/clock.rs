//! The only place that reads the time; everything else is handed a [`Clock`].

#![expect(clippy::disallowed_methods, reason = "this is the place that the ban points to")]

use std::time::{Duration, SystemTime};

pub use tokio::time::Instant;

/// Reads the time. Passed to whatever needs it, so that tests decide what time it is.
///
/// Under tokio's paused test clock both readings stand still until the test advances it.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    anchor: Option<(Instant, SystemTime)>,
}

impl Clock {
    /// The clock of the machine.
    pub const fn system() -> Self {
        Self { anchor: None }
    }

    /// A clock whose wall time is derived from the monotonic one, which a test may pause and advance.
    pub fn anchored(wall: SystemTime) -> Self {
        Self { anchor: Some((Instant::now(), wall)) }
    }

    /// The monotonic time: for durations, limits and deadlines.
    pub fn now(&self) -> Instant {
        Instant::now()
    }

    /// The wall time: for what other machines wrote down, such as the expiry of a token.
    pub fn wall(&self) -> SystemTime {
        match self.anchor {
            Some((instant, wall)) => wall + instant.elapsed(),
            None => SystemTime::now(),
        }
    }

    /// The wall time as seconds since the Unix epoch; 0 before it.
    pub fn unix_seconds(&self) -> u64 {
        self.wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}
