//! `fault-injection`: makes calls late or fail on purpose, to see what their callers do about it.
//!
//! Nothing happens unless `delay` or `abort` is set, and then the log says so at the start. A call that gets both waits
//! first. A delay ends no later than the call's deadline. It stands behind `auth`, because a stranger must not be able
//! to keep calls open.

#![expect(unsafe_code, reason = "the entry of a handler stands in a section of the linker")]

use http::StatusCode;

use crate::conf::{BuildContext, BuildError, Configure, Interval, Share};
use crate::fault::{Code, Fault};
use crate::handler::{Handler, Outlook, Verdict};
use crate::invocation::Invocation;
use crate::metrics::{Counter, Kind, Spec, Unit, labels};
use crate::random::Random;
use crate::{conf, handler};

static DELAYED: Spec = Spec {
    name: "chassis.fault_injection.delayed",
    help: "Calls that `fault-injection` made late.",
    unit: Unit::Count("request"),
    kind: Kind::Counter,
};

/// Which calls are made late or fail.
#[conf]
pub struct Conf {
    /// Calls that are made late. None is by default.
    pub delay: Option<Delay>,
    /// Calls that fail without reaching the operation. None does by default.
    pub abort: Option<Abort>,
}

/// How late calls are made.
#[conf]
pub struct Delay {
    /// By how long.
    pub time: Interval,
    /// The share of calls.
    #[conf(default = Share::ALL)]
    pub share: Share,
}

/// How calls fail.
#[conf]
pub struct Abort {
    /// The status they are answered with. 499 is none: nobody is answered with it.
    #[conf(default = 503, range(400..=599))]
    pub status: u16,
    /// The share of calls.
    #[conf(default = Share::ALL)]
    pub share: Share,
}

/// Makes a share of calls late, or fail, on purpose: to see what their callers do about it. Never by default.
#[handler("fault-injection", after("auth"))]
pub struct FaultInjection {
    delay: Option<(Interval, Share)>,
    abort: Option<(StatusCode, Share)>,
    random: Random,
    delayed: Counter,
}

impl Configure for FaultInjection {
    type Conf = Conf;

    fn build(conf: Conf, context: &BuildContext<'_>) -> Result<Self, BuildError> {
        warn(&conf, context);
        let abort = conf.abort.map(|abort| status(abort.status).map(|status| (status, abort.share))).transpose()?;
        let delay = conf.delay.map(|delay| (delay.time, delay.share));
        let delayed = context.process.metrics.counter(&DELAYED, labels::<&str>([]));
        Ok(Self { delay, abort, random: context.random.clone(), delayed })
    }
}

impl Handler for FaultInjection {
    fn before(&self, invocation: &mut Invocation) -> Verdict {
        let delay = self.drawn(self.delay);
        let abort = self.drawn(self.abort);
        match delay {
            Some(time) if invocation.call.may_act() => {
                self.delayed.increment();
                Verdict::wait(tokio::time::sleep(time.duration()), move |_, ()| outcome(abort))
            }
            _ => outcome(abort),
        }
    }

    fn outlook(&self, _: &mut Invocation) -> Option<Outlook> {
        let of = |share: Share| if share == Share::ALL { String::new() } else { format!("in {share} of calls ") };
        let delay = self.delay.filter(|(_, share)| *share > Share::NONE);
        let delay = delay.map(|(time, share)| format!("{}waits {time}", of(share)));
        let abort = self.abort.filter(|(_, share)| *share > Share::NONE).map(|(status, share)| {
            let refusing = Outlook::refusing(&aborted(status));
            (format!("{}{}", of(share), refusing.words), share == Share::ALL)
        });
        let ends = abort.as_ref().is_some_and(|(_, ends)| *ends);
        let words: Vec<_> = delay.into_iter().chain(abort.map(|(words, _)| words)).collect();
        Some(Outlook { words: if words.is_empty() { "passes".to_owned() } else { words.join(", then ") }, ends })
    }
}

impl FaultInjection {
    /// What happens to this call, of what happens to a share of them.
    fn drawn<T: Copy>(&self, what: Option<(T, Share)>) -> Option<T> {
        let (what, share) = what?;
        (self.random.next_f64() < share.of_one()).then_some(what)
    }
}

fn outcome(abort: Option<StatusCode>) -> Verdict {
    abort.map_or(Verdict::Continue, |status| Verdict::Refuse(aborted(status)))
}

fn aborted(status: StatusCode) -> Fault {
    let fault = Fault::of_status(status, "This call was made to fail on purpose.").with_policy("abort");
    fault.with_remedy("Remove `abort` from `fault-injection`.")
}

/// The status of this number, but for the one that stands in logs for callers who left.
fn status(number: u16) -> Result<StatusCode, BuildError> {
    let status = StatusCode::from_u16(number).ok().filter(|status| *status != Code::Cancelled.status());
    status.ok_or_else(|| {
        BuildError::new(
            "abort.status",
            format!("nobody is answered with {number}: it stands for callers who went away"),
        )
        .with_help("write another, such as 429, 500, 502, 503 or 504")
    })
}

/// Says loudly what is about to happen: nobody should look for a failure that was ordered.
fn warn(conf: &Conf, context: &BuildContext<'_>) {
    let scope = context.scope.map_or_else(|| "all operations".to_owned(), |scope| format!("`{scope}`"));
    let warn = |key: &str, share: Share, what: String| {
        if share > Share::NONE {
            let message =
                format!("{share} of the calls of {scope}, but for those that `when` leaves out, {what} ON PURPOSE");
            let warning = BuildError::new(key, message);
            context.warnings.warn_at(warning.with_help("remove it where nobody is testing"));
        }
    };
    if let Some(delay) = &conf.delay {
        warn("delay", delay.share, format!("are made {} late", delay.time));
    }
    if let Some(abort) = &conf.abort {
        warn("abort", abort.share, format!("fail with {}", abort.status));
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Poll;
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;
    use crate::clock::Clock;
    use crate::conf::fixture::built;
    use crate::conf::source::InMemory;
    use crate::conf::{Process, Warnings, typed};
    use crate::invocation::fixture;

    fn injecting(conf: Value) -> FaultInjection {
        built(conf).unwrap()
    }

    /// What becomes of a call: the status it fails with.
    async fn outcome(handler: &FaultInjection) -> Option<u16> {
        let mut call = fixture::call(fixture::request("GET", "/"));
        let mut verdict = handler.before(&mut call);
        loop {
            verdict = match verdict {
                Verdict::Continue => return None,
                Verdict::Refuse(fault) => return Some(fault.status().as_u16()),
                Verdict::Answer(_) => panic!("a fault is no answer"),
                Verdict::Wait(mut waiting) => {
                    poll_fn(|cx| match waiting.poll(cx, &mut call) {
                        Poll::Ready(verdict) => Poll::Ready(verdict),
                        Poll::Pending => Poll::Pending,
                    })
                    .await
                }
            }
        }
    }

    async fn failed_of_1000(handler: &FaultInjection) -> usize {
        let mut failed = 0;
        for _ in 0..1000 {
            failed += usize::from(outcome(handler).await.is_some());
        }
        failed
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_happens_unless_said() {
        let start = Clock::system().now();
        assert_eq!(outcome(&injecting(json!({}))).await, None);
        assert_eq!(Clock::system().now(), start);
    }

    #[tokio::test(start_paused = true)]
    async fn h16_every_call_fails_with_the_status_that_is_said() {
        let all = injecting(json!({ "abort": { "status": 500 } }));
        assert_eq!(outcome(&all).await, Some(500));
        assert_eq!(failed_of_1000(&all).await, 1000);
    }

    #[tokio::test(start_paused = true)]
    async fn h18_a_share_of_nothing_turns_it_off() {
        let off = injecting(json!({ "abort": { "share": "0%" }, "delay": { "time": "1h", "share": "0%" } }));
        let start = Clock::system().now();
        assert_eq!(failed_of_1000(&off).await, 0);
        assert_eq!(Clock::system().now(), start);
    }

    #[tokio::test(start_paused = true)]
    async fn a_share_fails_the_same_calls_for_the_same_seed() {
        let conf = json!({ "abort": { "share": "25%" } });
        let failed = failed_of_1000(&injecting(conf.clone())).await;
        assert!((200..300).contains(&failed), "{failed}");
        assert_eq!(failed_of_1000(&injecting(conf)).await, failed);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_is_late_by_what_is_said_and_fails_afterwards() {
        let start = Clock::system().now();
        assert_eq!(outcome(&injecting(json!({ "delay": { "time": "2s" } }))).await, None);
        assert_eq!(Clock::system().now().duration_since(start), Duration::from_secs(2));
        let both = json!({ "delay": { "time": "3s" }, "abort": {} });
        assert_eq!(outcome(&injecting(both)).await, Some(503));
        assert_eq!(Clock::system().now().duration_since(start), Duration::from_secs(5));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_made_late_is_counted() {
        let late = injecting(json!({ "delay": { "time": "1s" } }));
        let timely = injecting(json!({ "delay": { "time": "1s", "share": "0%" } }));
        for handler in [&late, &timely] {
            outcome(handler).await;
        }
        assert_eq!((late.delayed.count(), timely.delayed.count()), (1, 0));
    }

    #[tokio::test]
    async fn h16_a_call_fails_with_any_status_of_a_failure() {
        for status in [400, 418, 421, 500, 503, 511, 599] {
            let all = injecting(json!({ "abort": { "status": status } }));
            assert_eq!(outcome(&all).await, Some(status));
        }
        for status in [200, 399, 499, 600] {
            assert!(built::<FaultInjection>(json!({ "abort": { "status": status } })).is_err(), "{status}");
        }
    }

    fn warnings(conf: Value) -> Vec<String> {
        let (random, files, warnings) = (Random::seeded(1), InMemory::default(), Warnings::default());
        let context = BuildContext {
            clock: Clock::system(),
            random: &random,
            scope: Some("greeting.*"),
            files: &files,
            warnings: &warnings,
            process: &Process::default(),
        };
        FaultInjection::build(typed(conf).unwrap(), &context).unwrap();
        warnings.all().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_done_on_purpose_is_said_loudly() {
        let conf = json!({ "delay": { "time": "2s", "share": "10%" }, "abort": { "status": 503, "share": "0%" } });
        assert_eq!(
            warnings(conf),
            [
                "`delay`: 10% of the calls of `greeting.*`, but for those that `when` leaves out, are made 2s late ON PURPOSE"
            ]
        );
        let expected = [
            "`abort`: 100% of the calls of `greeting.*`, but for those that `when` leaves out, fail with 503 ON PURPOSE",
        ];
        assert_eq!(warnings(json!({ "abort": {} })), expected);
        assert_eq!(warnings(json!({})), [""; 0]);
    }
}
