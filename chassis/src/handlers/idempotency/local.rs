//! Keeps answers in the memory of this process, never more than fit.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::key::Digest;
use super::store::{End, Ended, Record, Standing, Store};
use crate::clock::{Clock, Instant};
use crate::lock::locked;
use crate::metrics::Counter;
use crate::schema::BoxFuture;

/// What an entry takes beside its answer: itself, its place in the order, and what the maps take for both.
pub(super) const EACH: usize = 2 * (size_of::<(Digest, Entry)>() + size_of::<(Place, Digest)>());

/// Keeps answers in memory. When they become too many the oldest go before their time, or no more are taken.
pub(super) struct Local {
    clock: Clock,
    ttl: Duration,
    room: usize,
    /// `None` lets nothing go before its time.
    evicted: Option<Counter>,
    state: Mutex<State>,
}

/// Until when, and which of those that last as long.
type Place = (Instant, u64);

#[derive(Default)]
struct State {
    entries: HashMap<Digest, Entry>,
    /// The names by how long they are kept. What is under way is not in it.
    order: BTreeMap<Place, Digest>,
    taken: usize,
    next: u64,
}

struct Entry {
    number: u64,
    fingerprint: Digest,
    stage: Stage,
}

enum Stage {
    Running,
    Over { until: Instant, outcome: Outcome },
}

/// How a call ended that is remembered.
enum Outcome {
    Answered(Arc<Record>),
    Unkept,
    Unknown,
}

impl Local {
    pub(super) fn new(clock: Clock, ttl: Duration, room: usize, evicted: Option<Counter>) -> Self {
        Self { clock, ttl, room, evicted, state: Mutex::default() }
    }

    /// How many calls are known, and how many bytes they take.
    pub(super) fn size(&self) -> (usize, usize) {
        let state = locked(&self.state);
        (state.entries.len(), state.taken)
    }

    fn start(&self, name: Digest, fingerprint: Digest) -> Standing {
        let mut state = locked(&self.state);
        state.expire(self.clock.now());
        if let Some(entry) = state.entries.get(&name) {
            return entry.standing(&fingerprint);
        }
        if !self.make_room(&mut state, EACH) {
            return Standing::Full;
        }
        state.next += 1;
        let number = state.next;
        state.taken += EACH;
        state.entries.insert(name, Entry { number, fingerprint, stage: Stage::Running });
        Standing::Begun(number)
    }

    /// Whether so many bytes more have room, when what may go is gone.
    fn make_room(&self, state: &mut State, more: usize) -> bool {
        while state.taken + more > self.room {
            let Some(evicted) = self.evicted.as_ref().filter(|_| state.drop_oldest()) else { return false };
            evicted.increment();
        }
        true
    }

    fn finish(&self, name: Digest, number: u64, end: End) {
        let mut state = locked(&self.state);
        let is_it = state.entries.get(&name).is_some_and(|entry| entry.number == number && entry.is_running());
        if !is_it {
            return;
        }
        let outcome = match end {
            End::Forgotten => return state.remove(&name),
            End::Answered(record) if self.make_room(&mut state, record.weight()) => Outcome::Answered(Arc::new(record)),
            // An answer that finds no room is not kept; that there was one is.
            End::Answered(_) | End::Unkept => Outcome::Unkept,
            End::Unknown => Outcome::Unknown,
        };
        state.taken += outcome.weight();
        let until = self.clock.now() + self.ttl;
        state.order.insert((until, number), name);
        if let Some(entry) = state.entries.get_mut(&name) {
            entry.stage = Stage::Over { until, outcome };
        }
    }
}

impl Store for Local {
    // A call of this process always ends: its ticket is dropped with it. So no lease runs out.
    fn begin(&self, name: Digest, fingerprint: Digest, _: Duration) -> BoxFuture<'_, Standing> {
        Box::pin(std::future::ready(self.start(name, fingerprint)))
    }

    fn end(&self, name: Digest, number: u64, end: End) -> Ended {
        self.finish(name, number, end);
        Box::pin(std::future::ready(()))
    }
}

impl Entry {
    fn is_running(&self) -> bool {
        matches!(self.stage, Stage::Running)
    }

    fn standing(&self, fingerprint: &Digest) -> Standing {
        match &self.stage {
            _ if self.fingerprint != *fingerprint => Standing::Differs,
            Stage::Running => Standing::Running,
            Stage::Over { outcome: Outcome::Answered(record), .. } => Standing::Answered(Arc::clone(record)),
            Stage::Over { outcome: Outcome::Unkept, .. } => Standing::Unkept,
            Stage::Over { outcome: Outcome::Unknown, .. } => Standing::Unknown,
        }
    }
}

impl Outcome {
    fn weight(&self) -> usize {
        match self {
            Self::Answered(record) => record.weight(),
            Self::Unkept | Self::Unknown => 0,
        }
    }
}

impl State {
    fn expire(&mut self, now: Instant) {
        while self.order.first_key_value().is_some_and(|((until, _), _)| *until <= now) {
            self.drop_oldest();
        }
    }

    /// Drops the answer that would be the next to go. `false` if there is none.
    fn drop_oldest(&mut self) -> bool {
        let Some((_, name)) = self.order.pop_first() else { return false };
        self.remove(&name);
        true
    }

    fn remove(&mut self, name: &Digest) {
        let Some(Entry { number, stage, .. }) = self.entries.remove(name) else { return };
        self.taken -= EACH;
        if let Stage::Over { until, outcome } = stage {
            self.order.remove(&(until, number));
            self.taken -= outcome.weight();
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use http::{HeaderMap, StatusCode};
    use proptest::prelude::*;

    use super::*;
    use crate::metrics::{Kind, Metrics, Spec, Unit};

    static EVICTED: Spec =
        Spec { name: "test.evicted", help: "Those that went.", unit: Unit::Count("record"), kind: Kind::Counter };

    fn local(room: usize, evicts: bool) -> Local {
        let evicted = Metrics::default().counter(&EVICTED, Default::default());
        Local::new(Clock::system(), Duration::from_secs(60), room, evicts.then_some(evicted))
    }

    fn record(length: usize) -> End {
        let body = Bytes::from(vec![0; length]);
        End::Answered(Record { status: StatusCode::OK, headers: HeaderMap::new(), body })
    }

    fn begun(store: &Local, name: u8) -> u64 {
        match store.start([name; 32], [0; 32]) {
            Standing::Begun(number) => number,
            standing => panic!("{name}: {standing:?}"),
        }
    }

    fn answered(store: &Local, name: u8, length: usize) {
        let number = begun(store, name);
        store.finish([name; 32], number, record(length));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_kept_for_its_time() {
        let store = local(1 << 20, true);
        answered(&store, 1, 10);
        assert!(matches!(store.start([1; 32], [0; 32]), Standing::Answered(_)));
        assert!(matches!(store.start([1; 32], [9; 32]), Standing::Differs));
        tokio::time::advance(Duration::from_secs(60)).await;
        begun(&store, 1);
        assert_eq!(store.size(), (1, EACH));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_under_way_stays_and_only_its_own_number_ends_it() {
        let store = local(1 << 20, true);
        let number = begun(&store, 1);
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert!(matches!(store.start([1; 32], [0; 32]), Standing::Running));
        store.finish([1; 32], number + 1, End::Forgotten);
        assert!(matches!(store.start([1; 32], [0; 32]), Standing::Running));
        store.finish([1; 32], number, End::Forgotten);
        assert_eq!(store.size(), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn when_there_is_no_room_the_oldest_goes_or_nobody_comes() {
        let room = 2 * EACH + 200;
        let store = local(room, true);
        answered(&store, 1, 100);
        answered(&store, 2, 100);
        answered(&store, 3, 100);
        begun(&store, 1);
        assert!(store.size().1 <= room);
        let store = local(room, false);
        answered(&store, 1, 100);
        answered(&store, 2, 100);
        assert!(matches!(store.start([3; 32], [0; 32]), Standing::Full));
        assert!(matches!(store.start([1; 32], [0; 32]), Standing::Answered(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_without_room_is_known_to_have_been_given() {
        let store = local(EACH + 10, true);
        answered(&store, 1, 100);
        assert!(matches!(store.start([1; 32], [0; 32]), Standing::Unkept));
    }

    proptest! {
        #[test]
        fn it_never_takes_more_than_its_room(steps in proptest::collection::vec((0..20_u8, 0..400_usize, 0..5_u8), 1..200)) {
            let store = local(5 * EACH + 500, true);
            let mut running = HashMap::new();
            for (name, length, what) in steps {
                if let Some(number) = running.remove(&name) {
                    let end = match what { 0 => End::Forgotten, 1 => End::Unkept, 2 => End::Unknown, _ => record(length) };
                    store.finish([name; 32], number, end);
                } else if let Standing::Begun(number) = store.start([name; 32], [0; 32]) {
                    running.insert(name, number);
                }
                prop_assert!(store.size().1 <= 5 * EACH + 500);
                prop_assert!(store.size().0 >= running.len());
            }
        }
    }
}
