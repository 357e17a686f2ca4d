//! Drives one server for one round over many connections from one thread.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::epoll;
use rustix::fd::OwnedFd;

use crate::connection::{Connection, Received};
use crate::exchange::Exchange;

/// How hard and how long.
pub(crate) struct Plan {
    pub(crate) connections: usize,
    pub(crate) warm_up: Duration,
    pub(crate) measured: Duration,
}

/// What one round gave.
pub(crate) struct Round {
    pub(crate) elapsed: Duration,
    /// What the server's processor time grew by.
    pub(crate) server: Duration,
    /// Of each request in the measured time, ascending.
    pub(crate) latencies: Vec<Duration>,
}

impl Round {
    /// Requests a second.
    pub(crate) fn throughput(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64()
    }

    /// Microseconds of the server's processor a request.
    pub(crate) fn cost(&self) -> f64 {
        self.server.as_secs_f64() * 1e6 / self.latencies.len() as f64
    }

    /// How much of its core the server used: below 0.9 the load, not the server, was the limit.
    pub(crate) fn busy(&self) -> f64 {
        self.server.as_secs_f64() / self.elapsed.as_secs_f64()
    }

    /// The latency that `share` of the requests stay below, in microseconds.
    pub(crate) fn percentile(&self, share: f64) -> f64 {
        let at = (self.latencies.len() as f64 * share) as usize;
        self.latencies.get(at).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1e6)
    }
}

/// Connects, warms up and measures.
pub(crate) fn round(
    address: SocketAddr,
    exchange: &Exchange,
    plan: &Plan,
    server_time: impl Fn() -> io::Result<Duration>,
) -> io::Result<Round> {
    let mut crowd = Crowd::connect(address, plan.connections)?;
    crowd.send_first(exchange)?;
    crowd.run_until(exchange, Instant::now() + plan.warm_up)?;
    crowd.latencies.clear();
    let (before, start) = (server_time()?, Instant::now());
    let end = crowd.run_until(exchange, start + plan.measured)?;
    let server = server_time()? - before;
    let mut latencies = crowd.latencies;
    latencies.sort_unstable();
    Ok(Round { elapsed: end - start, server, latencies })
}

struct Crowd {
    epoll: OwnedFd,
    connections: Vec<Connection>,
    /// How many requests were sent.
    sent: usize,
    latencies: Vec<Duration>,
}

impl Crowd {
    fn connect(address: SocketAddr, count: usize) -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let mut connections = Vec::with_capacity(count);
        for at in 0..count {
            let connection = Connection::open(address, Instant::now())?;
            epoll::add(&epoll, &connection.stream, epoll::EventData::new_u64(at as u64), epoll::EventFlags::IN)?;
            connections.push(connection);
        }
        Ok(Self { epoll, connections, sent: 0, latencies: Vec::with_capacity(1 << 20) })
    }

    fn send_first(&mut self, exchange: &Exchange) -> io::Result<()> {
        for connection in &mut self.connections {
            connection.send(exchange.request(self.sent), Instant::now())?;
            self.sent += 1;
        }
        Ok(())
    }

    /// Answers every answer with the next request until the time is over.
    fn run_until(&mut self, exchange: &Exchange, end: Instant) -> io::Result<Instant> {
        let mut events = Vec::with_capacity(self.connections.len());
        let patience = epoll_patience();
        loop {
            let now = Instant::now();
            if now >= end {
                return Ok(now);
            }
            events.clear();
            epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&patience))?;
            if events.is_empty() {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "no connection was answered for 5 s"));
            }
            for event in &events {
                self.turn(event.data.u64() as usize, exchange)?;
            }
        }
    }

    fn turn(&mut self, at: usize, exchange: &Exchange) -> io::Result<()> {
        let connection = &mut self.connections[at];
        match connection.receive(exchange)? {
            Received::Part => Ok(()),
            Received::Right => {
                let now = Instant::now();
                self.latencies.push(now - connection.sent);
                connection.send(exchange.request(self.sent), now)?;
                self.sent += 1;
                Ok(())
            }
            Received::Wrong(line) => Err(io::Error::other(format!("a wrong answer: {line}"))),
        }
    }
}

fn epoll_patience() -> rustix::event::Timespec {
    rustix::event::Timespec { tv_sec: 5, tv_nsec: 0 }
}
