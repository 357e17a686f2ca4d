//! What many connections send in small pieces, leaving together.
//!
//! To send is most of what a small call costs, and it costs a third more each time that other work came in between: the
//! system's code and the tables of its addresses are then no longer near the core, and a peer on the same machine has gone
//! to sleep and must be woken. So a thread that has much to send holds what is small until it has nothing else to do, and
//! sends one after the other. A thread whose replies are far between sends each at once, and so does one that has held
//! a few in vain, for a while.
//!
//! Nothing is held for long: no more than [`MOST`] pieces, none behind a later one that is large or comes more than [`BUSY`]
//! after the one before, and none once tokio looks for what has happened outside, which it does when it has run out of
//! tasks, after some dozens of them, and when one is about to block in place or the runtime ends. It is tokio that sees to
//! the latter: it keeps the waker that [`yield_now`] was polled with until then, and here one that is gone has sent. What
//! keeps a thread to itself in between keeps what was held, up to [`MOST`] pieces that other threads cannot steal.

use std::io::IoSlice;
use std::mem::take;
use std::ops::RangeInclusive;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{Shutdown, send, shutdown};
use tokio::task::yield_now;

use super::outlet::{Outlet, QUIETLY};
use crate::clock::{Clock, Instant};
use crate::lock::locked;

/// How many pieces leave together at most.
pub(super) const MOST: usize = 16;

/// How soon one piece follows the one before of the same thread where it is held.
const BUSY: Duration = Duration::from_micros(50);

/// How many pieces are worth to be held. A peer with fewer connections works meanwhile, if each is sent at once.
pub(super) const WORTH_IT: usize = 4;

/// How many pieces are not held, after pieces were often held in vain. Not always as many: connections that take turns would
/// be held from the same place of their round on each time, and that can be near its end.
const LONG_PAUSE: RangeInclusive<u32> = 60..=67;

/// The largest piece that is held: to copy a larger one costs more than is gained.
const LARGEST: usize = 4 << 10;

/// What a thread holds.
#[derive(Default)]
struct Batch(Mutex<Held>);

#[derive(Default)]
struct Held {
    bytes: Vec<u8>,
    /// Where each piece goes, and where it ends.
    ends: Vec<(RawFd, usize)>,
    /// Whose they are. Apart, because to look at each between two calls of the system costs a sixth of a call.
    outlets: Vec<Arc<Outlet>>,
    /// How often what was held has been sent.
    turn: u64,
    /// When there last was something to send.
    last: Option<Instant>,
    /// Whether as many were sent as may be held, and more came.
    was_full: bool,
    /// How many pieces are not held, after too few were.
    pause: u32,
    /// How many of these are still to come.
    paused: u32,
}

/// What tokio keeps until it has nothing else to do. Woken or dropped, it is gone then.
struct Ticket(Arc<Batch>);

impl Wake for Ticket {
    fn wake(self: Arc<Self>) {}
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut held = locked(&self.0.0);
        held.learn();
        held.send();
    }
}

impl Held {
    fn add(&mut self, outlet: &Arc<Outlet>, bytes: &[IoSlice<'_>]) {
        bytes.iter().for_each(|piece| self.bytes.extend_from_slice(piece));
        self.ends.push((outlet.stream.as_raw_fd(), self.bytes.len()));
        self.outlets.push(Arc::clone(outlet));
    }

    fn send(&mut self) {
        if self.ends.is_empty() {
            return;
        }
        // Whatever happens, nothing is sent twice.
        let (mut bytes, mut ends) = (take(&mut self.bytes), take(&mut self.ends));
        let mut outlets = take(&mut self.outlets);
        let (mut start, mut late) = (0, Vec::new());
        for (at, (socket, end)) in ends.iter().enumerate() {
            let piece = &bytes[start..*end];
            start = *end;
            let left = if late.contains(socket) { piece } else { send_to(*socket, piece) };
            if !left.is_empty() {
                late.push(*socket);
                outlets[at].postpone(left);
            }
        }
        bytes.clear();
        ends.clear();
        outlets.clear();
        (self.bytes, self.ends, self.outlets) = (bytes, ends, outlets);
        self.turn += 1;
        // To send them took its time, which tells nothing about the next.
        self.last = Some(Clock::system().now());
    }

    /// tokio had nothing else to do: to have held a few pieces was in vain, and each time longer none is.
    fn learn(&mut self) {
        let is_worth_it = take(&mut self.was_full) || self.ends.len() >= WORTH_IT;
        if is_worth_it {
            self.pause = 0;
        } else if !self.ends.is_empty() {
            self.pause = longer(self.pause);
            self.paused = self.pause;
        }
    }

    /// Whether a piece that comes now follows the one before soon, and others may follow it.
    fn is_busy(&mut self) -> bool {
        let now = Clock::system().now();
        let follows = self.last.replace(now).is_some_and(|last| now.duration_since(last) < BUSY);
        let is_paused = self.paused > 0;
        self.paused -= u32::from(is_paused);
        follows && !is_paused
    }
}

/// The pause after this one, if pieces were held in vain again.
fn longer(pause: u32) -> u32 {
    let (short, long) = (*LONG_PAUSE.start(), *LONG_PAUSE.end());
    if pause < short {
        (2 * pause + 1).min(short)
    } else if pause < long {
        pause + 1
    } else {
        short
    }
}

/// Sends a piece to a socket that an outlet of the batch keeps open, and says what there was no room for.
fn send_to(socket: RawFd, piece: &[u8]) -> &[u8] {
    #[expect(unsafe_code, reason = "to ask the outlet for it costs a sixth of a call")]
    // SAFETY: its outlet is among those of the batch, and closes it when nobody has it any more.
    let to = unsafe { BorrowedFd::borrow_raw(socket) };
    match send(to, piece, QUIETLY) {
        Ok(count) => &piece[count..],
        Err(Errno::AGAIN | Errno::INTR) => piece,
        Err(_) => {
            // Nothing may follow what is lost: whoever reads or writes next finds an end.
            let _ = shutdown(to, Shutdown::Both);
            &[]
        }
    }
}

thread_local! {
    /// The batch of this thread.
    static MINE: Arc<Batch> = Arc::default();
}

/// Where what a connection sends is held, if it still is.
#[derive(Default)]
pub(super) struct Holding(Option<(Arc<Batch>, u64)>);

impl Holding {
    /// Holds a piece, if this thread has much to send; else it is to be sent by whoever asks, and what the thread held has
    /// been sent.
    pub(super) fn hold(&mut self, outlet: &Arc<Outlet>, bytes: &[IoSlice<'_>]) -> bool {
        // While a thread ends it holds nothing.
        MINE.try_with(|mine| self.hold_here(mine, outlet, bytes)).unwrap_or_else(|_| {
            self.settle();
            false
        })
    }

    fn hold_here(&mut self, mine: &Arc<Batch>, outlet: &Arc<Outlet>, bytes: &[IoSlice<'_>]) -> bool {
        if self.0.as_ref().is_some_and(|(batch, _)| !Arc::ptr_eq(batch, mine)) {
            self.settle();
        }
        let is_small = bytes.iter().map(|piece| piece.len()).sum::<usize>() <= LARGEST;
        let mut held = locked(&mine.0);
        // Asked here, because somebody else may have sent what was held of it until the lock was to be had.
        if !held.is_busy() || !is_small || outlet.is_behind() {
            held.send();
            return false;
        }
        held.add(outlet, bytes);
        match &mut self.0 {
            Some((_, turn)) => *turn = held.turn,
            place => *place = Some((Arc::clone(mine), held.turn)),
        }
        match held.ends.len() {
            MOST.. => {
                held.was_full = true;
                held.send();
            }
            // tokio may wake it at once.
            1 => {
                drop(held);
                when_idle(Ticket(Arc::clone(mine)));
            }
            _ => {}
        }
        true
    }

    /// Sends what is held, wherever that is.
    pub(super) fn settle(&mut self) {
        if let Some((batch, turn)) = self.0.take() {
            let mut held = locked(&batch.0);
            if held.turn == turn {
                held.send();
            }
        }
    }
}

/// Has tokio keep the ticket until this thread has run out of tasks. Where it keeps none, that is gone at once.
fn when_idle(ticket: Ticket) {
    let waker = Waker::from(Arc::new(ticket));
    // Dropped unfinished: what it was polled for is done.
    let _ = pin!(yield_now()).poll(&mut Context::from_waker(&waker));
}
