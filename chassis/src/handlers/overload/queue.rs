//! Who waits at the gate, and in which order they go in.

use tokio::sync::oneshot;

use super::class::Criticality;
use super::gate::Permit;
use crate::clock::Instant;
use crate::handler::line::Line;

/// Calls that wait, the more critical ones before the others. Each criticality has a [`Line`] of its own.
#[derive(Default)]
pub(super) struct Queue([Line<Permit>; Criticality::ALL.len()]);

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.0.iter().map(Line::len).sum()
    }

    /// Whether somebody waits who goes before a newcomer of this criticality.
    pub(super) fn has(&self, class: Criticality) -> bool {
        self.0[class.place()..].iter().any(|line| line.len() > 0)
    }

    pub(super) fn join(
        &mut self,
        class: Criticality,
        now: Instant,
        deadline: Option<Instant>,
    ) -> oneshot::Receiver<Permit> {
        self.0[class.place()].join(now, deadline)
    }

    /// Sends the one away that is missed least, for one of this criticality. `false` if all are as critical.
    pub(super) fn give_way(&mut self, class: Criticality) -> bool {
        self.0[..class.place()].iter_mut().any(Line::drop_oldest)
    }

    /// Whose turn it is: the first whom `admit` lets in.
    pub(super) fn next(
        &mut self,
        now: Instant,
        admit: impl Fn(Criticality) -> bool,
    ) -> Option<oneshot::Sender<Permit>> {
        let mut classes = Criticality::ALL.into_iter().rev();
        classes.find_map(|class| self.0[class.place()].next(now, || admit(class)))
    }

    /// Forgets who waits in vain.
    pub(super) fn tidy(&mut self, now: Instant) {
        self.0.iter_mut().for_each(|line| line.tidy(now));
    }
}
