//! The header fields that tell callers how much of a quota is left (draft-ietf-httpapi-ratelimit-headers-10).

use std::time::Duration;

use http::{HeaderName, HeaderValue};
use sfv::{Integer, ItemSerializer, KeyRef, StringRef, key_ref};

use super::gcra::Decision;
use super::refusal::Standing;
use crate::conf::{BuildError, Rate};

/// `RateLimit-Policy`: what the quota is.
pub(super) static POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// `RateLimit`: what is left of it.
pub(super) static LIMIT: HeaderName = HeaderName::from_static("ratelimit");

const QUOTA: &KeyRef = key_ref("q");
const WINDOW: &KeyRef = key_ref("w");

/// The largest integer of a structured field (RFC 9651 §3.3.1).
const LARGEST: u64 = 999_999_999_999_999;

/// The two fields of one policy.
pub(super) struct Advice {
    /// The name as it is sent, made once: what changes from call to call are two numbers.
    name: String,
    quota: u64,
    policy: HeaderValue,
}

impl Advice {
    /// # Errors
    /// The name is no String of structured fields (RFC 9651 §3.3.3).
    pub(super) fn new(name: &str, rate: Rate) -> Result<Self, BuildError> {
        let name = string(name)?;
        let window = whole_seconds(rate.per).clamp(1, LARGEST);
        // A window that is no whole number of seconds is rounded up, and the quota grows with it, rounded down.
        let scaled = u128::from(rate.count) * u128::from(window) * 1_000_000_000 / rate.per.as_nanos().max(1);
        let quota = u64::try_from(scaled).unwrap_or(LARGEST).min(LARGEST);
        let policy = ItemSerializer::new().bare_item(name);
        let policy = policy.parameter(QUOTA, integer(quota)).parameter(WINDOW, integer(window)).finish();
        let name = ItemSerializer::new().bare_item(name).finish();
        Ok(Self { name, quota, policy: value(policy) })
    }

    /// `RateLimit-Policy`.
    pub(super) fn policy(&self) -> HeaderValue {
        self.policy.clone()
    }

    /// `RateLimit`. No more is said to remain than the quota of one window, so that nobody is invited to send more.
    pub(super) fn limit(&self, decision: &Decision) -> HeaderValue {
        let remaining = decision.remaining.min(self.quota);
        let reset = decision.reset.map(|reset| whole_seconds(reset).min(LARGEST));
        let reset = reset.map_or_else(String::new, |reset| format!(";t={reset}"));
        let text = format!("{};r={remaining}{reset}", self.name);
        value(text)
    }
}

/// Adds both fields for all these policies with `add`, each field once: it is a list.
///
/// Where some refuse, only they say when more comes: `Retry-After` is theirs, and is not to be earlier than any time that
/// the same reply speaks of.
pub(super) fn tell<T>(all: &[Standing<'_>], to: T, add: impl Fn(T, HeaderName, HeaderValue) -> T) -> T {
    let refused = all.iter().any(|one| !one.decision.allowed);
    let told = |decision: &Decision| match refused && decision.allowed {
        true => Decision { reset: None, ..*decision },
        false => *decision,
    };
    let advices = || all.iter().map(|one| (&one.chosen.quota.advice, told(&one.decision)));
    let Some(policies) = list(advices().map(|(advice, _)| advice.policy())) else { return to };
    let Some(limits) = list(advices().map(|(advice, decision)| advice.limit(&decision))) else { return to };
    add(add(to, POLICY.clone(), policies), LIMIT.clone(), limits)
}

/// The members as one list (RFC 9651 §3.1); `None` if there are none.
fn list(mut members: impl Iterator<Item = HeaderValue>) -> Option<HeaderValue> {
    let first = members.next()?;
    let join = |list: HeaderValue, member: HeaderValue| {
        HeaderValue::from_bytes(&[list.as_bytes(), b", ", member.as_bytes()].concat()).unwrap_or(list)
    };
    Some(members.fold(first, join))
}

/// The name of a policy, if it can stand in the fields.
pub(super) fn string(name: &str) -> Result<&StringRef, BuildError> {
    StringRef::from_str(name)
        .map_err(|_| BuildError::new("", "a policy is named with printable ASCII characters (RFC 9651 §3.3.3)"))
}

fn integer(number: u64) -> Integer {
    Integer::try_from(number).unwrap_or(Integer::MAX)
}

/// A structured field is printable ASCII (RFC 9651 §4.1), so this never fails.
fn value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// Seconds, rounded up.
pub(super) fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sfv::{Item, List, ListEntry, Parser};

    use super::*;

    fn policy(name: &str, rate: &str) -> String {
        Advice::new(name, rate.parse().unwrap()).unwrap().policy().to_str().unwrap().to_owned()
    }

    fn limit(remaining: u64, reset: impl Into<Option<u64>>) -> String {
        let reset = reset.into().map(Duration::from_millis);
        let decision = Decision { allowed: true, remaining, retry_after: Some(Duration::ZERO), reset };
        Advice::new("default", "100/m".parse().unwrap()).unwrap().limit(&decision).to_str().unwrap().to_owned()
    }

    #[test]
    fn a_policy_is_a_string_with_quota_and_window() {
        assert_eq!(policy("burst", "100/m"), r#""burst";q=100;w=60"#);
        assert_eq!(policy("daily", "1000/24h"), r#""daily";q=1000;w=86400"#);
        assert_eq!(policy(r#"a "b" \"#, "0/s"), r#""a \"b\" \\";q=0;w=1"#);
    }

    #[test]
    fn a_window_is_whole_seconds_and_the_quota_goes_with_it() {
        assert_eq!(policy("p", "10/500ms"), r#""p";q=20;w=1"#);
        assert_eq!(policy("p", "10/1500ms"), r#""p";q=13;w=2"#);
        assert_eq!(policy("p", &format!("{}/ms", u64::MAX)), r#""p";q=999999999999999;w=1"#);
    }

    #[test]
    fn what_remains_is_never_more_than_the_quota_and_the_reset_is_rounded_up() {
        assert_eq!(limit(50, 30_000), r#""default";r=50;t=30"#);
        assert_eq!(limit(500, 1), r#""default";r=100;t=1"#);
        assert_eq!(limit(0, 0), r#""default";r=0;t=0"#);
        assert_eq!(limit(0, None), r#""default";r=0"#);
    }

    /// The one item of a field, as its name and its parameters.
    fn read(field: &HeaderValue) -> (String, Vec<(String, u64)>) {
        let list: List = Parser::new(field.as_bytes()).parse().unwrap();
        let [ListEntry::Item(Item { bare_item, params })] = list.as_slice() else { panic!("{field:?} is no item") };
        let number = |value: &sfv::BareItem| u64::try_from(i64::from(value.as_integer().unwrap())).unwrap();
        let params = params.iter().map(|(key, value)| (key.as_str().to_owned(), number(value)));
        (bare_item.as_string().unwrap().as_str().to_owned(), params.collect())
    }

    proptest! {
        #[test]
        fn what_is_sent_is_read_as_it_was_meant(
            name in "[ -~]*", count: u64, per in 1_u64.., remaining: u64, reset: Option<u64>,
        ) {
            let advice = Advice::new(&name, Rate { count, per: Duration::from_nanos(per) }).unwrap();
            let (sent, params) = read(&advice.policy());
            prop_assert_eq!((&sent, &params[0].0[..], &params[1].0[..], params.len()), (&name, "q", "w", 2));
            let quota = params[0].1;
            let reset = reset.map(Duration::from_secs);
            let decision = Decision { allowed: true, remaining, retry_after: None, reset };
            let expected = reset.map(|reset| ("t".to_owned(), reset.as_secs().min(LARGEST)));
            let expected = [("r".to_owned(), remaining.min(quota))].into_iter().chain(expected).collect();
            prop_assert_eq!(read(&advice.limit(&decision)), (name, expected));
        }

        #[test]
        fn a_name_that_cannot_be_sent_is_refused(name: String) {
            let advice = Advice::new(&name, "1/s".parse().unwrap());
            prop_assert_eq!(advice.is_ok(), name.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        }
    }
}
