//! Proves what becomes of spans that wait.

use std::thread;

use super::*;
use crate::clock::Clock;
use crate::metrics::{Kind, Labels, Metrics, Spec, Unit};

static DROPPED: Spec = Spec { name: "dropped", help: "", unit: Unit::Count("span"), kind: Kind::Counter };

fn opened(queue: usize, batch: usize) -> (Spans, Waiting, Counter) {
    let (spans, dropped) = (Spans::default(), Metrics::default().counter(&DROPPED, Labels::new()));
    let waiting = spans.open(Sizes { queue, batch, front: 2 }, dropped.clone()).unwrap();
    (spans, waiting, dropped)
}

fn taken(waiting: &Waiting) -> Option<(Vec<u8>, usize)> {
    waiting.take().map(|batch| (batch.bytes, batch.spans))
}

#[test]
fn what_finds_no_room_is_counted_and_not_written() {
    let idle = Spans::default();
    idle.offer(|_| panic!("nobody sends"));
    assert!(!idle.is_wanted());
    let (spans, waiting, dropped) = opened(2, 8);
    assert!(spans.is_wanted() && spans.open(waiting.0.sizes, dropped.clone()).is_none());
    spans.offer(|bytes| bytes.push(b'a'));
    spans.offer(|bytes| bytes.push(b'b'));
    spans.offer(|_| panic!("there is no room"));
    assert_eq!((taken(&waiting), dropped.count()), (Some((b"\0\0ab".to_vec(), 2)), 1));
    spans.offer(|bytes| bytes.push(b'c'));
    waiting.close();
    spans.offer(|_| panic!("nothing more is taken"));
    assert_eq!((taken(&waiting), taken(&waiting)), (Some((b"\0\0c".to_vec(), 1)), None));
    drop(waiting);
    spans.offer(|_| panic!("whoever sent is gone"));
    assert_eq!(dropped.count(), 3);
}

#[test]
fn no_batch_is_larger_than_asked_for() {
    let (spans, waiting, _) = opened(100, 2);
    b"abcde".iter().for_each(|byte| spans.offer(|bytes| bytes.push(*byte)));
    let batches: Vec<_> = std::iter::from_fn(|| taken(&waiting)).collect();
    assert_eq!(batches, [(b"\0\0ab".to_vec(), 2), (b"\0\0cd".to_vec(), 2), (b"\0\0e".to_vec(), 1)]);
}

#[test]
fn what_several_threads_wrote_is_sent_together_if_it_fits() {
    let (spans, waiting, dropped) = opened(1000, 10);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..25).for_each(|_| spans.offer(|bytes| bytes.push(b'x'))));
        }
    });
    let sizes: Vec<_> = std::iter::from_fn(|| taken(&waiting)).map(|(bytes, spans)| (bytes.len(), spans)).collect();
    assert!(sizes.iter().all(|(bytes, spans)| *bytes == spans + 2 && *spans <= 10), "{sizes:?}");
    assert_eq!((sizes.iter().map(|(_, spans)| spans).sum::<usize>(), dropped.count()), (100, 0));
}

#[test]
fn what_a_thread_wrote_is_sent_also_where_others_write_more() {
    let (_, waiting, _) = opened(1000, 8);
    let write = |lane: usize, byte: u8, count: usize| {
        (0..count).for_each(|_| assert!(waiting.0.write(lane, |bytes| bytes.push(byte))));
        waiting.0.waiting.fetch_add(count, Ordering::Relaxed);
    };
    write(LANES - 1, b'z', 2);
    let is_sent = (0..LANES).any(|_| {
        write(0, b'a', 7);
        taken(&waiting).unwrap().0.contains(&b'z')
    });
    assert!(is_sent);
}

#[test]
fn every_span_is_taken_or_counted_whoever_closes_meanwhile() {
    for _ in 0..500 {
        let (spans, waiting, dropped) = opened(1000, 1);
        let offer = || (0..50).for_each(|_| spans.offer(|bytes| bytes.push(b'x')));
        let taken = thread::scope(|scope| {
            (0..2).for_each(|_| _ = scope.spawn(offer));
            let first = std::iter::repeat_with(|| waiting.take()).flatten().next();
            waiting.close();
            first.into_iter().chain(std::iter::from_fn(|| waiting.take())).count()
        });
        assert_eq!((waiting.take(), taken as u64 + dropped.count()), (None, 100));
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_waits_for_nothing_and_less_for_its_time() {
    let (spans, waiting, _) = opened(100, 2);
    let hour = Duration::from_secs(3600);
    assert!(timeout(hour, waiting.gather(Duration::ZERO)).await.is_err(), "there is nothing to send");
    let begun = Clock::system().now();
    spans.offer(|bytes| bytes.push(b'a'));
    waiting.gather(hour).await;
    assert_eq!(begun.elapsed(), hour);
    spans.offer(|bytes| bytes.push(b'b'));
    waiting.gather(hour).await;
    assert_eq!(begun.elapsed(), hour);
}
