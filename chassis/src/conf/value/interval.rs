//! A length of time.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ValueError, digits, from_text};

/// A length of time, written as `250ms`, `2s`, `5m`, `1h` or `1m30s`.
///
/// A number with a unit, or several of them in a row; the units are `ns`, `us`, `ms`, `s`, `m`, `h` and `d`. A
/// fraction is fine (`1.5s`), a number without a unit is not. At most 584 years.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval(pub Duration);

/// The units and their nanoseconds, largest first.
const UNITS: [(&str, u64); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

impl Interval {
    /// No time at all.
    pub const ZERO: Self = Self(Duration::ZERO);

    /// That many milliseconds.
    pub const fn millis(count: u64) -> Self {
        Self(Duration::from_millis(count))
    }

    /// That many seconds.
    pub const fn secs(count: u64) -> Self {
        Self(Duration::from_secs(count))
    }

    /// That many minutes.
    pub const fn mins(count: u64) -> Self {
        Self::secs(count.saturating_mul(60))
    }

    /// That many hours.
    pub const fn hours(count: u64) -> Self {
        Self::secs(count.saturating_mul(3_600))
    }

    /// The same as the standard library's type.
    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl From<Duration> for Interval {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

impl From<Interval> for Duration {
    fn from(interval: Interval) -> Self {
        interval.0
    }
}

impl FromStr for Interval {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(malformed(text));
        }
        let mut total = 0_u64;
        while !rest.is_empty() {
            let (nanoseconds, after) = step(text, rest)?;
            total = total.checked_add(nanoseconds).ok_or_else(|| too_long(text))?;
            rest = after;
        }
        Ok(Self(Duration::from_nanos(total)))
    }
}

/// Reads one number with its unit off the front.
fn step<'a>(text: &str, rest: &'a str) -> Result<(u64, &'a str), ValueError> {
    let (whole, after) = digits(rest);
    let (fraction, after) = after.strip_prefix('.').map_or(("", after), digits);
    if whole.is_empty() || after.starts_with('.') {
        return Err(malformed(text));
    }
    let end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
    let (name, after) = after.split_at(end);
    let unit = unit(text, name)?;
    let whole = whole.parse::<u64>().ok().and_then(|whole| whole.checked_mul(unit)).ok_or_else(|| too_long(text))?;
    let nanoseconds = whole.checked_add(part_of(unit, fraction)).ok_or_else(|| too_long(text))?;
    Ok((nanoseconds, after))
}

/// The nanoseconds that a fraction of a unit amounts to, rounded down; more digits than a nanosecond has say nothing.
fn part_of(unit: u64, fraction: &str) -> u64 {
    let mut place = u128::from(unit);
    let mut sum = 0_u128;
    let mut scale = 1_u128;
    for digit in fraction.bytes().take(18) {
        scale *= 10;
        sum = sum * 10 + u128::from(digit - b'0');
    }
    place *= sum;
    u64::try_from(place / scale).unwrap_or(u64::MAX)
}

fn unit(text: &str, name: &str) -> Result<u64, ValueError> {
    match UNITS.iter().find(|(unit, _)| *unit == name || (*unit == "us" && name == "µs")) {
        Some((_, nanoseconds)) => Ok(*nanoseconds),
        None if name.is_empty() => Err(without_unit(text)),
        None => Err(unknown_unit(text, name.trim())),
    }
}

fn without_unit(text: &str) -> ValueError {
    let text = text.trim();
    ValueError::new(format!("`{text}` has no unit"), format!("write `{text}s` for seconds, or use ms, m, h or d"))
}

fn unknown_unit(text: &str, name: &str) -> ValueError {
    let lower = name.to_ascii_lowercase();
    let likely = match lower.as_str() {
        name if name.starts_with("ms") || name.starts_with("mil") => Some("ms"),
        name if name.starts_with("us") || name.starts_with("mic") => Some("us"),
        name if name.starts_with("ns") || name.starts_with("na") => Some("ns"),
        name if name == "m" || name.starts_with("min") => Some("m"),
        name if name == "s" || name.starts_with("sec") => Some("s"),
        name if name.starts_with('h') => Some("h"),
        name if name.starts_with("da") || name == "d" => Some("d"),
        _ => None,
    };
    let help = match likely {
        Some(unit) => format!("did you mean `{unit}`?"),
        None => "the units are ns, us, ms, s, m, h and d".to_owned(),
    };
    ValueError::new(format!("`{}` has the unknown unit `{name}`", text.trim()), help)
}

fn malformed(text: &str) -> ValueError {
    ValueError::new(format!("`{}` is not a length of time", text.trim()), "write it as `250ms`, `2s`, `5m` or `1m30s`")
}

fn too_long(text: &str) -> ValueError {
    ValueError::new(format!("`{}` is too long", text.trim()), "at most 584 years can be said")
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.as_nanos();
        if rest == 0 {
            return f.write_str("0s");
        }
        for (name, unit) in UNITS {
            let count = rest / u128::from(unit);
            rest %= u128::from(unit);
            if count > 0 {
                write!(f, "{count}{name}")?;
            }
        }
        Ok(())
    }
}

impl Serialize for Interval {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Interval {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, "a length of time such as `2s`")
    }
}

impl JsonSchema for Interval {
    fn schema_name() -> Cow<'static, str> {
        "Interval".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A length of time: `250ms`, `2s`, `5m`, `1h` or `1m30s`.",
            "type": "string",
            "format": "interval",
            "pattern": r"^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h|d))+$",
            "examples": ["250ms", "2s", "1m30s"],
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: Result<Duration, &str>) {
        let read = text.parse::<Interval>().map(Duration::from).map_err(|error| error.to_string());
        assert_eq!(read, expected.map_err(str::to_owned), "{text}");
    }

    #[test]
    fn a_number_needs_a_unit() {
        check("250ms", Ok(Duration::from_millis(250)));
        check("1m30s", Ok(Duration::from_secs(90)));
        check("1.5h", Ok(Duration::from_secs(5_400)));
        check("0.25us", Ok(Duration::from_nanos(250)));
        check("2d", Ok(Duration::from_secs(172_800)));
        check("5", Err("`5` has no unit: write `5s` for seconds, or use ms, m, h or d"));
    }

    #[test]
    fn what_is_wrong_is_said_with_a_remedy() {
        check("5 parsecs", Err("`5 parsecs` has the unknown unit `parsecs`: the units are ns, us, ms, s, m, h and d"));
        check("5sec", Err("`5sec` has the unknown unit `sec`: did you mean `s`?"));
        check("5M", Err("`5M` has the unknown unit `M`: did you mean `m`?"));
        check("soon", Err("`soon` is not a length of time: write it as `250ms`, `2s`, `5m` or `1m30s`"));
        check("-5s", Err("`-5s` is not a length of time: write it as `250ms`, `2s`, `5m` or `1m30s`"));
        check("600000d", Err("`600000d` is too long: at most 584 years can be said"));
    }

    #[test]
    fn a_yaml_number_is_read_as_what_was_written() {
        let error = serde_json::from_str::<Interval>("5").map_err(|error| error.to_string());
        assert!(error.is_err_and(|message| message.contains("`5` has no unit")));
    }

    proptest! {
        #[test]
        fn text_and_value_say_the_same(nanoseconds: u64) {
            let interval = Interval(Duration::from_nanos(nanoseconds));
            prop_assert_eq!(interval.to_string().parse::<Interval>(), Ok(interval));
            let json = serde_json::to_value(interval).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(serde_json::from_value::<Interval>(json).ok(), Some(interval));
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = text.parse::<Interval>();
        }
    }
}
