//! The table of keys: bounded, exact while there is room, and one bucket a key however many make it at once.

use std::collections::HashMap;
use std::sync::Barrier;
use std::thread;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// A name as the keyed hash would give it: spread over all bits.
fn name(key: u64) -> Name {
    let mix = |seed: u64| {
        let z = (key + 1).wrapping_mul(seed);
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    Name { place: mix(0x9e37_79b9_7f4a_7c15), exact: [key + 1, 0] }
}

fn table(max: usize) -> Table {
    let counter = crate::handlers::rate_limit::metric::overflowed(&crate::metrics::Metrics::default(), "p");
    Table::new(max, counter)
}

/// Uses a key up to `until`.
fn take(table: &Table, key: u64, now: u64, until: u64) -> Update {
    table.update(name(key), now, |tat| (tat <= now).then_some(until))
}

fn overflowed(table: &Table) -> u64 {
    assert_eq!(table.counter.count(), table.overflowed.load(Ordering::Relaxed));
    table.counter.count()
}

fn live(table: &Table, now: u64) -> usize {
    let slots = table.shards.iter().filter_map(|shard| shard.slots.get()).flatten();
    slots.filter(|slot| slot.tat.load(Ordering::Relaxed) > now).count()
}

#[test]
fn every_key_has_its_own_state() {
    let table = table(100_000);
    for key in 0..5_000 {
        assert_eq!(take(&table, key, 5, 1_000 + key), Update { before: 0, changed: true });
    }
    for key in 0..5_000 {
        assert_eq!(table.peek(name(key)), 1_000 + key);
        assert_eq!(take(&table, key, 5, 9), Update { before: 1_000 + key, changed: false });
    }
    assert_eq!((table.peek(name(5_000)), overflowed(&table)), (0, 0));
}

#[test]
fn a_full_table_shares_buckets_and_counts_that() {
    let table = table(3);
    for key in 0..3 {
        assert!(take(&table, key, 0, 100).changed);
    }
    let passed = (3..1_000).filter(|key| take(&table, *key, 0, 100).changed).count();
    assert_eq!((passed, overflowed(&table)), (SHARED, 997));
    assert_eq!((live(&table, 0), table.peek(name(0))), (3, 100));
}

#[test]
fn a_key_that_expired_makes_room_for_another() {
    let table = table(2);
    assert!(take(&table, 0, 0, 10).changed);
    assert!(take(&table, 1, 0, 20).changed);
    assert_eq!(take(&table, 2, 10, 30), Update { before: 0, changed: true });
    assert_eq!([0, 1, 2].map(|key| table.peek(name(key))), [0, 20, 30]);
    assert_eq!(overflowed(&table), 0);
}

#[test]
fn a_key_that_is_refused_takes_no_room() {
    let table = table(2);
    assert_eq!(table.update(name(0), 0, |_| None), Update { before: 0, changed: false });
    assert_eq!(table.used.load(Ordering::Relaxed), 0);
}

#[test]
fn all_keys_that_are_allowed_for_practically_find_room() {
    let table = table(20_000);
    for key in 0..20_000 {
        take(&table, key, 0, 100);
    }
    assert!(overflowed(&table) < 20, "{}", overflowed(&table));
    for key in 20_000..30_000 {
        take(&table, key, 0, 100);
    }
    assert!((19_980..=20_000).contains(&live(&table, 0)));
}

#[test]
fn a_flood_leaves_no_trace_once_it_expired() {
    let table = table(1_000);
    for key in 0..10_000 {
        take(&table, key, 0, 100);
    }
    let before = overflowed(&table);
    for key in 10_000..10_900 {
        take(&table, key, 100, 200);
    }
    let shared = overflowed(&table) - before;
    assert!(shared < 10 && live(&table, 100) as u64 == 900 - shared, "{shared}");
}

#[test]
fn memory_is_thirty_bytes_a_key() {
    let bound = table(100_000).memory_bound();
    assert!(bound < 100_000 * 30 + 16_384, "{bound}");
}

#[test]
fn a_place_that_is_held_and_let_go_leaves_no_trace() {
    let table = table(2);
    drop(table.seat(name(0), 0));
    assert_eq!((table.used.load(Ordering::Relaxed), live(&table, 0)), (0, 0));
    table.seat(name(0), 0).commit(10);
    drop(table.seat(name(0), 0));
    assert_eq!((table.peek(name(0)), table.used.load(Ordering::Relaxed)), (10, 1));
    // An expired key may lose its slot: it is as good as absent.
    table.seat(name(1), 0).commit(20);
    drop(table.seat(name(2), 15));
    assert_eq!([0, 1, 2].map(|key| table.peek(name(key))), [0, 20, 0]);
    table.seat(name(2), 15).commit(30);
    assert_eq!((table.peek(name(2)), table.used.load(Ordering::Relaxed), overflowed(&table)), (30, 2, 0));
}

#[test]
fn a_place_in_a_full_table_is_that_of_a_shared_bucket() {
    let table = table(1);
    table.seat(name(0), 0).commit(100);
    let held: Vec<_> =
        (1..200).map(|key| table.seat(name(key), 0)).map(|seat| (seat.before(), seat.commit(50)).0).collect();
    assert_eq!(held.iter().filter(|before| **before == 0).count(), SHARED);
    assert_eq!((live(&table, 0), overflowed(&table)), (1, 199));
}

/// Threads hold places and mostly let them go: nobody's state is lost, and nobody waits for ever.
#[test]
fn places_are_held_by_one_at_a_time() {
    const KEYS: u64 = 6;
    let (table, barrier) = (table(4), Barrier::new(8));
    let come = |thread: u64| {
        barrier.wait();
        for round in 0..400 {
            let seat = table.seat(name((round + thread) % KEYS), 0);
            if round % 4 == 0 {
                let next = seat.before() + 1;
                seat.commit(next);
            }
        }
    };
    thread::scope(|scope| (0..8).for_each(|at| drop(scope.spawn(move || come(at)))));
    let shared: u64 = table.shared.iter().map(|bucket| bucket.load(Ordering::Relaxed)).sum();
    let own: u64 = (0..KEYS).map(|key| table.peek(name(key))).sum();
    assert_eq!(shared + own, 8 * 100);
}

/// Sixty-four threads come with the same keys at the same time: each key admits one of them.
#[test]
fn a_key_is_made_once_however_many_make_it() {
    const THREADS: usize = 64;
    let (table, barrier) = (table(10_000), Barrier::new(THREADS));
    let passed: Vec<usize> = thread::scope(|scope| {
        let come = || {
            barrier.wait();
            (0..500).filter(|key| take(&table, *key, 0, 100).changed).count()
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(come)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(passed.iter().sum::<usize>(), 500);
    assert_eq!(live(&table, 0), 500);
}

/// Threads fight for the slots of expired keys: nobody's state is ever taken for another's.
#[test]
fn slots_change_hands_without_mixing_up_keys() {
    const KEYS: usize = 24;
    const ROUNDS: usize = 300;
    const THREADS: usize = 8;
    let (table, barrier) = (table(8), Barrier::new(THREADS));
    let come = || {
        let mut passed = vec![0; KEYS * ROUNDS];
        for round in 0..ROUNDS {
            barrier.wait();
            let now = round as u64 * 10;
            for key in (0..KEYS).map(|key| (key + round) % KEYS) {
                passed[round * KEYS + key] += usize::from(take(&table, key as u64, now, now + 10).changed);
            }
        }
        passed
    };
    let passed: Vec<Vec<usize>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(come)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let each: Vec<usize> = (0..KEYS * ROUNDS).map(|at| passed.iter().map(|by| by[at]).sum()).collect();
    assert!(each.iter().all(|times| *times <= 1), "a key passed twice in a round");
    for (round, keys) in each.chunks(KEYS).enumerate() {
        let passed = keys.iter().sum::<usize>();
        assert!((8..=8 + SHARED).contains(&passed), "round {round}: {passed}");
    }
}

proptest! {
    #[test]
    fn no_flood_of_keys_makes_more_than_the_limit(
        max in 1_usize..200, calls in vec((0_u64..2_000, 0_u64..50, 1_u64..100), 0..150),
    ) {
        let (table, mut now) = (table(max), 0);
        for (key, advance, interval) in calls {
            now += advance / 10;
            take(&table, key, now, now + interval);
            prop_assert!(live(&table, now) <= max);
            prop_assert!(table.used.load(Ordering::Relaxed) <= max);
        }
    }

    /// While there is room, the table behaves as a map that never forgets.
    #[test]
    fn with_room_it_is_a_map(calls in vec((0_u64..40, 0_u64..50, 1_u64..100), 0..150)) {
        let (table, mut map, mut now) = (table(64), HashMap::new(), 0);
        for (key, advance, interval) in calls {
            now += advance / 10;
            let known = map.entry(key).or_insert(0);
            let passed = *known <= now;
            if passed {
                *known = now + interval;
            }
            prop_assert_eq!(take(&table, key, now, now + interval).changed, passed);
        }
    }
}
