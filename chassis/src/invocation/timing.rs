//! What each handler costs one call, for whoever asked to have that measured.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::clock::Instant;
use crate::lock::locked;

/// How many are kept for later calls: as many as are seldom measured at the same time.
const MOST_SPARE: usize = 64;

/// Where timings begin, and where those of calls that are over lie ready: the next needs no memory of its own. Cheap to
/// clone; all clones are one.
#[derive(Clone, Default)]
pub struct Timings(Arc<Mutex<Vec<Kept>>>);

/// What the handlers behind the one that asked for it cost this call: their hooks, and what they wait for.
///
/// Set [`Call::timing`](super::Call::timing) in `before`, and look at it in `after`. A handler that wraps the rest of the
/// chain is not measured: what it costs cannot be told from what it wraps.
pub struct Timing {
    // There until it is given back.
    kept: Option<Kept>,
    home: Timings,
}

/// Goes from call to call as a whole.
#[derive(Default)]
struct Kept(Box<Measured>);

#[derive(Default)]
struct Measured {
    steps: Vec<(Arc<str>, Duration)>,
    waits: Option<Instant>,
}

impl Timings {
    /// A timing of a call that begins.
    pub fn begin(&self) -> Timing {
        let spare = locked(&self.0).pop();
        Timing { kept: Some(spare.unwrap_or_default()), home: self.clone() }
    }
}

impl Timing {
    /// The handlers by name, in the order of the chain, and what each cost so far.
    pub fn steps(&self) -> impl Iterator<Item = (&str, Duration)> {
        let steps = self.kept.iter().flat_map(|Kept(kept)| &kept.steps);
        steps.map(|(step, spent)| (&**step, *spent))
    }

    /// A handler spent this on the way in.
    pub(crate) fn entered(&mut self, step: &Arc<str>, spent: Duration) {
        if let Some(Kept(kept)) = &mut self.kept {
            kept.steps.push((Arc::clone(step), spent));
        }
    }

    /// A handler whose `before` was measured spent this on the way out, or in waiting.
    pub(crate) fn add(&mut self, step: &str, spent: Duration) {
        let mut steps = self.kept.iter_mut().flat_map(|Kept(kept)| kept.steps.iter_mut().rev());
        if let Some((_, sum)) = steps.find(|(known, _)| **known == *step) {
            *sum += spent;
        }
    }

    /// The handler that was entered last begins to wait.
    pub(crate) fn wait(&mut self, now: Instant) {
        if let Some(Kept(kept)) = &mut self.kept {
            kept.waits = Some(now);
        }
    }

    /// It does not wait any more.
    pub(crate) fn waited(&mut self, now: Instant) {
        let Some(Kept(kept)) = &mut self.kept else { return };
        if let (Some(since), Some((_, sum))) = (kept.waits.take(), kept.steps.last_mut()) {
            *sum += now.duration_since(since);
        }
    }
}

impl Drop for Timing {
    fn drop(&mut self) {
        let Some(mut kept) = self.kept.take() else { return };
        kept.0.steps.clear();
        kept.0.waits = None;
        let mut spare = locked(&self.home.0);
        if spare.len() < MOST_SPARE {
            spare.push(kept);
        }
    }
}

impl fmt::Debug for Timing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.steps()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_serves_the_next_call_and_says_nothing_to_it() {
        let timings = Timings::default();
        let mut first = timings.begin();
        first.entered(&"auth".into(), Duration::from_secs(1));
        assert_eq!(format!("{first:?}"), r#"{"auth": 1s}"#);
        drop(first);
        assert_eq!(locked(&timings.0).len(), 1);
        let second = timings.begin();
        assert_eq!((second.steps().count(), locked(&timings.0).len()), (0, 0));
    }

    #[test]
    fn no_more_are_kept_than_are_needed() {
        let timings = Timings::default();
        let many: Vec<_> = (0..2 * MOST_SPARE).map(|_| timings.begin()).collect();
        drop(many);
        assert_eq!(locked(&timings.0).len(), MOST_SPARE);
    }
}
