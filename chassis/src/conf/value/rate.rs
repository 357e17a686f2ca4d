//! A number of things in a length of time.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Interval, ValueError, from_text};

/// A number of things in a length of time, written as `100/s`, `5/m`, `1000/h` or `10/30s`. `0/s` means never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    /// How many.
    pub count: u64,
    /// In how long; never zero.
    pub per: Duration,
}

impl Rate {
    /// That many in a second.
    pub const fn per_second(count: u64) -> Self {
        Self { count, per: Duration::from_secs(1) }
    }

    /// That many in a minute.
    pub const fn per_minute(count: u64) -> Self {
        Self { count, per: Duration::from_secs(60) }
    }

    /// That many in an hour.
    pub const fn per_hour(count: u64) -> Self {
        Self { count, per: Duration::from_secs(3_600) }
    }
}

impl FromStr for Rate {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let text = text.trim();
        let (count, per) = text.split_once('/').ok_or_else(|| without_time(text))?;
        let count = count.trim().parse::<u64>().map_err(|_| without_count(text, count))?;
        let per = per.trim();
        let bare = per.starts_with(|c: char| !c.is_ascii_digit());
        let per = if bare { format!("1{per}").parse::<Interval>() } else { per.parse() }?;
        match per.0 {
            Duration::ZERO => Err(ValueError::new(format!("`{text}` is a rate in no time at all"), FORM)),
            per => Ok(Self { count, per }),
        }
    }
}

const FORM: &str = "write it as `100/s`, `5/m`, `1000/h` or `10/30s`";

fn without_time(text: &str) -> ValueError {
    match text.parse::<u64>() {
        Ok(_) => {
            ValueError::new(format!("`{text}` does not say in how long"), format!("write `{text}/s` or `{text}/m`"))
        }
        Err(_) => ValueError::new(format!("`{text}` is not a rate"), FORM),
    }
}

fn without_count(text: &str, count: &str) -> ValueError {
    let count = count.trim();
    if !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit()) {
        return ValueError::new(format!("`{text}` is too large"), format!("at most {} can be counted", u64::MAX));
    }
    let help = if count.contains('.') { "counts are whole: write `1/2s` instead of `0.5/s`" } else { FORM };
    ValueError::new(format!("`{text}` does not start with a whole number"), help)
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per = Interval(self.per).to_string();
        let bare = per.strip_prefix('1').filter(|unit| unit.starts_with(|c: char| c.is_ascii_alphabetic()));
        let bare = bare.filter(|unit| !unit.contains(|c: char| c.is_ascii_digit()));
        write!(f, "{}/{}", self.count, bare.unwrap_or(&per))
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, "a rate such as `100/s`")
    }
}

impl JsonSchema for Rate {
    fn schema_name() -> Cow<'static, str> {
        "Rate".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A number of things in a length of time: `100/s`, `5/m`, `1000/h` or `10/30s`. `0/s` means never.",
            "type": "string",
            "format": "rate",
            "pattern": r"^[0-9]+ ?/ ?([0-9]+(\.[0-9]+)?)?(ns|us|µs|ms|s|m|h|d)([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h|d))*$",
            "examples": ["100/s", "5/m", "10/30s"],
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: Result<Rate, &str>) {
        let read = text.parse::<Rate>().map_err(|error| error.to_string());
        assert_eq!(read, expected.map_err(str::to_owned), "{text}");
    }

    #[test]
    fn a_rate_says_in_how_long() {
        check("100/s", Ok(Rate::per_second(100)));
        check("5/m", Ok(Rate::per_minute(5)));
        check("10/30s", Ok(Rate { count: 10, per: Duration::from_secs(30) }));
        check("0/s", Ok(Rate::per_second(0)));
        check("100", Err("`100` does not say in how long: write `100/s` or `100/m`"));
    }

    #[test]
    fn what_is_wrong_is_said_with_a_remedy() {
        check("fast", Err("`fast` is not a rate: write it as `100/s`, `5/m`, `1000/h` or `10/30s`"));
        check(
            "0.5/s",
            Err("`0.5/s` does not start with a whole number: counts are whole: write `1/2s` instead of `0.5/s`"),
        );
        check(
            "99999999999999999999/s",
            Err("`99999999999999999999/s` is too large: at most 18446744073709551615 can be counted"),
        );
        check("5/0s", Err("`5/0s` is a rate in no time at all: write it as `100/s`, `5/m`, `1000/h` or `10/30s`"));
        check("5/week", Err("`1week` has the unknown unit `week`: the units are ns, us, ms, s, m, h and d"));
    }

    #[test]
    fn one_of_a_unit_is_displayed_without_the_one() {
        assert_eq!(Rate::per_minute(5).to_string(), "5/m");
        assert_eq!(Rate { count: 5, per: Duration::from_secs(90) }.to_string(), "5/1m30s");
        assert_eq!(Rate { count: 5, per: Duration::from_secs(600) }.to_string(), "5/10m");
    }

    proptest! {
        #[test]
        fn text_and_value_say_the_same(count: u64, nanoseconds in 1..u64::MAX) {
            let rate = Rate { count, per: Duration::from_nanos(nanoseconds) };
            prop_assert_eq!(rate.to_string().parse::<Rate>(), Ok(rate));
            let json = serde_json::to_value(rate).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(serde_json::from_value::<Rate>(json).ok(), Some(rate));
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = text.parse::<Rate>();
        }
    }
}
