//! What a second thread costs the first: whatever both of them write to shows.

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use crate::inside::{greeter, service};
use crate::timing::median;

/// How often one and two threads take turns.
const ROUNDS: usize = 21;

/// The calls of a thread in a round. They take a hundred milliseconds: a system may put two threads that were just
/// woken on one core, and lets each of them run for some milliseconds before it sees that another core is idle. That is
/// waiting for a core and not for each other, and in a short round it would be most of what is measured.
const CALLS: u64 = 200_000;

/// How much slower a thread gets: the median over the rounds.
pub(crate) struct Slowdown {
    /// Calls of one service.
    pub(crate) calls: f64,
    /// Arithmetic that shares nothing: what the machine itself takes away.
    pub(crate) machine: f64,
}

impl Slowdown {
    pub(crate) fn measure() -> Self {
        let running = service("");
        let calls = || {
            let mut caller = greeter(&running);
            move || caller.call()
        };
        Self { calls: ratio(calls, CALLS), machine: ratio(|| sum, CALLS) }
    }
}

fn sum() {
    black_box((0..black_box(500_u64)).fold(0_u64, |sum, next| sum.rotate_left(3) ^ next));
}

fn ratio<W: FnMut() + Send>(worker: impl Fn() -> W, times: u64) -> f64 {
    let ratios = (0..ROUNDS).map(|_| together(2, &worker, times) / together(1, &worker, times));
    median(ratios.collect())
}

/// The seconds a thread takes, on average, when this many begin at once.
fn together<W: FnMut() + Send>(threads: usize, worker: &impl Fn() -> W, times: u64) -> f64 {
    let barrier = Barrier::new(threads);
    let timed = |mut work: W| {
        (0..times / 10).for_each(|_| work());
        barrier.wait();
        let start = Instant::now();
        (0..times).for_each(|_| work());
        start.elapsed().as_secs_f64()
    };
    let workers: Vec<_> = (0..threads).map(|_| worker()).collect();
    let seconds = thread::scope(|scope| {
        let handles: Vec<_> = workers.into_iter().map(|work| scope.spawn(|| timed(work))).collect();
        handles.into_iter().map(|handle| handle.join().unwrap()).sum::<f64>()
    });
    seconds / threads as f64
}
