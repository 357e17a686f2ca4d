//! The header fields that tell callers how much of a quota is left (draft-ietf-httpapi-ratelimit-headers-10).

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::gcra::Decision;
use crate::conf::Rate;

/// `RateLimit-Policy`: what the quota is.
pub(super) static POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// `RateLimit`: what is left of it.
pub(super) static LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// The largest integer of a structured field (RFC 9651 §3.3.1).
const LARGEST: u64 = 999_999_999_999_999;

/// The two fields of one policy.
pub(super) struct Advice {
    /// The name as a String of structured fields (RFC 9651 §3.3.3).
    name: String,
    quota: u64,
    policy: HeaderValue,
}

impl Advice {
    pub(super) fn new(name: &str, rate: Rate) -> Self {
        let name = format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""));
        let window = whole_seconds(rate.per).clamp(1, LARGEST);
        // A window that is no whole number of seconds is rounded up, and the quota grows with it, rounded down.
        let scaled = u128::from(rate.count) * u128::from(window) * 1_000_000_000 / rate.per.as_nanos().max(1);
        let quota = u64::try_from(scaled).unwrap_or(LARGEST).min(LARGEST);
        let policy = HeaderValue::try_from(format!("{name};q={quota};w={window}"));
        // Names were checked when the configuration was: they are printable.
        Self { name, quota, policy: policy.unwrap_or_else(|_| HeaderValue::from_static("")) }
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
        HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }

    /// Adds both, beside those of other policies: each field is a list.
    pub(super) fn add(&self, decision: &Decision, headers: &mut HeaderMap) {
        headers.append(&POLICY, self.policy());
        headers.append(&LIMIT, self.limit(decision));
    }
}

/// Seconds, rounded up.
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(name: &str, rate: &str) -> String {
        Advice::new(name, rate.parse().unwrap()).policy().to_str().unwrap().to_owned()
    }

    fn limit(remaining: u64, reset: impl Into<Option<u64>>) -> String {
        let reset = reset.into().map(Duration::from_millis);
        let decision = Decision { allowed: true, remaining, retry_after: Some(Duration::ZERO), reset };
        Advice::new("default", "100/m".parse().unwrap()).limit(&decision).to_str().unwrap().to_owned()
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
}
