//! Who goes in and who is sent away, at a clock that stands.

use oneshot::error::TryRecvError;

use super::*;

/// A line of numbers, at a clock that stands where the test says.
struct Rig {
    line: Line<usize>,
    start: Instant,
    coming: Vec<Option<oneshot::Receiver<usize>>>,
    away: Vec<usize>,
}

impl Rig {
    fn new() -> Self {
        let start = crate::clock::Clock::system().now();
        Self { line: Line::default(), start, coming: Vec::new(), away: Vec::new() }
    }

    fn at(&self, millis: u64) -> Instant {
        self.start + Duration::from_millis(millis)
    }

    /// Lets as many join.
    fn join(&mut self, millis: u64, count: usize) {
        let now = self.at(millis);
        self.coming.extend((0..count).map(|_| Some(self.line.join(now, None))));
    }

    /// As many places come free: who goes in, by the order of coming.
    fn free(&mut self, millis: u64, places: usize) -> Vec<usize> {
        let now = self.at(millis);
        for place in 0..places {
            if let Some(turn) = self.line.next(now, || true) {
                turn.send(place).unwrap();
            }
        }
        let mut taken = Vec::new();
        for (who, turn) in self.coming.iter_mut().enumerate() {
            match turn.as_mut().map(oneshot::Receiver::try_recv) {
                None | Some(Err(TryRecvError::Empty)) => continue,
                Some(Ok(place)) => taken.push((place, who)),
                Some(Err(TryRecvError::Closed)) => self.away.push(who),
            }
            *turn = None;
        }
        taken.sort_unstable();
        taken.into_iter().map(|(_, who)| who).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_burst_goes_in_when_places_come_free_however_long_that_takes() {
    let mut rig = Rig::new();
    rig.join(0, 10);
    assert_eq!(rig.free(300, 10), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    // Again and again, as long as it drains in between.
    for round in 1..5 {
        rig.join(300 * round, 10);
        assert_eq!(rig.free(300 * (round + 1), 10).len(), 10);
    }
    assert_eq!(rig.away.clone(), [] as [usize; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_line_that_stands_loses_its_oldest_one_by_one_and_ever_sooner() {
    let mut rig = Rig::new();
    rig.join(0, 50);
    // It is too long from the first turn on, and stands an interval later.
    assert_eq!((rig.free(10, 1), rig.free(109, 1)), (vec![0], vec![1]));
    assert_eq!((rig.free(110, 1), rig.away.clone()), (vec![49], vec![2]));
    assert_eq!((rig.free(209, 1), rig.away.clone()), (vec![48], vec![2]));
    assert_eq!((rig.free(210, 1), rig.away.clone()), (vec![47], vec![2, 3]));
    // 210 ms and 100 / √2; then 100 / √3 and 100 / √4.
    assert_eq!((rig.free(280, 1), rig.away.clone()), (vec![46], vec![2, 3]));
    assert_eq!((rig.free(281, 1), rig.away.clone()), (vec![45], vec![2, 3, 4]));
    assert_eq!((rig.free(389, 1), rig.away.clone()), (vec![44], vec![2, 3, 4, 5]));
}

#[tokio::test(start_paused = true)]
async fn no_more_are_sent_away_than_go_in_however_seldom_that_is() {
    let mut rig = Rig::new();
    rig.join(0, 120);
    for turn in 1..=20 {
        assert_eq!(rig.free(2_000 * turn, 1).len(), 1);
        assert!(rig.away.len() < turn as usize, "{turn}: {:?}", rig.away);
    }
}

#[tokio::test(start_paused = true)]
async fn a_place_that_was_found_is_always_given_to_somebody() {
    let mut rig = Rig::new();
    rig.join(0, 50);
    rig.free(10, 1);
    let mut found = 0;
    // Whoever is left goes away while the oldest is sent away.
    rig.coming.iter_mut().skip(3).for_each(|turn| drop(turn.take()));
    let now = rig.at(200);
    while let Some(turn) = rig.line.next(now, || {
        found += 1;
        true
    }) {
        let _ = turn.send(0);
        found -= 1;
    }
    assert_eq!(found, 0);
}

#[tokio::test(start_paused = true)]
async fn the_last_one_is_never_sent_away_and_order_returns_when_the_line_has_drained() {
    let mut rig = Rig::new();
    rig.join(0, 3);
    assert_eq!((rig.free(10, 1), rig.free(200, 1)), (vec![0], vec![2]));
    assert_eq!(rig.away.clone(), [1]);
    rig.join(200, 1);
    assert_eq!(rig.free(1000, 1), [3]);
    rig.join(1000, 2);
    assert_eq!(rig.free(1500, 2), [4, 5]);
}

#[tokio::test(start_paused = true)]
async fn a_line_that_was_left_does_not_stand() {
    let mut rig = Rig::new();
    rig.join(0, 3);
    assert_eq!(rig.free(50, 1), [0]);
    rig.coming.iter_mut().for_each(|turn| *turn = None);
    rig.join(5000, 3);
    assert_eq!((rig.free(5050, 2), rig.away), (vec![3, 4], vec![]));
}

#[tokio::test(start_paused = true)]
async fn who_left_or_whose_deadline_has_passed_is_passed_over() {
    let mut rig = Rig::new();
    let now = rig.start;
    rig.coming.push(Some(rig.line.join(now, Some(now + Duration::from_millis(2)))));
    rig.join(0, 3);
    rig.coming[2] = None;
    assert_eq!(rig.free(3, 3), [1, 3]);
    assert_eq!(rig.line.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn without_a_place_nobody_goes_in_and_nobody_is_sent_away() {
    let mut rig = Rig::new();
    rig.join(0, 3);
    for millis in [10, 500, 1000] {
        assert!(rig.line.next(rig.at(millis), || false).is_none());
    }
    assert_eq!((rig.free(1001, 3), rig.away.clone()), (vec![0, 1, 2], vec![]));
}
