//! One keep-alive connection that has one request under way at any time.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use crate::exchange::{Exchange, length};

pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    received: Box<[u8]>,
    filled: usize,
    /// How long the answer was last time: the next one most likely is as long.
    expected: usize,
    pub(crate) sent: Instant,
}

/// What came of a read.
pub(crate) enum Received {
    Part,
    Right,
    /// The first line of what came instead.
    Wrong(String),
}

impl Connection {
    pub(crate) fn open(address: SocketAddr, now: Instant) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, received: vec![0; 16 * 1024].into(), filled: 0, expected: 0, sent: now })
    }

    pub(crate) fn send(&mut self, request: &[u8], now: Instant) -> io::Result<()> {
        self.sent = now;
        self.filled = 0;
        self.stream.write_all(request)
    }

    /// Reads once; to be called when there is something to read.
    pub(crate) fn receive(&mut self, exchange: &Exchange) -> io::Result<Received> {
        let read = self.stream.read(&mut self.received[self.filled..])?;
        self.filled += read;
        let answer = &self.received[..self.filled];
        if read == 0 {
            return Ok(Received::Wrong(format!("closed after {:?}", first_line(answer))));
        }
        if self.filled == self.expected && exchange.is_answered_by(answer) {
            return Ok(Received::Right);
        }
        match length(answer) {
            Some(length) if length == self.filled => self.expected = length,
            _ => return Ok(Received::Part),
        }
        Ok(if exchange.is_answered_by(answer) { Received::Right } else { Received::Wrong(first_line(answer)) })
    }
}

fn first_line(answer: &[u8]) -> String {
    String::from_utf8_lossy(answer).lines().next().unwrap_or_default().to_owned()
}
