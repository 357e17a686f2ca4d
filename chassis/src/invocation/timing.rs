//! What each handler costs one call, for whoever asked to have that measured.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Instant;

/// What the handlers behind the one that asked for it cost this call: their hooks, and what they wait for.
///
/// Set [`Call::timing`](super::Call::timing) in `before`, and look at it in `after`. A handler that wraps the rest of the
/// chain is not measured: what it costs cannot be told from what it wraps.
#[derive(Clone, Debug, Default)]
pub struct Timing {
    steps: Vec<(Arc<str>, Duration)>,
    waits: Option<Instant>,
}

impl Timing {
    /// The handlers by name, in the order of the chain, and what each cost so far.
    pub fn steps(&self) -> impl Iterator<Item = (&str, Duration)> {
        self.steps.iter().map(|(step, spent)| (&**step, *spent))
    }

    /// A handler spent this on the way in.
    pub(crate) fn entered(&mut self, step: &Arc<str>, spent: Duration) {
        self.steps.push((Arc::clone(step), spent));
    }

    /// A handler whose `before` was measured spent this on the way out, or in waiting.
    pub(crate) fn add(&mut self, step: &str, spent: Duration) {
        let known = self.steps.iter_mut().rev().find(|(known, _)| **known == *step);
        if let Some((_, sum)) = known {
            *sum += spent;
        }
    }

    /// The handler that was entered last begins to wait.
    pub(crate) fn wait(&mut self, now: Instant) {
        self.waits = Some(now);
    }

    /// It does not wait any more.
    pub(crate) fn waited(&mut self, now: Instant) {
        if let (Some(since), Some((_, sum))) = (self.waits.take(), self.steps.last_mut()) {
            *sum += now.duration_since(since);
        }
    }
}
