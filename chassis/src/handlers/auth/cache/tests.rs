//! Proves what the cache of tokens promises.

use super::*;
use crate::clock::Clock;
use crate::conf::{Interval, Size};
use crate::handlers::auth::algorithm::Algorithm;
use crate::handlers::auth::keys::{Allowed, KeySet};
use crate::handlers::auth::tests::{SECRET, secrets};

const LONGEST: usize = 2 << 10;
const HOUR: Duration = Duration::from_secs(3_600);

fn cache(max: usize) -> Cache {
    Cache::new(&conf::Cache { max, max_age: Interval::mins(5), memory: Size::mib(64) }, LONGEST).unwrap()
}

fn keep(cache: &Cache, token: &str, subject: &str, now: Instant, rest: Duration) {
    keep_by(cache, token, subject, Standing::new(), (now, rest));
}

fn keep_by(cache: &Cache, token: &str, subject: &str, standing: Standing, (now, rest): (Instant, Duration)) {
    let principal = Principal::new(Identity { subject: subject.to_owned(), ..Identity::default() });
    cache.keep(token, (&Verified { principal, until: 0 }, standing), now, rest);
}

fn token(number: usize) -> String {
    format!("header.claims-of-{number}.{:064}", number.wrapping_mul(0x9e37_79b9))
}

fn kept(cache: &Cache) -> usize {
    let places = cache.sets.get().into_iter().flatten().flat_map(|set| &set.places);
    places.filter(|place| place.load().is_some()).count()
}

#[test]
fn a_token_is_remembered_until_it_expires_or_is_too_old() {
    let (cache, now) = (cache(8), Clock::system().now());
    keep(&cache, "long", "a", now, HOUR);
    keep(&cache, "short", "b", now, Duration::from_secs(2));
    let found = |token, after| cache.find(token, now + after).map(|caller| caller.subject().to_owned());
    assert_eq!(found("long", Duration::from_secs(299)).as_deref(), Some("a"));
    assert_eq!(found("long", Duration::from_secs(300)), None);
    assert_eq!(found("short", Duration::from_secs(1)).as_deref(), Some("b"));
    assert_eq!(found("short", Duration::from_secs(2)), None);
    assert_eq!(found("other", Duration::ZERO), None);
}

#[test]
fn what_a_key_proved_goes_with_its_trust() {
    let (cache, now) = (cache(8), Clock::system().now());
    let set = |id: &str| {
        let keys = secrets(id, SECRET).to_string();
        let allowed = Allowed { algorithms: &[Algorithm::HS256], short_secrets: false };
        KeySet::parse(keys.as_bytes(), allowed).unwrap()
    };
    let (old, mut new) = (set("a"), set("b"));
    let standing = old.candidates(Some("a"), "HS256").next().unwrap().standing.clone();
    keep_by(&cache, "old", "a", standing, (now, HOUR));
    keep(&cache, "other", "b", now, HOUR);
    new.succeed(&old);
    assert!(cache.find("old", now).is_some());
    old.give_way(&new);
    assert!(cache.find("old", now).is_none() && cache.find("other", now).is_some());
}

#[test]
fn all_of_them_stay_within_their_memory() {
    let now = Clock::system().now();
    let memory = Size::kib(64);
    let cache = Cache::new(&conf::Cache { max: 1_000, max_age: Interval::mins(5), memory }, LONGEST).unwrap();
    for number in 0..1_000 {
        keep(&cache, &token(number), &"long".repeat(250), now, HOUR);
        assert!(cache.taken.load(Ordering::Relaxed) <= memory.length());
    }
    assert!(kept(&cache) > 10, "{}", kept(&cache));
    let weights = cache.sets.get().into_iter().flatten().flat_map(|set| &set.places);
    let weights = weights.filter_map(|place| Some(place.load().as_ref()?.kept.weight)).sum::<usize>();
    assert_eq!(cache.taken.load(Ordering::Relaxed), weights);
    keep(&cache, "token", &"x".repeat(65 << 10), now, HOUR);
    assert!(cache.find("token", now).is_none(), "larger than all there is");
}

#[test]
fn tokens_are_compared_whole() {
    let (cache, now) = (cache(64), Clock::system().now());
    keep(&cache, &token(1), "a", now, HOUR);
    assert!(cache.find(token(1), now).is_some());
    assert!(cache.find(token(1).replace("header", "Header"), now).is_none());
    assert!(cache.find(&token(1)[1..], now).is_none());
}

#[test]
fn tokens_of_every_length_are_compared_whole() {
    let (cache, now) = (cache(64), Clock::system().now());
    for length in [7, 15, 16, 17, 31, 32, 250, LONGEST] {
        let token: String = (0..length).map(|at| char::from(b'a' + (at % 26) as u8)).collect();
        keep(&cache, &token, "a", now, HOUR);
        assert!(cache.find(&token, now).is_some(), "{length}");
        for at in [0, length / 2, length.saturating_sub(17), length - 1] {
            let mut other = token.clone().into_bytes();
            other[at] = b'-';
            assert!(cache.find(&other, now).is_none(), "{at} of {length}");
        }
        assert!(cache.find(&token[1..], now).is_none() && cache.find(format!("a{token}"), now).is_none(), "{length}");
    }
    let longer = "a".repeat(LONGEST + 16);
    keep(&cache, &longer, "a", now, HOUR);
    assert!(cache.find(&longer, now).is_none());
}

#[test]
fn every_thread_finds_the_same_caller_and_counts_on_its_own() {
    let (cache, now) = (cache(8), Clock::system().now());
    keep(&cache, &token(1), "a", now, HOUR);
    let place = || cache.sets.get().unwrap().iter().flat_map(|set| &set.places).find_map(ArcSwapOption::load_full);
    let here = cache.find(token(1), now).unwrap();
    assert_eq!(Arc::strong_count(&place().unwrap()), 3, "the place, the look at it, and the caller");
    std::thread::scope(|scope| {
        let threads: Vec<_> = (1..LANES).map(|_| scope.spawn(|| cache.find(token(1), now).unwrap())).collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), here);
        }
    });
    assert!(place().unwrap().kept.others.get().is_some());
}

#[test]
fn no_more_is_kept_than_configured() {
    let now = Clock::system().now();
    for max in [1, 2, 7, 8, 9, 17, 64, 100] {
        let cache = cache(max);
        for number in 0..1_000 {
            keep(&cache, &token(number), "a", now, HOUR);
            keep(&cache, &token(number), "a", now, HOUR);
            assert!(cache.find(token(number), now).is_some(), "the latest is always there");
            assert!(kept(&cache) <= max, "{} of {max}", kept(&cache));
        }
        assert_eq!(kept(&cache), max);
    }
    let none = cache(0);
    keep(&none, &token(1), "a", now, HOUR);
    assert_eq!(kept(&none), 0);
}

#[test]
fn what_is_no_longer_good_gives_way_first() {
    let (cache, now) = (cache(8), Clock::system().now());
    (0..7).for_each(|number| keep(&cache, &token(number), "a", now, HOUR));
    keep(&cache, &token(7), "a", now, Duration::from_secs(1));
    let later = now + Duration::from_secs(2);
    keep(&cache, &token(8), "a", later, HOUR);
    assert!((0..7).chain([8]).all(|number| cache.find(token(number), later).is_some()));
}

#[test]
fn tokens_in_rotation_find_a_place() {
    let found = |places| {
        let (cache, now) = (cache(places), Clock::system().now());
        (0..10_000).for_each(|number| keep(&cache, &token(number), "a", now, HOUR));
        (0..10_000).filter(|number| cache.find(token(*number), now).is_some()).count()
    };
    let (full, roomy) = (found(10_000), found(16_384));
    assert!(full > 9_400 && roomy > 9_990, "{full} and {roomy} of 10000");
}

#[test]
fn threads_that_meet_never_mistake_one_token_for_another() {
    let (cache, now) = (cache(16), Clock::system().now());
    std::thread::scope(|scope| {
        for start in 0..4 {
            let cache = &cache;
            scope.spawn(move || {
                for number in (0..2_000).map(|at| (at * 7 + start) % 40) {
                    let subject = number.to_string();
                    keep(cache, &token(number), &subject, now, HOUR);
                    let found = cache.find(token(number), now);
                    assert!(found.is_none_or(|caller| caller.subject() == subject));
                }
            });
        }
    });
}
