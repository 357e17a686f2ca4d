//! Replies that are kept for those who ask for the same, never more than fit.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::Response;
use http::header::{AGE, HeaderMap, HeaderName, HeaderValue};
use http::{StatusCode, header};

use super::name::Digest;
use crate::clock::{Clock, Instant};
use crate::lock::locked;
use crate::reply::Reply;

/// How many replies to one call are kept that differ by what `Vary` names.
const VARIANTS: usize = 16;
/// What a reply takes beside its texts: itself, its place in the order, and what the maps take.
pub(super) const EACH: usize =
    2 * (size_of::<Digest>() + size_of::<Stored>() + size_of::<(Place, Digest)>()) + size_of::<Kept>();
/// What a field takes beside its texts.
const FIELD: usize = 128;

/// A reply that is kept.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// How old it was when it came.
    pub(super) age: Duration,
    pub(super) since: Instant,
}

impl Kept {
    /// The reply once more, with its age (RFC 9111 §5.1).
    pub(super) fn reply(&self, now: Instant) -> Reply {
        let mut response = Response::new(Body::from(self.body.clone()));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers.clone();
        response.headers_mut().insert(AGE, HeaderValue::from(self.age_at(now).as_secs()));
        Reply::from(response)
    }

    pub(super) fn age_at(&self, now: Instant) -> Duration {
        self.age + now.saturating_duration_since(self.since)
    }

    fn weight(&self) -> usize {
        let fields = self.headers.iter().map(|(name, value)| FIELD + name.as_str().len() + value.len());
        EACH + self.body.len() + fields.sum::<usize>()
    }
}

/// The fields of a call that a reply depends on, and what they said.
pub(super) type Selecting = Vec<(HeaderName, Vec<HeaderValue>)>;

/// What a reply depends on, as its `Vary` says; `None` if nobody can tell (RFC 9111 §4.1).
pub(super) fn selecting(call: &HeaderMap, reply: &HeaderMap) -> Option<Selecting> {
    let values = reply.get_all(header::VARY).iter().map(|value| value.to_str().unwrap_or("*"));
    let names = values.flat_map(|value| value.split(',')).map(str::trim).filter(|name| !name.is_empty());
    // `*` is no name.
    let names = names.map(|name| if name == "*" { None } else { name.parse::<HeaderName>().ok() });
    names.map(|name| name.map(|name| (said(call, &name), name)).map(|(said, name)| (name, said))).collect()
}

fn said(call: &HeaderMap, name: &HeaderName) -> Vec<HeaderValue> {
    call.get_all(name).iter().cloned().collect()
}

/// All replies that are kept.
pub(super) struct Shelf {
    clock: Clock,
    room: usize,
    state: Mutex<State>,
}

/// Until when, and which of those that are kept as long.
type Place = (Instant, u64);

#[derive(Default)]
struct State {
    calls: HashMap<Digest, Vec<Stored>>,
    order: BTreeMap<Place, Digest>,
    taken: usize,
    next: u64,
}

struct Stored {
    place: Place,
    selecting: Selecting,
    weight: usize,
    /// `None` for what is known not to be kept: nobody needs to wait for it.
    kept: Option<Arc<Kept>>,
}

/// What is known about a call.
pub(super) enum Known {
    Nothing,
    /// This answers it.
    Reply(Arc<Kept>),
    /// What answered it was not to be kept.
    NotKept,
}

impl Shelf {
    pub(super) fn new(clock: Clock, room: usize) -> Self {
        Self { clock, room, state: Mutex::default() }
    }

    /// What is known about this call.
    pub(super) fn find(&self, name: &Digest, call: &HeaderMap) -> Known {
        let now = self.clock.now();
        let state = locked(&self.state);
        let variants = state.calls.get(name).map_or(&[][..], Vec::as_slice);
        let fits = |stored: &&Stored| stored.place.0 > now && stored.fits(call);
        match variants.iter().find(fits) {
            None => Known::Nothing,
            Some(Stored { kept: None, .. }) => Known::NotKept,
            Some(Stored { kept: Some(kept), .. }) => Known::Reply(Arc::clone(kept)),
        }
    }

    /// Keeps a reply for so long, or that there is none to keep. The first to expire give way.
    pub(super) fn keep(&self, name: Digest, selecting: Selecting, kept: Option<Arc<Kept>>, fresh: Duration) {
        let now = self.clock.now();
        let fields = selecting.iter().map(|(name, values)| {
            FIELD + name.as_str().len() + values.iter().map(|value| FIELD + value.len()).sum::<usize>()
        });
        let weight = kept.as_ref().map_or(EACH, |kept| kept.weight()) + fields.sum::<usize>();
        let mut state = locked(&self.state);
        state.expire(now);
        state.drop_variant(&name, &selecting);
        if weight > self.room {
            return;
        }
        while state.taken + weight > self.room && state.drop_first() {}
        state.next += 1;
        let place = (now + fresh, state.next);
        state.taken += weight;
        state.order.insert(place, name);
        state.calls.entry(name).or_default().push(Stored { place, selecting, weight, kept });
    }

    /// Forgets what is kept of this call.
    pub(super) fn forget(&self, name: &Digest) {
        let mut state = locked(&self.state);
        while let Some(place) = state.calls.get(name).and_then(|variants| Some(variants.first()?.place)) {
            state.remove(name, place);
        }
    }

    /// How many replies are kept, and how many bytes they take.
    pub(super) fn size(&self) -> (usize, usize) {
        let state = locked(&self.state);
        (state.order.len(), state.taken)
    }
}

impl Stored {
    fn fits(&self, call: &HeaderMap) -> bool {
        self.selecting.iter().all(|(name, values)| call.get_all(name).iter().eq(values))
    }
}

impl State {
    fn expire(&mut self, now: Instant) {
        while self.order.first_key_value().is_some_and(|((until, _), _)| *until <= now) {
            self.drop_first();
        }
    }

    fn drop_first(&mut self) -> bool {
        let first = self.order.first_key_value().map(|(place, name)| (*place, *name));
        first.inspect(|(place, name)| self.remove(name, *place)).is_some()
    }

    /// Makes room for a variant: the one it takes the place of goes, and the first where there are too many.
    fn drop_variant(&mut self, name: &Digest, selecting: &Selecting) {
        let Some(variants) = self.calls.get(name) else { return };
        let same = variants.iter().find(|stored| stored.selecting == *selecting);
        let crowded = || variants.first().filter(|_| variants.len() >= VARIANTS);
        if let Some(place) = same.or_else(crowded).map(|stored| stored.place) {
            self.remove(name, place);
        }
    }

    fn remove(&mut self, name: &Digest, place: Place) {
        self.order.remove(&place);
        let Some(variants) = self.calls.get_mut(name) else { return };
        if let Some(at) = variants.iter().position(|stored| stored.place == place) {
            self.taken -= variants.remove(at).weight;
        }
        if variants.is_empty() {
            self.calls.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reply(length: usize) -> Option<Arc<Kept>> {
        let body = Bytes::from(vec![0; length]);
        let since = Clock::system().now();
        Some(Arc::new(Kept { status: StatusCode::OK, headers: HeaderMap::new(), body, age: Duration::ZERO, since }))
    }

    proptest! {
        #[test]
        fn it_never_takes_more_than_its_room(steps in proptest::collection::vec((0..9_u8, 0..30_u8, 0..2000_usize, 0..9_u64), 1..300)) {
            let room = 10 * EACH + 5000;
            let shelf = Shelf::new(Clock::system(), room);
            for (name, variant, length, fresh) in steps {
                let selecting = vec![(header::ACCEPT, vec![HeaderValue::from(u64::from(variant))])];
                match length {
                    0 => shelf.forget(&[name; 32]),
                    1..200 => shelf.keep([name; 32], selecting, None, Duration::from_secs(fresh)),
                    length => shelf.keep([name; 32], selecting, reply(length), Duration::from_secs(fresh)),
                }
                let state = locked(&shelf.state);
                prop_assert!(state.taken <= room);
                let stored: Vec<_> = state.calls.values().flatten().collect();
                prop_assert_eq!(stored.iter().map(|stored| stored.weight).sum::<usize>(), state.taken);
                prop_assert_eq!(stored.len(), state.order.len());
                prop_assert!(state.calls.values().all(|variants| (1..=VARIANTS).contains(&variants.len())));
            }
        }
    }
}
