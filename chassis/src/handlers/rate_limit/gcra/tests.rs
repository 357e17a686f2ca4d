//! GCRA against a token bucket counted in exact fractions.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn gcra(rate: &str, burst: Option<u64>) -> Gcra {
    Gcra::new(rate.parse().unwrap(), burst).unwrap()
}

fn millis(millis: u64) -> u64 {
    millis * 1_000_000
}

/// Asks at each time in turn and keeps the state.
fn admitted(gcra: Gcra, times: &[u64]) -> Vec<bool> {
    let mut tat = 0;
    let ask = |now: &u64| {
        let allowed = gcra.check(tat, *now, 1).allowed;
        if allowed {
            tat = gcra.commit(tat, *now, 1);
        }
        allowed
    };
    times.iter().map(ask).collect()
}

/// A bucket of `burst` tokens that gains `rate` of them evenly. Levels are counted in fractions of a token so small
/// that every figure is whole.
struct TokenBucket {
    gain: u128,
    token: u128,
    full: u128,
    level: u128,
    at: u64,
}

impl TokenBucket {
    fn new(rate: Rate, burst: u64) -> Self {
        let (gain, token) = (u128::from(rate.count), rate.per.as_nanos());
        Self { gain, token, full: token * u128::from(burst), level: token * u128::from(burst), at: 0 }
    }

    fn take(&mut self, now: u64) -> bool {
        self.level = self.full.min(self.level + self.gain * u128::from(now - self.at));
        self.at = now;
        let allowed = self.level >= self.token;
        self.level -= if allowed { self.token } else { 0 };
        allowed
    }
}

#[test]
fn a_burst_is_admitted_at_once_and_the_rate_thereafter() {
    let times = [0, 0, 0, 99, 100, 100, 199, 200].map(millis);
    let expected = [true, true, false, false, true, false, false, true];
    assert_eq!(admitted(gcra("10/s", Some(2)), &times), expected);
}

#[test]
fn without_a_burst_the_count_of_the_rate_may_come_at_once() {
    assert_eq!(gcra("10/s", None).burst(), 10);
    assert!(gcra("5/s", None).burst() >= gcra("4/s", None).burst());
    assert_eq!(gcra("1000/h", None).burst(), 1000);
}

#[test]
fn a_rate_of_zero_admits_nothing_ever() {
    let nothing = gcra("0/m", None);
    assert_eq!(admitted(nothing, &[0, millis(1), u64::MAX]), [false; 3]);
    let decision = nothing.check(0, millis(1), 1);
    assert_eq!((decision.remaining, decision.retry_after, decision.reset), (0, None, None));
}

#[test]
fn the_figures_say_what_is_left_and_when_more_comes() {
    let limit = gcra("10/s", Some(3));
    let first = limit.check(0, millis(50), 1);
    assert_eq!((first.allowed, first.remaining, first.retry_after), (true, 2, Some(Duration::ZERO)));
    assert_eq!(first.reset, Some(Duration::from_millis(100)));
    let used_up = limit.commit(0, millis(50), 3);
    let refused = limit.check(used_up, millis(80), 1);
    assert_eq!((refused.allowed, refused.remaining), (false, 0));
    let wait = Some(Duration::from_millis(70));
    assert_eq!((refused.retry_after, refused.reset), (wait, wait));
    assert!(limit.check(used_up, millis(150), 1).allowed);
}

#[test]
fn a_call_that_costs_more_than_a_burst_is_never_admitted() {
    let limit = gcra("10/s", Some(3));
    assert!(limit.check(0, millis(1000), 3).allowed);
    let refused = limit.check(0, millis(1000), 4);
    assert_eq!((refused.allowed, refused.retry_after, refused.reset), (false, None, None));
}

#[test]
fn a_burst_that_would_take_centuries_to_refill_is_an_error() {
    let error = Gcra::new(Rate::per_hour(1), Some(10_000_000)).unwrap_err();
    assert_eq!(error.at, "burst");
    assert!(Gcra::new(Rate::per_second(1), Some(u64::MAX)).is_err());
    assert!(Gcra::new(Rate { count: 1, per: Duration::from_nanos(u64::MAX) }, None).is_err());
}

fn policy() -> impl Strategy<Value = (Rate, u64)> {
    let per = prop_oneof![1_u64..100, Just(1_000_000_000), 1_u64..100_000_000_000];
    (1_u64..5_000, per, 1_u64..50)
        .prop_map(|(count, per, burst)| (Rate { count, per: Duration::from_nanos(per) }, burst))
}

fn steps() -> impl Strategy<Value = Vec<(u8, u16)>> {
    vec((0_u8..3, any::<u16>()), 0..200)
}

/// Times that crowd around the rate: some calls at once, some a few intervals apart.
fn times(rate: Rate, steps: &[(u8, u16)]) -> Vec<u64> {
    let interval = u64::try_from(rate.per.as_nanos()).unwrap().div_ceil(rate.count);
    let mut now = 0;
    let advance = |(kind, amount): &(u8, u16)| {
        now += match kind {
            0 => 0,
            1 => interval * u64::from(*amount) / 20_000,
            _ => interval * u64::from(*amount % 8),
        };
        now
    };
    steps.iter().map(advance).collect()
}

proptest! {
    #[test]
    fn where_the_interval_is_whole_it_decides_as_a_token_bucket(
        interval in 1_u64..10_000_000, burst in 1_u64..50, steps in steps(),
    ) {
        let rate = Rate { count: 1, per: Duration::from_nanos(interval) };
        let (limit, mut bucket) = (Gcra::new(rate, Some(burst)).unwrap(), TokenBucket::new(rate, burst));
        let times = times(rate, &steps);
        let expected: Vec<_> = times.iter().map(|now| bucket.take(*now)).collect();
        prop_assert_eq!(admitted(limit, &times), expected);
    }

    #[test]
    fn no_window_admits_more_than_the_burst_and_the_rate_times_the_window((rate, burst) in policy(), steps in steps()) {
        let times = times(rate, &steps);
        let passed = admitted(Gcra::new(rate, Some(burst)).unwrap(), &times);
        let passed: Vec<_> = times.iter().zip(passed).filter_map(|(now, passed)| passed.then_some(*now)).collect();
        for (from, start) in passed.iter().enumerate() {
            for (to, end) in passed.iter().enumerate().skip(from) {
                let gained = u128::from(rate.count) * u128::from(end - start);
                let admitted = (to - from + 1) as u128;
                prop_assert!(admitted * rate.per.as_nanos() <= u128::from(burst) * rate.per.as_nanos() + gained);
            }
        }
    }

    #[test]
    fn who_keeps_to_the_interval_is_never_refused((rate, burst) in policy(), gaps in vec(any::<u16>(), 0..200)) {
        let limit = Gcra::new(rate, Some(burst)).unwrap();
        let mut now = 0;
        let next = |gap: &u16| {
            now += limit.interval + u64::from(*gap);
            now
        };
        let times: Vec<_> = gaps.iter().map(next).collect();
        prop_assert!(admitted(limit, &times).into_iter().all(|passed| passed));
    }

    #[test]
    fn a_refusal_says_exactly_when_the_call_would_pass(
        (rate, burst) in policy(), now: u32, ahead in 0_u64..100, cost in 1_u64..50,
    ) {
        let limit = Gcra::new(rate, Some(burst)).unwrap();
        let (now, cost) = (u64::from(now), cost.min(burst));
        let tat = now + limit.interval * ahead;
        let decision = limit.check(tat, now, cost);
        if !decision.allowed {
            let wait = u64::try_from(decision.retry_after.unwrap().as_nanos()).unwrap();
            prop_assert!(limit.conforms(tat, now + wait, cost));
            prop_assert!(!limit.conforms(tat, now + wait - 1, cost));
        }
        prop_assert!(decision.allowed || decision.reset <= decision.retry_after);
    }

    #[test]
    fn what_remains_can_be_taken_and_no_more((rate, burst) in policy(), now: u32, ahead in 0_u64..60, part in 0.0..1.0) {
        let limit = Gcra::new(rate, Some(burst)).unwrap();
        let now = u64::from(now);
        let tat = now + limit.interval * ahead + (limit.interval as f64 * part) as u64;
        let decision = limit.check(tat, now, 1);
        let tat = if decision.allowed { limit.commit(tat, now, 1) } else { tat };
        prop_assert!(decision.remaining == 0 || limit.conforms(tat, now, decision.remaining));
        prop_assert!(!limit.conforms(tat, now, decision.remaining + 1));
        let reset = u64::try_from(decision.reset.unwrap_or_default().as_nanos()).unwrap();
        prop_assert!(decision.remaining == burst || limit.conforms(tat, now + reset, decision.remaining + 1));
    }

    #[test]
    fn time_never_runs_backwards_and_nothing_overflows(
        count: u64, per in 1_u64.., burst in 1_u64.., tat: u64, now: u64, cost in 1_u64..,
    ) {
        let rate = Rate { count, per: Duration::from_nanos(per) };
        if let Ok(limit) = Gcra::new(rate, Some(burst)) {
            prop_assert_eq!(limit.check(tat, now, cost).allowed, limit.conforms(tat, now, cost));
            prop_assert!(limit.commit(tat, now, cost) >= tat.max(now));
        }
    }
}
