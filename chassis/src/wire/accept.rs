//! Accepts connections and watches over them until the process leaves.

use std::cmp::Reverse;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Interval, MissedTickBehavior, Sleep, interval, sleep, timeout};

use super::doorway::{Doorway, Open};
use super::line::Line;
use super::order::{CLOSE, END, RETIRE};
use super::server::Server;
use super::{Limits, Serve};
use crate::invocation::Peer;
use crate::protocol::{Phase, Served};

/// While somebody waits, a tick closes one in so many of the connections there may be, if they have no call.
const PART: usize = 64;
/// How many a tick closes at least.
const FEWEST: usize = 8;

/// How long connections have to send what callers are told at the end; those that are left then are dropped.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Where connections come from.
pub(crate) trait Accept: Send + 'static {
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// The next connection.
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(Self::Stream, Peer)>>;

    /// Gives the address up. At most `room` of the connections that the operating system has already made are
    /// handed over; without that their peers would be told that nobody listens after all.
    fn close(self, room: usize) -> Vec<(Self::Stream, Peer)>;
}

/// Serves calls until the phase says to stop. Nothing of it is left when this returns.
pub(crate) async fn serve<A: Accept, S: Serve>(
    accept: A,
    service: S,
    limits: &Limits,
    phase: watch::Receiver<Phase>,
) -> Served {
    serve_behind(Open, accept, service, limits, phase).await
}

/// The same, where connections pass something before they carry calls.
pub(super) async fn serve_behind<D: Doorway, A: Accept, S: Serve>(
    doorway: D,
    accept: A,
    service: S,
    limits: &Limits,
    mut phase: watch::Receiver<Phase>,
) -> Served {
    let mut watch = Watch::new(doorway, accept, service, limits);
    let current = *phase.borrow_and_update();
    if let Some(cut) = watch.enter(current).await {
        return Served { cut };
    }
    while watch.accept.is_some() || !watch.tasks.is_empty() {
        match watch.next(&mut phase).await {
            Event::Phase(phase) => {
                if let Some(cut) = watch.enter(phase).await {
                    return Served { cut };
                }
            }
            Event::Accepted(Ok((stream, peer))) => watch.receive(stream, peer),
            Event::Accepted(Err(error)) => watch.failed(&error),
            Event::Room(permit) => watch.let_in(permit),
            Event::Rested => watch.rest = None,
            Event::Tick => watch.look(),
            Event::Ended(outcome) => report(outcome),
        }
    }
    Served::default()
}

enum Event<T> {
    Phase(Phase),
    Accepted(io::Result<(T, Peer)>),
    /// A connection has closed.
    Room(OwnedSemaphorePermit),
    Rested,
    Tick,
    Ended(Result<(), JoinError>),
}

/// The task that accepts, and everything it watches.
struct Watch<D, A: Accept, S> {
    doorway: D,
    accept: Option<A>,
    service: S,
    server: Arc<Server>,
    permits: Arc<Semaphore>,
    /// How many connections are closed at a tick to make room.
    few: usize,
    /// The connection for which there is no room yet. Further ones wait in the queue of the operating system.
    held: Option<(A::Stream, Peer)>,
    lines: Vec<Weak<Line>>,
    tasks: JoinSet<()>,
    ticks: Interval,
    rest: Option<Pin<Box<Sleep>>>,
    failures: u32,
    given: u8,
    full: bool,
}

impl<D: Doorway, A: Accept, S: Serve> Watch<D, A, S> {
    fn new(doorway: D, accept: A, service: S, limits: &Limits) -> Self {
        let server = Server::new(limits, service.refusals());
        let connections = limits.connections.clamp(1, Semaphore::MAX_PERMITS);
        let mut ticks = interval(server.period);
        // A tick that comes late must not be followed by a short one: connections count them.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            doorway,
            accept: Some(accept),
            service,
            server: Arc::new(server),
            permits: Arc::new(Semaphore::new(connections)),
            few: (connections / PART).max(FEWEST),
            held: None,
            lines: Vec::new(),
            tasks: JoinSet::new(),
            ticks,
            rest: None,
            failures: 0,
            given: 0,
            full: false,
        }
    }

    async fn next(&mut self, phase: &mut watch::Receiver<Phase>) -> Event<A::Stream> {
        let Self { accept, permits, held, tasks, ticks, rest, lines, .. } = self;
        let (holds, rests) = (held.is_some(), rest.is_some());
        tokio::select! {
            biased;
            phase = changed(phase) => Event::Phase(phase),
            Some(outcome) = tasks.join_next() => Event::Ended(outcome),
            _ = ticks.tick(), if !lines.is_empty() => Event::Tick,
            () = rested(rest) => Event::Rested,
            Ok(permit) = Arc::clone(permits).acquire_owned(), if holds => Event::Room(permit),
            accepted = accepted(accept), if !holds && !rests => Event::Accepted(accepted),
        }
    }

    /// Enters a phase. Says how many calls were cut off when nothing is left to do.
    async fn enter(&mut self, phase: Phase) -> Option<usize> {
        match phase {
            Phase::Serving => {}
            Phase::Draining => self.order(RETIRE),
            Phase::Closing => {
                self.close();
                self.order(RETIRE | CLOSE);
            }
            Phase::Cutting => {
                self.accept = None;
                let cut = self.lines().map(|line| line.in_flight() as usize).sum();
                self.order(RETIRE | CLOSE | END);
                let _ = timeout(LAST_WORDS, async { while self.tasks.join_next().await.is_some() {} }).await;
                self.tasks.shutdown().await;
                return Some(cut);
            }
        }
        None
    }

    fn close(&mut self) {
        let Some(accept) = self.accept.take() else { return };
        let waiting = accept.close(self.permits.available_permits());
        for (stream, peer) in self.held.take().into_iter().chain(waiting) {
            if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
                self.admit(stream, peer, permit);
            }
        }
    }

    fn order(&mut self, order: u8) {
        self.given |= order;
        self.lines().for_each(|line| line.orders.give(order));
    }

    fn lines(&self) -> impl Iterator<Item = Arc<Line>> {
        self.lines.iter().filter_map(Weak::upgrade)
    }

    /// Takes a connection on, or holds it until another one closes.
    fn receive(&mut self, stream: A::Stream, peer: Peer) {
        self.failures = 0;
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            return self.admit(stream, peer, permit);
        }
        self.held = Some((stream, peer));
        if !self.full {
            self.full = true;
            tracing::warn!(connections = self.tasks.len(), "no more connections are accepted until one closes");
        }
    }

    fn let_in(&mut self, permit: OwnedSemaphorePermit) {
        if let Some((stream, peer)) = self.held.take() {
            self.admit(stream, peer, permit);
        }
    }

    fn admit(&mut self, stream: A::Stream, peer: Peer, permit: OwnedSemaphorePermit) {
        let line = Arc::new(Line::new(peer, Arc::clone(&self.server), self.given, permit));
        self.lines.push(Arc::downgrade(&line));
        self.doorway.open(&mut self.tasks, stream, line, self.service.connect(peer));
    }

    fn look(&mut self) {
        let now = self.server.ticks.advance();
        self.full &= self.permits.available_permits() == 0;
        let is_short = self.held.is_some() || self.rest.is_some();
        let ages = if is_short { &self.server.short } else { &self.server.ages };
        self.lines.retain(|line| match line.upgrade() {
            Some(line) => {
                line.look(now, ages);
                true
            }
            None => false,
        });
        if is_short {
            self.make_room();
        }
    }

    /// Who wants a connection and gets none goes before those who have had one longest without a call. A few of them
    /// are closed: who waits behind the first is not known, and all would only come again at once. At the next tick more
    /// are, if somebody still waits.
    #[cold]
    fn make_room(&self) {
        let mut spare: Vec<_> = self.lines().filter_map(|line| Some((line.spare_since()?, line))).collect();
        spare.sort_unstable_by_key(|(ticks, _)| Reverse(*ticks));
        spare.iter().take(self.few).for_each(|(_, line)| line.orders.give(CLOSE));
    }

    /// Accepting failed. What concerns one connection is over with it; anything else, such as a lack of file
    /// descriptors, would fail again at once and is given time.
    fn failed(&mut self, error: &io::Error) {
        if concerns_one_connection(error) {
            return;
        }
        let pause = pause(self.failures);
        self.failures = self.failures.saturating_add(1);
        let pause_ms = pause.as_millis() as u64;
        tracing::warn!(%error, pause_ms, "cannot accept connections");
        self.rest = Some(Box::pin(sleep(pause)));
    }
}

async fn changed(phase: &mut watch::Receiver<Phase>) -> Phase {
    match phase.changed().await {
        Ok(()) => *phase.borrow_and_update(),
        // Whoever drives the phases is gone, and nobody would ever say to stop.
        Err(_) => Phase::Cutting,
    }
}

async fn rested(rest: &mut Option<Pin<Box<Sleep>>>) {
    match rest {
        Some(sleep) => sleep.await,
        None => std::future::pending().await,
    }
}

async fn accepted<A: Accept>(accept: &mut Option<A>) -> io::Result<(A::Stream, Peer)> {
    match accept {
        Some(accept) => poll_fn(|cx| accept.poll_accept(cx)).await,
        None => std::future::pending().await,
    }
}

fn concerns_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// How long to wait after that many failures in a row: 10 ms, doubled up to a second.
fn pause(failures: u32) -> Duration {
    Duration::from_millis(10 << failures.min(7)).min(Duration::from_secs(1))
}

fn report(outcome: Result<(), JoinError>) {
    if let Err(error) = outcome
        && error.is_panic()
    {
        tracing::error!(%error, "a connection panicked");
    }
}
