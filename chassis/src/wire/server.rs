//! What all connections of a listener share.

use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::check::Head;
use super::tick::{Ages, Ticks, period};
use super::{H2Limits, Limits};
use crate::protocol::Refusals;

/// What all connections of a listener share.
pub(super) struct Server {
    pub(super) ticks: Ticks,
    pub(super) period: Duration,
    pub(super) ages: Ages,
    /// The same while connections are short.
    pub(super) short: Ages,
    pub(super) refusals: Arc<Refusals>,
    pub(super) head: Head,
    pub(super) http1: http1::Builder,
    pub(super) http2: http2::Builder<TokioExecutor>,
}

impl Server {
    pub(super) fn new(limits: &Limits, refusals: Arc<Refusals>) -> Self {
        let ages = Ages::new(limits);
        Self {
            ticks: Ticks::default(),
            period: period(limits),
            short: ages.while_short(),
            ages,
            refusals,
            head: limits.head(),
            http1: http1(limits),
            http2: http2(limits),
        }
    }
}

/// hyper's own table of header fields: within it a request costs no allocation for them.
const FREE_HEADERS: usize = 100;

/// The smallest buffer hyper works with.
const LEAST_BUFFER: usize = 8 << 10;

fn http1(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    // hyper would arm a timer for every request, and count the time between requests too.
    builder.header_read_timeout(None);
    builder.max_header_size(limits.header_bytes);
    // The buffer also holds what arrived of a body; without a bound of ours it grows to 400 KiB a connection.
    builder.max_buf_size(limits.header_bytes.max(LEAST_BUFFER));
    // Head and body in one buffer, and in one call of the system: to keep them apart costs a small reply 500 instructions.
    builder.writev(false);
    // To see whether the peer has gone, hyper would read, and make a buffer for it where a body still lies in the last
    // one: 8 KiB a request, and the allocator tidies up for each. The stream looks itself.
    builder.half_close(true);
    if limits.headers != FREE_HEADERS {
        builder.max_headers(limits.headers);
    }
    builder
}

fn http2(limits: &Limits) -> http2::Builder<TokioExecutor> {
    let H2Limits { streams, ping_interval, ping_timeout, pending_resets, local_resets } = limits.h2;
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(streams)
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        .keep_alive_interval(ping_interval)
        .keep_alive_timeout(ping_timeout)
        .max_pending_accept_reset_streams(pending_resets)
        .max_local_error_reset_streams(local_resets);
    builder
}
