//! `deadline`: a call is given no more time than its caller waits for it.
//!
//! The deadline of a call is the earliest of what the route allows (`timeout`), what `max` allows, and what the caller
//! says in `grpc-timeout` or, if it is trusted, in a field of its own. This handler makes it earlier, never later; the
//! chain enforces it, and the operation passes on what is left. A call that nobody waits for any more is refused with
//! 504 at once; one that says something else than a time is refused with 400: it would get another deadline than its
//! caller believes. The field of a caller that is not trusted is not read.

#![expect(unsafe_code, reason = "the entry of a handler stands in a section of the linker")]

use std::time::Duration;

use http::{HeaderMap, HeaderName, header};

use crate::clock::Clock;
use crate::conf::{BuildContext, BuildError, Configure, Interval};
use crate::fault::{Code, Fault, Violation};
use crate::handler::{Handler, Verdict};
use crate::invocation::{Hurry, Invocation, Network};
use crate::reply::Reply;
use crate::{conf, handler};

static GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// How long calls may take, beside what `timeout` says.
#[conf]
pub struct Conf {
    /// How long a call may take at most, whatever its route and its caller say. No limit by default.
    pub max: Option<Interval>,
    /// Whether a caller can shorten its time with `grpc-timeout`: up to 8 digits and a unit of `H`, `M`, `S`, `m`, `u`
    /// or `n`, such as `250m` for 250 milliseconds.
    #[conf(default = true)]
    pub grpc_timeout: bool,
    /// The header field in which peers that are trusted say how many milliseconds they wait, such as
    /// `X-Request-Timeout-Ms`. None by default.
    pub header: Option<String>,
    /// The networks of the peers that are trusted to say so: `10.0.0.0/8`, `192.0.2.7`, `unix` for Unix sockets.
    /// Nobody is by default.
    #[conf(default)]
    pub trusted_peers: Vec<Network>,
}

/// Gives a call no more time than its caller waits for it: the earliest of the route's limit, `max` and what the caller
/// says holds. List it before what waits.
#[handler("deadline", before("concurrency", "fault-injection", "auth"))]
pub struct Deadline {
    max: Option<Duration>,
    grpc_timeout: bool,
    header: Option<HeaderName>,
    trusted_peers: Vec<Network>,
    clock: Clock,
}

impl Configure for Deadline {
    type Conf = Conf;

    fn build(conf: Conf, context: &BuildContext<'_>) -> Result<Self, BuildError> {
        if conf.max == Some(Interval::ZERO) {
            return Err(BuildError::new("max", "`0s` leaves a call no time").with_help("remove it for no limit"));
        }
        if conf.header.is_some() && conf.trusted_peers.is_empty() {
            let warning = BuildError::new("header", "nobody is trusted to send it, so it is never read");
            context.warnings.warn_at(warning.with_help("list the peers in `trusted-peers`"));
        }
        if conf.header.is_none() && !conf.trusted_peers.is_empty() {
            let warning = BuildError::new("trusted-peers", "there is no field that they are trusted to send");
            context.warnings.warn_at(warning.with_help("name it in `header`, such as `X-Request-Timeout-Ms`"));
        }
        let header = conf.header.as_deref().map(field).transpose()?;
        let max = conf.max.map(Duration::from);
        let (grpc_timeout, trusted_peers) = (conf.grpc_timeout, conf.trusted_peers);
        Ok(Self { max, grpc_timeout, header, trusted_peers, clock: context.clock })
    }
}

impl Handler for Deadline {
    fn before(&self, invocation: &mut Invocation) -> Verdict {
        let said = match self.said(invocation) {
            Ok(said) => said,
            Err(fault) => return Verdict::Refuse(fault),
        };
        let arrived = invocation.call.arrived;
        if said.is_some_and(|said| self.clock.now().saturating_duration_since(arrived) >= said) {
            let fault = Fault::new(Code::DeadlineExceeded, "The caller leaves this call no time.");
            return Verdict::Refuse(fault.with_remedy("It passes when its caller waits for it."));
        }
        let limit = said.into_iter().chain(self.max).min();
        // What does not fit is further away than any clock can tell.
        let Some(latest) = limit.and_then(|limit| arrived.checked_add(limit)) else { return Verdict::Continue };
        invocation.call.limit_time(latest, "deadline");
        if said == limit && invocation.call.timed_by == Some("deadline") && invocation.call.may_act() {
            invocation.call.locals.set(Hurry);
        }
        Verdict::Continue
    }

    fn after(&self, invocation: &Invocation, _: &mut Reply) {
        if !invocation.call.may_act() {
            self.note_late(invocation);
        }
    }
}

impl Deadline {
    /// Counts a call on which it may not act and which it would have ended before its answer.
    #[cold]
    fn note_late(&self, invocation: &Invocation) {
        let Ok(said) = self.said(invocation) else { return };
        let Some(limit) = said.into_iter().chain(self.max).min() else { return };
        if invocation.call.elapsed() >= limit {
            let fault = Fault::new(Code::DeadlineExceeded, "The call was not answered before its deadline.");
            let fault = fault.with_evidence("allowed", format!("{limit:?}"));
            invocation.call.note_spared(&fault, "deadline", invocation);
        }
    }

    /// How long the caller waits, as far as it is believed.
    fn said(&self, invocation: &Invocation) -> Result<Option<Duration>, Fault> {
        let headers = invocation.headers();
        let grpc = self.grpc_timeout.then(|| read(headers, &GRPC_TIMEOUT, grpc)).transpose()?.flatten();
        let trusted = || self.trusted_peers.iter().any(|network| network.holds(&invocation.call.peer));
        let own = match &self.header {
            Some(name) if headers.contains_key(name) && trusted() => read(headers, name, millis)?,
            _ => None,
        };
        Ok(grpc.into_iter().chain(own).min())
    }
}

/// Reads a field that says how long; `None` where there is none.
fn read(
    headers: &HeaderMap,
    name: &HeaderName,
    parse: fn(&str) -> Option<Duration>,
) -> Result<Option<Duration>, Fault> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let only = values.next().is_none().then_some(value);
    let time = only.and_then(|value| value.to_str().ok()).and_then(parse);
    time.map(Some).ok_or_else(|| malformed(name))
}

/// The time of gRPC over HTTP/2: `TimeoutValue TimeoutUnit`.
fn grpc(text: &str) -> Option<Duration> {
    let unit = text.chars().next_back()?;
    let count = digits(text.strip_suffix(unit)?, 8)?;
    Some(match unit {
        'H' => Duration::from_secs(count * 3600),
        'M' => Duration::from_secs(count * 60),
        'S' => Duration::from_secs(count),
        'm' => Duration::from_millis(count),
        'u' => Duration::from_micros(count),
        'n' => Duration::from_nanos(count),
        _ => return None,
    })
}

fn millis(text: &str) -> Option<Duration> {
    digits(text.trim(), 18).map(Duration::from_millis)
}

/// A number of at most so many digits, and of nothing else.
fn digits(text: &str, most: usize) -> Option<u64> {
    let sound = (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    sound.then(|| text.parse().ok()).flatten()
}

fn malformed(name: &HeaderName) -> Fault {
    let detail = if *name == GRPC_TIMEOUT {
        "must be one to eight digits and a unit of H, M, S, m, u or n, once"
    } else {
        "must be a number of milliseconds, once"
    };
    let violation = Violation { place: "header", pointer: format!("/{name}"), detail: detail.to_owned() };
    Fault::new(Code::InvalidArgument, "The time that the caller waits cannot be read.").with_violations([violation])
}

fn field(text: &str) -> Result<HeaderName, BuildError> {
    let name: HeaderName = text.parse().map_err(|_| {
        BuildError::new("header", format!("`{text}` is not a header name"))
            .with_help("a header name has letters, digits and hyphens, such as `X-Request-Timeout-Ms`")
    })?;
    if TAKEN.contains(&name) {
        return Err(BuildError::new("header", format!("`{text}` says something else than how long a peer waits"))
            .with_help("name a field that is there for this, such as `X-Request-Timeout-Ms`"));
    }
    Ok(name)
}

/// What HTTP itself writes into a request; a number in them would be taken for a time.
static TAKEN: [HeaderName; 12] = [
    header::AUTHORIZATION,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::COOKIE,
    header::HOST,
    header::MAX_FORWARDS,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("grpc-timeout"),
];

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::conf::fixture::built;
    use crate::invocation::{Peer, fixture};

    const PEER: Peer = Peer::Unix;

    fn call(route: Option<u64>, fields: &[(&'static str, &str)]) -> Invocation {
        let mut call = fixture::call(fixture::request("GET", "/"));
        for (name, value) in fields {
            call.parts.headers.append(*name, value.parse().unwrap());
        }
        call.call.peer = PEER;
        call.call.deadline = route.map(|millis| call.call.arrived + Duration::from_millis(millis));
        call
    }

    /// How long the call may take afterwards, in milliseconds; or why it is refused.
    fn left(conf: Value, mut call: Invocation) -> Result<Option<u128>, Code> {
        match built::<Deadline>(conf).unwrap().before(&mut call) {
            Verdict::Refuse(fault) => Err(fault.code()),
            _ => Ok(call.call.deadline.map(|deadline| deadline.duration_since(call.call.arrived).as_millis())),
        }
    }

    fn trusting() -> Value {
        json!({ "header": "X-Request-Timeout-Ms", "trusted-peers": ["unix"] })
    }

    #[tokio::test(start_paused = true)]
    async fn the_earliest_of_route_caller_and_maximum_holds() {
        let max = |millis: u64| json!({ "max": format!("{millis}ms") });
        let said = [("grpc-timeout", "200m")];
        assert_eq!(left(json!({}), call(None, &[])), Ok(None));
        assert_eq!(left(json!({}), call(Some(100), &[])), Ok(Some(100)));
        assert_eq!(left(json!({}), call(Some(100), &said)), Ok(Some(100)), "never later");
        assert_eq!(left(json!({}), call(Some(300), &said)), Ok(Some(200)));
        assert_eq!(left(json!({}), call(None, &said)), Ok(Some(200)));
        assert_eq!(left(max(50), call(Some(100), &said)), Ok(Some(50)));
        assert_eq!(left(max(500), call(Some(300), &said)), Ok(Some(200)));
        assert_eq!(left(max(500), call(None, &[])), Ok(Some(500)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_grpc_timeout_is_a_number_and_a_unit() {
        for (text, expected) in [
            ("2H", Ok(Some(7_200_000))),
            ("2M", Ok(Some(120_000))),
            ("2S", Ok(Some(2_000))),
            ("2m", Ok(Some(2))),
            ("2000u", Ok(Some(2))),
            ("2000000n", Ok(Some(2))),
            ("99999999S", Ok(Some(99_999_999_000))),
            ("100000000S", Err(Code::InvalidArgument)),
            ("2", Err(Code::InvalidArgument)),
            ("S", Err(Code::InvalidArgument)),
            ("", Err(Code::InvalidArgument)),
            ("-1S", Err(Code::InvalidArgument)),
            ("1.5S", Err(Code::InvalidArgument)),
            ("2s", Err(Code::InvalidArgument)),
            ("2 S", Err(Code::InvalidArgument)),
        ] {
            assert_eq!(left(json!({}), call(None, &[("grpc-timeout", text)])), expected, "{text}");
        }
        let twice = [("grpc-timeout", "1S"), ("grpc-timeout", "2S")];
        assert_eq!(left(json!({}), call(None, &twice)), Err(Code::InvalidArgument));
        let off = json!({ "grpc-timeout": false });
        assert_eq!(left(off, call(None, &[("grpc-timeout", "x")])), Ok(None));
    }

    #[tokio::test(start_paused = true)]
    async fn only_trusted_peers_say_it_in_a_field_of_their_own() {
        let said = |text: &str| call(Some(1000), &[("x-request-timeout-ms", text)]);
        assert_eq!(left(trusting(), said("250")), Ok(Some(250)));
        assert_eq!(left(trusting(), said("2500")), Ok(Some(1000)));
        assert_eq!(left(trusting(), said("soon")), Err(Code::InvalidArgument));
        for text in ["250", "soon", "0"] {
            let mut strange = said(text);
            strange.call.peer = Peer::Ip("192.0.2.1:1".parse().unwrap());
            assert_eq!(left(trusting(), strange), Ok(Some(1000)), "{text}");
        }
        assert_eq!(left(json!({ "header": "x-request-timeout-ms" }), said("250")), Ok(Some(1000)));
        let both = [("x-request-timeout-ms", "250"), ("grpc-timeout", "100m")];
        assert_eq!(left(trusting(), call(None, &both)), Ok(Some(100)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_nobody_waits_for_is_refused_at_once() {
        let (soon, later) = ([("grpc-timeout", "5n")], [("grpc-timeout", "1m")]);
        let calls = [call(None, &soon), call(None, &later), call(None, &[])];
        tokio::time::advance(Duration::from_micros(1)).await;
        let outcomes = calls.map(|call| left(json!({}), call));
        assert_eq!(outcomes, [Err(Code::DeadlineExceeded), Ok(Some(1)), Ok(None)], "its time may be over on arrival");
        assert_eq!(left(json!({}), call(None, &[("grpc-timeout", "0m")])), Err(Code::DeadlineExceeded));
        assert_eq!(left(trusting(), call(None, &[("x-request-timeout-ms", "0")])), Err(Code::DeadlineExceeded));
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_that_the_caller_chose_is_told_apart() {
        let is_hurried = |conf, mut call: Invocation| {
            let _ = built::<Deadline>(conf).unwrap().before(&mut call);
            call.call.locals.get::<Hurry>().is_some()
        };
        let said = [("grpc-timeout", "200m")];
        assert!(is_hurried(json!({}), call(None, &said)));
        assert!(is_hurried(json!({ "max": "1s" }), call(Some(300), &said)));
        assert!(!is_hurried(json!({}), call(Some(100), &said)), "the route is stricter");
        assert!(!is_hurried(json!({ "max": "100ms" }), call(Some(300), &said)));
        assert!(!is_hurried(json!({ "max": "100ms" }), call(None, &[])));
    }

    #[test]
    fn what_leaves_no_time_or_is_no_name_is_refused_at_the_start() {
        assert!(built::<Deadline>(json!({ "max": "0s" })).is_err());
        for header in ["a b", "Content-Length", "grpc-timeout"] {
            assert_eq!(
                built::<Deadline>(json!({ "header": header })).err().map(|error| error.at),
                Some("header".into())
            );
        }
    }

    #[test]
    fn a_refusal_says_which_field_is_wrong() {
        let mut call = call(None, &[("grpc-timeout", "soon")]);
        let Verdict::Refuse(fault) = built::<Deadline>(json!({})).unwrap().before(&mut call) else {
            panic!("it passed");
        };
        let [violation] = fault.violations() else { panic!("{fault:?}") };
        assert_eq!((violation.place, violation.pointer.as_str()), ("header", "/grpc-timeout"));
    }
}
