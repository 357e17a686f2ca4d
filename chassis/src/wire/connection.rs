//! The life of one connection.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Poll, Waker};

use hyper::server::conn::{http1::UpgradeableConnection, http2};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use super::Connection;
use super::call::answer;
use super::flaw::Flaw;
use super::line::{Doing, Line};
use super::order::{CLOSE, CUT, LATE, RETIRE};
use super::stream::{Spoken, Stream};
use crate::fault::Code;
use crate::invocation::Tls;

/// Serves one connection to its end. `tls` is what is known about it if it is encrypted.
pub(super) async fn run<T, C>(io: T, line: Arc<Line>, mut calls: C, tls: Option<Arc<Tls>>)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    C: Connection,
{
    if let Some(tls) = tls {
        calls.secured(tls);
    }
    let mut stream = Stream::new(io, Arc::clone(&line));
    // One that is told to close is given a moment first: it may have been made for a call that is on its way.
    let spoken = obey(&line, pin!(stream.sniff()), |_, given| given & (LATE | CUT) != 0).await;
    match spoken {
        End::Done(Ok(Spoken::Http1)) => http1(stream, line, calls).await,
        End::Done(Ok(Spoken::Http2)) => http2(stream, line, calls).await,
        End::Done(Ok(Spoken::Nothing) | Err(_)) | End::Told => {}
    }
}

/// How a part of a connection's life ended.
pub(super) enum End<T> {
    Done(T),
    Told,
}

async fn http1<T, C>(stream: Stream<T>, line: Arc<Line>, calls: C)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    C: Connection,
{
    let (taking, calls) = (Arc::clone(&line), RefCell::new(calls));
    let service = service_fn(move |request| answer(&taking, &calls, request));
    let mut connection = line.server.http1.serve_connection(TokioIo::new(stream), service).with_upgrades();
    let end = obey(&line, Pin::new(&mut connection), |connection, given| {
        // A request on its way is answered; its reply asks the peer to close.
        if given & CLOSE != 0 && !line.is_reading_head() && !line.is_warm() {
            UpgradeableConnection::graceful_shutdown(connection);
        }
        given & CUT != 0 || given & LATE != 0 && !is_moot(&line)
    });
    match end.await {
        End::Done(outcome) => report(&line, outcome),
        End::Told if line.is_reading_head() && !line.is_blocked() => {
            if let Some(parts) = connection.into_parts() {
                // RFC 9110 §15.5.9.
                turn_away(parts.io.into_inner(), &line, LATE_HEAD).await;
            }
        }
        End::Told => {}
    }
}

/// Whether the order to give up on a late head has come too late itself; it is taken back then.
fn is_moot(line: &Line) -> bool {
    let moot = !line.is_reading_head();
    if moot {
        line.orders.take_back(LATE);
    }
    moot
}

async fn http2<T, C>(stream: Stream<T>, line: Arc<Line>, calls: C)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    C: Connection,
{
    // The peer may open a connection ahead of its first call; the preface shows that it means to.
    line.note(Doing::Idle);
    let (taking, calls) = (Arc::clone(&line), RefCell::new(calls));
    let service = service_fn(move |request| answer(&taking, &calls, request));
    let mut connection = pin!(line.server.http2.serve_connection(TokioIo::new(stream), service));
    let end = obey(&line, connection.as_mut(), |connection, given| {
        // A peer that has just connected gets its first call through, or it would connect again and again.
        if given & CLOSE != 0 || given & RETIRE != 0 && line.is_used() {
            http2::Connection::graceful_shutdown(connection);
        }
        given & CUT != 0
    });
    if let End::Done(outcome) = end.await {
        report(&line, outcome);
    }
}

/// Polls a part of the connection until it ends or is told to. `told` sees every change of the orders, and says
/// whether to stop at once.
pub(super) async fn obey<F: Future>(
    line: &Line,
    mut part: Pin<&mut F>,
    mut told: impl FnMut(Pin<&mut F>, u8) -> bool,
) -> End<F::Output> {
    let mut watching: Option<Waker> = None;
    let mut obeyed = (0, false);
    poll_fn(move |cx| {
        loop {
            // Registering costs two atomic writes, and is needed again only after an order.
            if !watching.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                line.orders.watch(cx.waker());
                watching = Some(cx.waker().clone());
            }
            // Before the orders: a request that has arrived is taken before the connection is closed for being idle.
            if let Poll::Ready(output) = part.as_mut().poll(cx) {
                return Poll::Ready(End::Done(output));
            }
            let orders = (line.orders.given(), line.is_used());
            if orders == obeyed {
                return Poll::Pending;
            }
            (obeyed, watching) = (orders, None);
            if told(part.as_mut(), orders.0) {
                return Poll::Ready(End::Told);
            }
            if orders.0 & CLOSE != 0 && line.in_flight() == 0 && line.doing() == Doing::Idle && !line.is_warm() {
                line.note(Doing::Leaving);
            }
        }
    })
    .await
}

const LATE_HEAD: Flaw = Flaw::new(Code::RequestTimeout, "The head of the request did not arrive in time.");

/// Tells a peer that sent no request what is wrong, and closes.
pub(super) async fn turn_away<T>(mut stream: Stream<T>, line: &Line, flaw: Flaw)
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    // The watching task cuts this off as well when the peer does not even read.
    line.note(Doing::Leaving);
    line.orders.take_back(LATE);
    line.refuse(flaw.code);
    let goodbye = async {
        stream.write_all(&flaw.last_words()).await?;
        stream.shutdown().await
    };
    let _ = obey(line, pin!(goodbye), |_, given| given & CUT != 0).await;
}

fn report(line: &Line, outcome: hyper::Result<()>) {
    let Err(error) = outcome else { return };
    let code = no_request(&error);
    // It may not have come to say so itself, behind a reply that the peer does not read.
    if let Some(code) = code.filter(|_| !line.has_refused()) {
        line.refuse(code);
    }
    tracing::debug!(peer = %line.peer, code = code.map(Code::as_str), %error, "connection ended early");
}

/// What hyper answered itself, because it did not find a request in what the peer sent.
fn no_request(error: &hyper::Error) -> Option<Code> {
    match error.is_parse_too_large() {
        true => Some(Code::HeaderFieldsTooLarge),
        false => error.is_parse().then_some(Code::InvalidArgument),
    }
}
