//! The only place that reads the time; everything else is handed a [`Clock`].

#![expect(clippy::disallowed_methods, reason = "this is the place that the ban points to")]

use std::cell::Cell;
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

    /// The wall time at an instant, which may lie a little back or ahead, in nanoseconds since the Unix epoch: by the last
    /// look at the wall, if that is not long ago, because a look takes as long as a small handler.
    #[inline]
    pub fn wall_at(&self, instant: Instant) -> u64 {
        if let (None, Some((then, wall))) = (self.anchor, SEEN.get())
            && let Some(since) = instant.checked_duration_since(then)
            && since < SEEN_FOR
        {
            return wall.saturating_add(nanos(since));
        }
        self.look_for(instant)
    }

    #[cold]
    fn look_for(&self, instant: Instant) -> u64 {
        let (then, wall) = match self.anchor {
            Some((then, wall)) => (then, since_epoch(wall)),
            None => {
                let seen = (Instant::now(), since_epoch(SystemTime::now()));
                SEEN.set(Some(seen));
                seen
            }
        };
        match instant.checked_duration_since(then) {
            Some(since) => wall.saturating_add(nanos(since)),
            None => wall.saturating_sub(nanos(then.duration_since(instant))),
        }
    }

    /// The wall time as seconds since the Unix epoch; 0 before it.
    pub fn unix_seconds(&self) -> u64 {
        self.wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
    }
}

/// How long what a thread saw on the wall is good for: the time that the wall may be set meanwhile without being noticed.
const SEEN_FOR: Duration = Duration::from_secs(1);

thread_local! {
    /// What this thread saw on the wall last, and when.
    static SEEN: Cell<Option<(Instant, u64)>> = const { Cell::new(None) };
}

/// Nanoseconds since the Unix epoch; what was before counts as that.
pub(crate) fn since_epoch(at: SystemTime) -> u64 {
    nanos(at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
}

/// The nanoseconds of a length of time; at most those of 584 years.
#[inline]
pub(crate) fn nanos(time: Duration) -> u64 {
    time.as_secs().saturating_mul(1_000_000_000).saturating_add(u64::from(time.subsec_nanos()))
}

/// A wall time in UTC to the millisecond, as RFC 3339 §5.6 says: `2026-11-28T13:01:51.000Z`. Times before 1970 are
/// told as 1970.
pub fn rfc3339(at: SystemTime) -> String {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let (days, second) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    // Howard Hinnant's days-to-civil, for days since 1970: years begin in March, so that leap days come last.
    let day = days + 719_468;
    let (era, of_era) = (day / 146_097, day % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let (day, month) = (of_year - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    let year = year + era * 400 + u64::from(month <= 2);
    let (hour, minute, second, millis) = (second / 3600, second / 60 % 60, second % 60, since.subsec_millis());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_wall_is_known_at_any_instant_without_looking_again() {
        let (clock, second) = (Clock::anchored(SystemTime::UNIX_EPOCH), Duration::from_secs(1));
        let begun = clock.now();
        tokio::time::advance(second).await;
        assert_eq!(clock.wall_at(begun), 0);
        assert_eq!(clock.wall_at(clock.now()), since_epoch(clock.wall()));
        let (clock, begun, second) = (Clock::system(), clock.now(), 1_000_000_000);
        let first = clock.wall_at(begun);
        let at = |nanos| clock.wall_at(begun + Duration::from_nanos(nanos));
        assert_eq!(at(second / 2), first + second / 2);
        assert!(at(2 * second) >= first + 2 * second, "it is looked at again");
        assert!(clock.wall_at(begun - Duration::from_secs(1)) < first);
    }

    #[test]
    fn a_wall_time_is_told_with_its_day() {
        let told = |seconds: u64| rfc3339(SystemTime::UNIX_EPOCH + Duration::from_millis(seconds * 1000 + 7));
        assert_eq!(told(0), "1970-01-01T00:00:00.007Z");
        assert_eq!(told(951_782_399), "2000-02-28T23:59:59.007Z");
        assert_eq!(told(951_782_400), "2000-02-29T00:00:00.007Z");
        assert_eq!(told(1_709_251_200), "2024-03-01T00:00:00.007Z");
        assert_eq!(told(4_102_444_799), "2099-12-31T23:59:59.007Z");
    }
}
