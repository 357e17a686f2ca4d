//! Says once that passwords are refused unchecked because too many wait, not for each of them.

use std::sync::Mutex;
use std::time::Duration;

use crate::clock::Instant;
use crate::lock::locked;

/// How long nobody is refused before that counts as over.
const QUIET: Duration = Duration::from_secs(10);

/// When somebody was refused last; `None` once that was told to be over.
#[derive(Debug, Default)]
pub(super) struct Crowd(Mutex<Option<Instant>>);

impl Crowd {
    /// Takes notice of a caller that comes with a password, and whether it is refused for want of a place.
    pub(super) fn tell(&self, is_refused: bool, now: Instant) {
        let mut last = locked(&self.0);
        match *last {
            Some(before) if is_refused => *last = Some(before.max(now)),
            None if is_refused => {
                *last = Some(now);
                tracing::warn!("too many passwords are to be checked; callers are refused with 503");
            }
            Some(before) if now.saturating_duration_since(before) >= QUIET => {
                *last = None;
                tracing::info!("passwords are checked again as they come");
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::invocation::fixture::Page;

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_told_when_it_begins_and_when_it_is_over() {
        let (page, crowd, start) = (Page::default(), Crowd::default(), Clock::system().now());
        let tell = |is_refused, second| crowd.tell(is_refused, start + Duration::from_secs(second));
        tracing::subscriber::with_default(page.subscriber(), || {
            tell(false, 0);
            for second in 1..30 {
                tell(true, second);
                tell(false, second);
            }
            tell(true, 3);
            tell(false, 38);
            assert_eq!(page.text().lines().count(), 1, "{}", page.text());
            tell(false, 39);
            tell(false, 40);
            assert_eq!(page.text().lines().count(), 2, "{}", page.text());
            tell(true, 41);
        });
        let levels: Vec<_> = page.text().lines().map(|line| line.contains("WARN")).collect();
        assert_eq!(levels, [true, false, true]);
    }
}
