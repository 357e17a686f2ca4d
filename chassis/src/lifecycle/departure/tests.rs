//! What happens when, from the signal to the exit. The clock is paused: it jumps to whatever is waited for.

use std::sync::{Arc, Mutex};

use futures_util::stream;
use tokio::sync::mpsc;

use super::*;
use crate::conf::Interval;

/// What happened, with the second since the process was ready.
#[derive(Clone)]
struct Diary(Arc<Mutex<Vec<(u64, String)>>>, Instant);

impl Diary {
    fn note(&self, event: impl Into<String>) {
        let second = Clock::system().now().duration_since(self.1).as_secs();
        self.0.lock().unwrap().push((second, event.into()));
    }
}

/// A process whose calls are as the test wants them.
struct Process {
    diary: Diary,
    lifecycle: Lifecycle,
    phase: watch::Sender<Phase>,
    /// When the signals come.
    signals: Vec<u64>,
    /// When the last call ends by itself; never, if there is none.
    last_call: Option<u64>,
    /// How many calls are in flight when they are cut off.
    in_flight: usize,
    /// How long components take to stop, and telemetry to be flushed.
    stop: u64,
    flush: u64,
}

impl Process {
    fn new(signals: &[u64]) -> Self {
        let diary = Diary(Arc::default(), Clock::system().now());
        let (lifecycle, phase) = (Lifecycle::new(), watch::Sender::new(Phase::Serving));
        Self { diary, lifecycle, phase, signals: signals.to_vec(), last_call: Some(0), in_flight: 0, stop: 0, flush: 0 }
    }

    async fn run(self) -> (Exit, Vec<(u64, String)>) {
        let drain = Drain {
            delay: Interval::secs(5),
            deadline: Interval::secs(20),
            flush: Interval::secs(2),
            grace: Interval::secs(30),
        };
        let departure =
            Departure { lifecycle: &self.lifecycle, phase: &self.phase, drain: &drain, clock: Clock::system() };
        let exit =
            departure.run(self.signals(), self.serving(), self.step("stop", self.stop), self.step("flush", self.flush));
        let exit = exit.await;
        self.diary.note("exit");
        let events = self.diary.0.lock().unwrap().clone();
        (exit, events)
    }

    fn signals(&self) -> impl Stream<Item = Signal> + use<> {
        let (send, receive) = mpsc::unbounded_channel();
        for second in self.signals.clone() {
            let send = send.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_secs(second)).await;
                send.send(Signal::Terminate)
            });
        }
        stream::unfold(receive, async |mut receive| receive.recv().await.map(|signal| (signal, receive)))
    }

    /// Follows the phases. Ends when no more connections are taken and the last call has ended, or when it is cut off.
    async fn serving(&self) -> Served {
        let mut phases = self.phase.subscribe();
        let mut last_call = pin!(async {
            match self.last_call {
                Some(second) => tokio::time::sleep_until(self.diary.1 + Duration::from_secs(second)).await,
                None => std::future::pending().await,
            }
        });
        let mut phase = *phases.borrow_and_update();
        loop {
            tokio::select! {
                biased;
                Ok(()) = phases.changed() => {
                    phase = *phases.borrow_and_update();
                    self.diary.note(format!("{phase:?} when {:?}", self.lifecycle.stage()));
                }
                () = &mut last_call, if phase >= Phase::Closing => return Served { cut: 0 },
            }
            if phase == Phase::Cutting {
                return Served { cut: self.in_flight };
            }
        }
    }

    async fn step(&self, name: &str, seconds: u64) {
        self.diary.note(name);
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }
}

#[track_caller]
fn check(outcome: (Exit, Vec<(u64, String)>), exit: Exit, expected: &[(u64, &str)]) {
    let (ended, events) = outcome;
    let events: Vec<_> =
        events.iter().map(|(second, event)| (*second, event.as_str())).filter(|(_, event)| *event != "Ready").collect();
    // Stages and phases that change at the same moment are seen in one order.
    assert_eq!(events, expected);
    assert_eq!(ended, exit);
}

#[tokio::test(start_paused = true)]
async fn a_process_without_calls_leaves_after_the_delay() {
    let outcome = Process::new(&[10]).run().await;
    let expected =
        [(10, "Draining when Draining"), (15, "Closing when Draining"), (15, "stop"), (15, "flush"), (15, "exit")];
    check(outcome, Exit::Clean, &expected);
}

#[tokio::test(start_paused = true)]
async fn calls_in_flight_end_before_components_stop() {
    let outcome = Process { last_call: Some(30), ..Process::new(&[10]) }.run().await;
    let expected =
        [(10, "Draining when Draining"), (15, "Closing when Draining"), (30, "stop"), (30, "flush"), (30, "exit")];
    check(outcome, Exit::Clean, &expected);
}

#[tokio::test(start_paused = true)]
async fn calls_that_take_longer_than_the_deadline_are_cut_off() {
    let outcome = Process { last_call: None, in_flight: 2, ..Process::new(&[10]) }.run().await;
    let expected = [
        (10, "Draining when Draining"),
        (15, "Closing when Draining"),
        (35, "Cutting when Draining"),
        (35, "stop"),
        (35, "flush"),
        (35, "exit"),
    ];
    check(outcome, Exit::Cut, &expected);
}

#[tokio::test(start_paused = true)]
async fn a_second_signal_cuts_off_at_once() {
    let outcome = Process { last_call: None, in_flight: 1, ..Process::new(&[10, 12]) }.run().await;
    let expected =
        [(10, "Draining when Draining"), (12, "Cutting when Draining"), (12, "stop"), (12, "flush"), (12, "exit")];
    check(outcome, Exit::Cut, &expected);
    let outcome = Process { last_call: None, in_flight: 1, ..Process::new(&[10, 20]) }.run().await;
    assert_eq!(outcome.1.last(), Some(&(20, "exit".to_owned())));
}

#[tokio::test(start_paused = true)]
async fn a_second_signal_without_calls_is_a_clean_end() {
    let (exit, events) = Process::new(&[10, 11]).run().await;
    assert_eq!((exit, events.last()), (Exit::Clean, Some(&(11, "exit".to_owned()))));
}

#[tokio::test(start_paused = true)]
async fn steps_that_hang_are_abandoned_when_their_time_is_over() {
    let outcome = Process { stop: 1_000, flush: 1_000, ..Process::new(&[10]) }.run().await;
    // 30s of grace less 5s of delay and 2s of flush are left for stopping.
    let expected =
        [(10, "Draining when Draining"), (15, "Closing when Draining"), (15, "stop"), (38, "flush"), (40, "exit")];
    check(outcome, Exit::Clean, &expected);
}

#[tokio::test(start_paused = true)]
async fn a_further_signal_abandons_the_step_that_hangs() {
    let (exit, events) = Process { stop: 1_000, flush: 1_000, ..Process::new(&[10, 16, 17]) }.run().await;
    let steps: Vec<_> = events.iter().map(|(second, event)| (*second, event.as_str())).collect();
    assert_eq!(steps[steps.len() - 3..], [(15, "stop"), (16, "flush"), (17, "exit")]);
    assert_eq!(exit, Exit::Clean);
}

#[tokio::test(start_paused = true)]
async fn listeners_that_end_by_themselves_are_a_failure() {
    let process = Process::new(&[]);
    process.phase.send_replace(Phase::Closing);
    let (exit, events) = process.run().await;
    assert_eq!((exit, events.last()), (Exit::Failed, Some(&(0, "exit".to_owned()))));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_cannot_be_cut_off_does_not_keep_the_process() {
    let (lifecycle, phase, drain) = (Lifecycle::new(), watch::Sender::new(Phase::Serving), Drain::default());
    let departure = Departure { lifecycle: &lifecycle, phase: &phase, drain: &drain, clock: Clock::system() };
    let signals = stream::iter([Signal::Interrupt, Signal::Interrupt]);
    let exit = departure.run(signals, std::future::pending(), async {}, async {}).await;
    assert_eq!(exit, Exit::Cut);
    assert_eq!(lifecycle.stage(), Stage::Stopping);
}
