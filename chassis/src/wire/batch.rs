//! Replies of many connections that leave together.
//!
//! To send is most of what a small call costs, and it costs a third more each time that other work came in between: the
//! system's code and the tables of its addresses are then no longer near the core, and a peer on the same machine has gone
//! to sleep and must be woken. So a thread that answers many connections at once holds small replies until it has nothing
//! else to do, and sends them one after the other. A thread whose replies are far between sends each at once.
//!
//! Nothing is held for long: no more than [`MOST`] replies, none behind a later one that is large or took longer than
//! [`BUSY`], and none once tokio has run out of tasks, has run 61 of them, or lets one block the thread. It is tokio that
//! sees to the latter: what [`yield_now`] was polled with is woken then. A task that keeps the thread to itself keeps up to
//! [`MOST`] replies that were ready before, as it keeps up all that came after.

use std::io::IoSlice;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::send;
use tokio::task::yield_now;

use super::outlet::{Outlet, QUIETLY};
use crate::clock::{Clock, Instant};

/// How many replies leave together at most.
pub(super) const MOST: usize = 16;

/// How close one reply of a thread follows the one before where it is held.
const BUSY: Duration = Duration::from_micros(50);

/// The largest reply that is held: to send one takes no longer than to copy it.
const LARGEST: usize = 4 << 10;

/// The replies that a thread holds.
#[derive(Default)]
struct Batch(Mutex<Held>);

#[derive(Default)]
struct Held {
    bytes: Vec<u8>,
    /// Where each reply goes, and where it ends.
    ends: Vec<(RawFd, usize)>,
    /// Whose they are. Apart, because to look at each between two calls of the system costs a sixth of a call.
    outlets: Vec<Arc<Outlet>>,
    /// How often what was held has been sent.
    turn: u64,
    /// When there last was a reply.
    last: Option<Instant>,
}

impl Batch {
    fn send(&self) {
        locked(&self.0).send();
    }
}

/// tokio has nothing else to do.
impl Wake for Batch {
    fn wake(self: Arc<Self>) {
        self.send();
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
        let (mut start, mut late) = (0, Vec::new());
        for (at, (socket, end)) in self.ends.iter().enumerate() {
            let bytes = &self.bytes[start..*end];
            start = *end;
            if late.contains(socket) {
                self.outlets[at].leave(bytes);
                continue;
            }
            #[expect(unsafe_code, reason = "to ask the outlet for it costs a sixth of a call")]
            // SAFETY: its outlet is still among the others, and closes it when nobody has it any more.
            let to = unsafe { BorrowedFd::borrow_raw(*socket) };
            // A peer that is gone is the matter of whoever reads.
            let left = match send(to, bytes, QUIETLY) {
                Ok(count) => &bytes[count..],
                Err(Errno::AGAIN) => bytes,
                Err(_) => &[],
            };
            if !left.is_empty() {
                late.push(*socket);
                self.outlets[at].leave(left);
            }
        }
        self.bytes.clear();
        self.ends.clear();
        self.outlets.clear();
        self.turn += 1;
        // To send them took its time, which tells nothing about the next.
        self.last = Some(Clock::system().now());
    }

    /// Whether a reply that comes now follows the one before closely.
    fn is_busy(&mut self) -> bool {
        let now = Clock::system().now();
        self.last.replace(now).is_some_and(|last| now.duration_since(last) < BUSY)
    }
}

/// The batch of a thread.
struct Mine {
    batch: Arc<Batch>,
    waker: Waker,
}

thread_local! {
    static MINE: Mine = {
        let batch = Arc::<Batch>::default();
        Mine { waker: Waker::from(Arc::clone(&batch)), batch }
    };
}

/// Where the replies of a connection are held, if they still are.
#[derive(Default)]
pub(super) struct Holding(Option<(Arc<Batch>, u64)>);

impl Holding {
    /// Holds a reply, if this thread has others to make; else it is to be sent by whoever asks, and what the thread
    /// held has been sent.
    pub(super) fn hold(&mut self, outlet: &Arc<Outlet>, bytes: &[IoSlice<'_>]) -> bool {
        // While a thread ends nothing is held.
        MINE.try_with(|mine| self.hold_here(mine, outlet, bytes)).unwrap_or(false)
    }

    fn hold_here(&mut self, mine: &Mine, outlet: &Arc<Outlet>, bytes: &[IoSlice<'_>]) -> bool {
        if self.0.as_ref().is_some_and(|(batch, _)| !Arc::ptr_eq(batch, &mine.batch)) {
            self.settle();
        }
        let is_small = bytes.iter().map(|piece| piece.len()).sum::<usize>() <= LARGEST;
        let mut held = locked(&mine.batch.0);
        if !held.is_busy() || !is_small {
            held.send();
            return false;
        }
        held.add(outlet, bytes);
        match &mut self.0 {
            Some((_, turn)) => *turn = held.turn,
            place => *place = Some((Arc::clone(&mine.batch), held.turn)),
        }
        match held.ends.len() {
            MOST.. => held.send(),
            // tokio may wake it at once.
            1 => {
                drop(held);
                when_idle(&mine.waker);
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

/// Wakes it as soon as this thread has run out of tasks, or at once where tokio knows of none.
fn when_idle(waker: &Waker) {
    // Dropped unfinished: what it was polled for is done.
    let _ = pin!(yield_now()).poll(&mut Context::from_waker(waker));
}

/// What was written under a lock is whole, also if somebody panicked later.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
