//! A number of bytes.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ValueError, digits, from_text};

/// A number of bytes, written as `512`, `64KiB`, `1MiB` or `10MB`.
///
/// `KB`, `MB`, `GB` and `TB` are powers of 1000; `KiB`, `MiB`, `GiB` and `TiB` are powers of 1024.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size(pub u64);

/// The units and their bytes; binary before decimal, large before small, as they are preferred for display.
const UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("B", 1),
];

impl Size {
    /// That many bytes.
    pub const fn bytes(count: u64) -> Self {
        Self(count)
    }

    /// That many times 1024 bytes.
    pub const fn kib(count: u64) -> Self {
        Self(count.saturating_mul(1 << 10))
    }

    /// That many times 1024² bytes.
    pub const fn mib(count: u64) -> Self {
        Self(count.saturating_mul(1 << 20))
    }

    /// That many times 1024³ bytes.
    pub const fn gib(count: u64) -> Self {
        Self(count.saturating_mul(1 << 30))
    }

    /// As a length in memory; the largest there is where the machine cannot count that far.
    pub fn length(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl FromStr for Size {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let text = text.trim();
        let (count, name) = digits(text);
        if count.is_empty() {
            return Err(malformed(text));
        }
        let bytes = count.parse::<u64>().ok().zip(unit(text, name).map(Some)?);
        let bytes = bytes.and_then(|(count, unit)| count.checked_mul(unit));
        bytes
            .map(Self)
            .ok_or_else(|| ValueError::new(format!("`{text}` is too large"), "at most 2^64 - 1 bytes can be said"))
    }
}

fn unit(text: &str, name: &str) -> Result<u64, ValueError> {
    if name.is_empty() {
        return Ok(1);
    }
    UNITS.iter().find(|(unit, _)| *unit == name).map(|(_, bytes)| *bytes).ok_or_else(|| unknown_unit(text, name.trim()))
}

fn unknown_unit(text: &str, name: &str) -> ValueError {
    let wanted = name.to_ascii_lowercase();
    let likely = UNITS.iter().map(|(unit, _)| *unit).find(|unit| {
        let unit = unit.to_ascii_lowercase();
        unit == wanted || unit.strip_suffix('b') == Some(&wanted) && !wanted.is_empty()
    });
    let help = match likely {
        Some(unit) => format!("did you mean `{unit}`?"),
        None => "the units are KB, MB, GB, TB (powers of 1000) and KiB, MiB, GiB, TiB (powers of 1024)".to_owned(),
    };
    ValueError::new(format!("`{text}` has the unknown unit `{name}`"), help)
}

fn malformed(text: &str) -> ValueError {
    ValueError::new(
        format!("`{text}` is not a size"),
        "write a whole number of bytes, or one with a unit such as `64KiB`",
    )
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |(_, unit): &&(&str, u64)| *unit > 1 && self.0 >= *unit && self.0.is_multiple_of(*unit);
        match UNITS.iter().find(fits) {
            Some((name, unit)) => write!(f, "{}{name}", self.0 / unit),
            None => self.0.fmt(f),
        }
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.to_string();
        match text.parse::<u64>() {
            Ok(bytes) => serializer.serialize_u64(bytes),
            Err(_) => serializer.serialize_str(&text),
        }
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, "a number of bytes such as `64KiB`")
    }
}

impl JsonSchema for Size {
    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A number of bytes: `512`, `64KiB`, `1MiB` or `10MB`.",
            "type": ["integer", "string"],
            "format": "size",
            "minimum": 0,
            "pattern": "^[0-9]+(B|KB|MB|GB|TB|KiB|MiB|GiB|TiB)?$",
            "examples": ["64KiB", "1MiB", 512],
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: Result<u64, &str>) {
        let read = text.parse::<Size>().map(|size| size.0).map_err(|error| error.to_string());
        assert_eq!(read, expected.map_err(str::to_owned), "{text}");
    }

    #[test]
    fn units_of_1000_and_of_1024_are_told_apart() {
        check("512", Ok(512));
        check("512B", Ok(512));
        check("64KiB", Ok(65_536));
        check("64KB", Ok(64_000));
    }

    #[test]
    fn what_is_wrong_is_said_with_a_remedy() {
        check("10mb", Err("`10mb` has the unknown unit `mb`: did you mean `MB`?"));
        check("10Mi", Err("`10Mi` has the unknown unit `Mi`: did you mean `MiB`?"));
        check("10M", Err("`10M` has the unknown unit `M`: did you mean `MB`?"));
        check("-1", Err("`-1` is not a size: write a whole number of bytes, or one with a unit such as `64KiB`"));
        check("99999999TiB", Err("`99999999TiB` is too large: at most 2^64 - 1 bytes can be said"));
    }

    #[test]
    fn the_largest_whole_unit_is_displayed() {
        assert_eq!(Size::mib(1).to_string(), "1MiB");
        assert_eq!(Size(10_000_000).to_string(), "10MB");
        assert_eq!(Size(1_025).to_string(), "1025");
        assert_eq!(Size(0).to_string(), "0");
    }

    proptest! {
        #[test]
        fn text_and_value_say_the_same(bytes: u64, shift in 0_u32..64) {
            let size = Size(bytes >> shift << (shift / 2));
            prop_assert_eq!(size.to_string().parse::<Size>(), Ok(size));
            let json = serde_json::to_value(size).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(serde_json::from_value::<Size>(json).ok(), Some(size));
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = text.parse::<Size>();
        }
    }
}
