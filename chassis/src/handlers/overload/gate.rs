//! A gate that lets in as many calls as the limit of the moment allows, and keeps others in a short queue.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;

use super::class::Criticality;
use super::policy::Thresholds;
use super::queue::Queue;
use crate::clock::{Clock, Instant};
use crate::handler::line::Line;
use crate::lock::locked;

/// Lets calls in, the more critical ones first.
///
/// Who finds room goes in with one atomic step. A call that leaves looks whether somebody waits, and one that waits
/// looks for room after it said so: one of the two sees the other.
pub(super) struct Gate {
    limit: AtomicUsize,
    inside: AtomicUsize,
    waiting: AtomicUsize,
    places: usize,
    /// In millionths of the limit, by criticality.
    thresholds: [usize; Criticality::ALL.len()],
    clock: Clock,
    queue: Mutex<Queue>,
}

/// What a call meets at the gate.
pub(super) enum Way {
    /// It is in, and must leave.
    Open,
    /// It may wait for its turn. The turn never comes when it is sent away.
    Later(oneshot::Receiver<Permit>),
    /// There is no room, not even in the queue.
    Closed,
    /// Its deadline would pass before anybody could answer it.
    Late,
}

/// A place inside that is not taken yet. Dropping it lets the next one in.
pub(super) struct Permit(Option<Arc<Gate>>);

impl Permit {
    /// Takes the place: whoever has it must [`Gate::leave`].
    pub(super) fn take(mut self) {
        self.0 = None;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(gate) = self.0.take() {
            gate.leave();
        }
    }
}

impl Gate {
    pub(super) fn new(limit: usize, places: u32, thresholds: Thresholds, clock: Clock) -> Arc<Self> {
        Arc::new(Self {
            limit: AtomicUsize::new(limit),
            inside: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            places: usize::try_from(places).unwrap_or(usize::MAX),
            thresholds: thresholds.by_place().map(|share| (share.of_one() * MILLION as f64).round() as usize),
            clock,
            queue: Mutex::default(),
        })
    }

    /// The most memory that so many calls in the queue take, beside what the calls themselves do.
    pub(super) fn memory_bound(places: u32) -> usize {
        usize::try_from(places).unwrap_or(usize::MAX).saturating_mul(Line::<Permit>::bytes_each())
    }

    /// Asks to go in. `soonest` is when the call could be answered at best.
    pub(super) fn enter(
        self: &Arc<Self>,
        class: Criticality,
        deadline: Option<Instant>,
        soonest: impl FnOnce(Instant) -> Instant,
    ) -> Way {
        // Who waits goes first.
        if self.waiting.load(Ordering::SeqCst) == 0 && self.admit(class) {
            return Way::Open;
        }
        self.line_up(class, deadline, soonest)
    }

    /// Goes in, whatever the limit says.
    pub(super) fn force(&self) {
        self.inside.fetch_add(1, Ordering::SeqCst);
    }

    /// Goes out, and lets those in for whom there is room.
    pub(super) fn leave(self: &Arc<Self>) {
        self.inside.fetch_sub(1, Ordering::SeqCst);
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.let_in();
        }
    }

    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    /// How many may be inside.
    pub(super) fn limit(&self) -> usize {
        self.limit.load(Ordering::Relaxed)
    }

    /// Sets how many may be inside. The next that leaves lets in who finds room now.
    pub(super) fn set_limit(&self, limit: usize) {
        self.limit.store(limit, Ordering::Relaxed);
    }

    /// How many are inside.
    pub(super) fn inside(&self) -> usize {
        self.inside.load(Ordering::Relaxed)
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// How many may be inside before calls of this criticality are refused.
    pub(super) fn room(&self, class: Criticality) -> usize {
        (self.limit() * self.thresholds[class.place()]).div_ceil(MILLION)
    }

    /// Takes a place if there is room.
    fn admit(&self, class: Criticality) -> bool {
        let room = self.room(class);
        let more = |inside| (inside < room).then_some(inside + 1);
        self.inside.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).is_ok()
    }

    #[cold]
    fn line_up(
        self: &Arc<Self>,
        class: Criticality,
        deadline: Option<Instant>,
        soonest: impl FnOnce(Instant) -> Instant,
    ) -> Way {
        let mut queue = locked(&self.queue);
        let now = self.clock.now();
        queue.tidy(now);
        self.waiting.store(queue.len() + 1, Ordering::SeqCst);
        let way = if !queue.has(class) && self.admit(class) {
            Way::Open
        } else if deadline.is_some_and(|deadline| deadline < soonest(now)) {
            Way::Late
        } else if self.room(class) > 0 && (queue.len() < self.places || queue.give_way(class)) {
            Way::Later(queue.join(class, now, deadline))
        } else {
            Way::Closed
        };
        self.waiting.store(queue.len(), Ordering::SeqCst);
        way
    }

    fn let_in(self: &Arc<Self>) {
        // Handed over outside the lock: a permit that nobody takes any more must not try to lock it again.
        while let Some(next) = self.next() {
            if let Err(unwanted) = next.send(Permit(Some(Arc::clone(self)))) {
                unwanted.take();
                self.inside.fetch_sub(1, Ordering::SeqCst);
            }
        }
    }

    /// Takes one out of the queue and a place for it, if there is room.
    fn next(&self) -> Option<oneshot::Sender<Permit>> {
        let mut queue = locked(&self.queue);
        let next = queue.next(self.clock.now(), |class| self.admit(class));
        self.waiting.store(queue.len(), Ordering::SeqCst);
        next
    }
}

const MILLION: usize = 1_000_000;
