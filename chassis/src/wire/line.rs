//! One connection as all its parts see it: what it has been doing since when, and what it is told to do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};

use tokio::sync::OwnedSemaphorePermit;

use super::order::{CLOSE, CUT, LATE, Orders, RETIRE};
use super::server::Server;
use super::tick::Ages;
use super::wait::Waits;
use crate::fault::Code;
use crate::invocation::Peer;

/// One connection. It lives as long as anything of the connection does, an upgraded stream included.
pub(super) struct Line {
    pub(super) peer: Peer,
    pub(super) server: Arc<Server>,
    pub(super) orders: Orders,
    pub(super) waits: Waits,
    born: u32,
    mark: AtomicU32,
    in_flight: AtomicU32,
    used: AtomicBool,
    blocked: AtomicU32,
    left: AtomicU8,
    speaker: AtomicU8,
    _permit: OwnedSemaphorePermit,
}

/// What a connection does while no call is in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    /// It is new and has not sent anything.
    Fresh = 0,
    /// It has sent a part of the head of a request.
    Head = 1,
    /// It is between calls.
    Idle = 2,
    /// It is being closed.
    Leaving = 3,
}

/// Where the calls of a connection end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    /// In the task of the connection, as those of HTTP/1 do: nobody else counts, and counting is cheaper.
    Here,
    /// In whatever task.
    Anywhere,
}

/// How much of a request's body was left unread when its call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Left {
    /// Nothing.
    Nothing = 0,
    /// So little that it may have arrived already; the connection may go on.
    Little = 1,
    /// So much that the connection is closed rather than read to its end (RFC 9112 §9.3).
    Much = 2,
}

/// Whose words the next bytes to the peer are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speaker {
    /// Every call has been answered: if something is said, then about what is no request.
    Nobody = 0,
    /// A call.
    Call = 1,
    /// Another protocol, to the end of the connection.
    Stranger = 2,
    /// The connection itself, which sent the last words there are.
    Connection = 3,
}

const UNBLOCKED: u32 = u32::MAX;

impl Line {
    pub(super) fn new(peer: Peer, server: Arc<Server>, given: u8, permit: OwnedSemaphorePermit) -> Self {
        let born = server.ticks.now();
        Self {
            peer,
            server,
            orders: Orders::new(given),
            waits: Waits::default(),
            born,
            mark: AtomicU32::new(born << 2 | Doing::Fresh as u32),
            in_flight: AtomicU32::new(0),
            used: AtomicBool::new(false),
            blocked: AtomicU32::new(UNBLOCKED),
            left: AtomicU8::new(Left::Nothing as u8),
            speaker: AtomicU8::new(Speaker::Nobody as u8),
            _permit: permit,
        }
    }

    /// A call begins. Only the task of the connection says so.
    pub(super) fn begin(&self, ends: Ends) {
        match ends {
            Ends::Here => self.in_flight.store(self.in_flight.load(Ordering::Relaxed) + 1, Ordering::Relaxed),
            Ends::Anywhere => _ = self.in_flight.fetch_add(1, Ordering::Relaxed),
        }
        self.used.store(true, Ordering::Relaxed);
        self.left.store(Left::Nothing as u8, Ordering::Relaxed);
        self.speaker.store(Speaker::Call as u8, Ordering::Relaxed);
    }

    /// All that was to be said has been sent.
    pub(super) fn flushed(&self) {
        if self.speaker.load(Ordering::Relaxed) == Speaker::Call as u8 && self.in_flight() == 0 {
            self.speaker.store(Speaker::Nobody as u8, Ordering::Relaxed);
        }
    }

    /// The connection speaks another protocol from now on.
    pub(super) fn give_away(&self) {
        self.speaker.store(Speaker::Stranger as u8, Ordering::Relaxed);
    }

    /// What the peer sent is no request, and it is told so.
    pub(super) fn refuse(&self, code: Code) {
        self.server.refusals.count(code);
        self.speaker.store(Speaker::Connection as u8, Ordering::Relaxed);
    }

    pub(super) fn has_refused(&self) -> bool {
        self.speaker.load(Ordering::Relaxed) == Speaker::Connection as u8
    }

    /// Whether every call has been answered, and the answers sent.
    pub(super) fn is_silent(&self) -> bool {
        self.speaker.load(Ordering::Relaxed) == Speaker::Nobody as u8
    }

    /// A call and its reply have ended.
    pub(super) fn end(&self, ends: Ends) {
        // Before the count, so that whoever sees no call in flight also sees since when.
        self.note(Doing::Idle);
        match ends {
            Ends::Here => self.in_flight.store(self.in_flight.load(Ordering::Relaxed) - 1, Ordering::Release),
            Ends::Anywhere => _ = self.in_flight.fetch_sub(1, Ordering::Release),
        }
    }

    /// How many calls are in flight.
    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Acquire)
    }

    /// Whether there was a call at all.
    pub(super) fn is_used(&self) -> bool {
        self.used.load(Ordering::Relaxed)
    }

    /// Bytes have arrived.
    pub(super) fn received(&self) {
        if matches!(self.doing(), Doing::Idle | Doing::Fresh) {
            self.note(Doing::Head);
        }
    }

    pub(super) fn note(&self, doing: Doing) {
        // Both in one word: read apart, a new state might be taken to be as old as the one before it.
        self.mark.store(self.server.ticks.now() << 2 | doing as u32, Ordering::Relaxed);
    }

    pub(super) fn doing(&self) -> Doing {
        match self.mark.load(Ordering::Relaxed) & 3 {
            0 => Doing::Fresh,
            1 => Doing::Head,
            2 => Doing::Idle,
            _ => Doing::Leaving,
        }
    }

    /// Whether a request has begun that is not a call yet.
    pub(super) fn is_reading_head(&self) -> bool {
        self.in_flight() == 0 && self.doing() == Doing::Head
    }

    /// Whether there was a call so recently that the next may be on its way: to close now could lose it.
    pub(super) fn is_warm(&self) -> bool {
        let Ages { linger, idle, .. } = self.server.ages;
        let mark = self.mark.load(Ordering::Relaxed);
        self.in_flight() == 0
            && mark & 3 == Doing::Idle as u32
            && age(mark, self.server.ticks.now()) <= linger.min(idle)
    }

    /// How many ticks ago its last call ended, if it could be closed for another one: none is in flight, the next is
    /// hardly on its way, and it has not been told to close.
    pub(super) fn spare_since(&self) -> Option<u32> {
        let mark = self.mark.load(Ordering::Relaxed);
        let is_spare = self.in_flight() == 0
            && mark & 3 == Doing::Idle as u32
            && !self.is_warm()
            && self.orders.given() & CLOSE == 0;
        is_spare.then(|| age(mark, self.server.ticks.now()))
    }

    /// The peer does not read.
    pub(super) fn block(&self) {
        self.blocked.store(self.server.ticks.now(), Ordering::Relaxed);
    }

    /// The peer reads again.
    pub(super) fn unblock(&self) {
        self.blocked.store(UNBLOCKED, Ordering::Relaxed);
    }

    pub(super) fn is_blocked(&self) -> bool {
        self.blocked.load(Ordering::Relaxed) != UNBLOCKED
    }

    pub(super) fn leave(&self, left: Left) {
        self.left.store(left as u8, Ordering::Relaxed);
    }

    pub(super) fn has_left(&self, left: Left) -> bool {
        self.left.load(Ordering::Relaxed) >= left as u8
    }

    /// Whether a call is in flight whose reply will be the next words.
    pub(super) fn is_answering(&self) -> bool {
        self.in_flight() > 0 && self.speaker.load(Ordering::Relaxed) == Speaker::Call as u8
    }

    /// Whether replies must ask the peer to close.
    pub(super) fn is_retiring(&self) -> bool {
        self.orders.given() & (RETIRE | CLOSE) != 0
    }

    /// Gives the orders that are due at this tick.
    pub(super) fn look(&self, now: u32, ages: &Ages) {
        let blocked = self.blocked.load(Ordering::Relaxed);
        if blocked != UNBLOCKED && now.wrapping_sub(blocked) > ages.write {
            return self.orders.give(CUT);
        }
        if ages.age.is_some_and(|age| now.wrapping_sub(self.born) > age) {
            self.orders.give(RETIRE);
        }
        self.waits.look(now, ages.body_read);
        if self.in_flight() == 0
            && let Some(order) = due(self.mark.load(Ordering::Relaxed), self.orders.given(), now, ages)
        {
            self.orders.give(order);
        }
    }
}

/// What a connection without calls is told when it has done the same for too long.
fn due(mark: u32, given: u8, now: u32, ages: &Ages) -> Option<u8> {
    let (limit, order) = match mark & 3 {
        1 => (ages.header_read, LATE),
        0 if given & CLOSE == 0 => (ages.fresh, CUT),
        2 if given & CLOSE == 0 => (ages.idle, CLOSE),
        _ => (ages.linger, CUT),
    };
    (age(mark, now) > limit).then_some(order)
}

/// How many ticks ago that was noted.
fn age(mark: u32, now: u32) -> u32 {
    (now << 2).wrapping_sub(mark & !3) >> 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Limits;

    #[test]
    fn what_lasts_too_long_is_ended_in_its_own_way() {
        let ages = Ages::new(&Limits::default());
        let at = |since: u32, doing: Doing, now| due(since << 2 | doing as u32, 0, now, &ages);
        assert_eq!(at(5, Doing::Fresh, 15), None);
        assert_eq!(at(5, Doing::Fresh, 16), Some(CUT));
        assert_eq!(at(5, Doing::Head, 16), Some(LATE));
        assert_eq!(at(5, Doing::Idle, 80), None);
        assert_eq!(at(5, Doing::Idle, 81), Some(CLOSE));
        assert_eq!(at(5, Doing::Leaving, 8), Some(CUT));
    }

    #[test]
    fn while_connections_are_short_only_new_ones_that_send_nothing_are_given_less_time() {
        let ages = Ages::new(&Limits::default()).while_short();
        let at = |doing: Doing, now| due(5 << 2 | doing as u32, 0, now, &ages);
        assert_eq!([at(Doing::Fresh, 7), at(Doing::Fresh, 8)], [None, Some(CUT)]);
        assert_eq!([at(Doing::Head, 15), at(Doing::Head, 16)], [None, Some(LATE)]);
        assert_eq!([at(Doing::Idle, 80), at(Doing::Idle, 81)], [None, Some(CLOSE)]);
    }

    #[test]
    fn a_connection_told_to_close_does_not_idle_on() {
        let ages = Ages::new(&Limits::default());
        for doing in [Doing::Fresh, Doing::Idle] {
            assert_eq!(due(5 << 2 | doing as u32, CLOSE, 7, &ages), None);
            assert_eq!(due(5 << 2 | doing as u32, CLOSE, 8, &ages), Some(CUT));
        }
    }

    #[test]
    fn ticks_may_wrap_around() {
        let ages = Ages::new(&Limits::default());
        assert_eq!(due(u32::MAX << 2 | Doing::Idle as u32, 0, 74, &ages), None);
        assert_eq!(due(u32::MAX << 2 | Doing::Idle as u32, 0, 75, &ages), Some(CLOSE));
    }
}
