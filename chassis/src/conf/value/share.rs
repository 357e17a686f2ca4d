//! A part of a whole.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ValueError, from_text};

/// A part of a whole, written as `25%` or `0.1%`; from none to all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Share(f64);

impl Share {
    /// None of it.
    pub const NONE: Self = Self(0.0);
    /// A hundredth of it.
    pub const ONE_PERCENT: Self = Self(0.01);
    /// All of it.
    pub const ALL: Self = Self(1.0);

    /// So many hundredths of it; all of it from 100 on.
    pub const fn percent(percent: u8) -> Self {
        if percent < 100 { Self(percent as f64 / 100.0) } else { Self::ALL }
    }

    /// As a number from 0 to 1.
    pub const fn of_one(self) -> f64 {
        self.0
    }
}

impl FromStr for Share {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let text = text.trim();
        let Some(percent) = text.strip_suffix('%') else {
            return Err(ValueError::new(format!("`{text}` is not a share"), meant(text)));
        };
        match percent.trim().parse::<f64>() {
            Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(Self(percent / 100.0)),
            Ok(_) => Err(ValueError::new(format!("`{text}` is not a part of a whole"), "from `0%` to `100%`")),
            Err(_) => Err(ValueError::new(format!("`{text}` is not a share"), FORM)),
        }
    }
}

/// How a number without a sign is probably meant: below one, as a part of one.
fn meant(text: &str) -> String {
    match text.parse::<f64>() {
        Ok(part) if part > 0.0 && part < 1.0 => format!("write `{}`", Share(part)),
        Ok(_) => format!("write `{text}%`"),
        Err(_) => FORM.to_owned(),
    }
}

const FORM: &str = "write it as `25%` or `0.1%`";

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A share that was written with a few digits is shown with them, whatever binary fractions make of it.
        write!(f, "{}%", (self.0 * 1e8).round() / 1e6)
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, "a share such as `25%`")
    }
}

impl JsonSchema for Share {
    fn schema_name() -> Cow<'static, str> {
        "Share".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "share", "pattern": r"^\s*[0-9.]+\s*%\s*$", "examples": ["25%"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_read_as_it_is_shown() {
        for text in ["0%", "0.1%", "25%", "33.333333%", "100%"] {
            assert_eq!(text.parse::<Share>().unwrap().to_string(), text);
        }
        assert_eq!("25 %".parse::<Share>().unwrap().of_one(), 0.25);
    }

    #[test]
    fn what_is_no_share_says_how_to_write_one() {
        let error = |text: &str| text.parse::<Share>().unwrap_err().to_string();
        assert_eq!(error("25"), "`25` is not a share: write `25%`");
        assert_eq!(error("0.25"), "`0.25` is not a share: write `25%`");
        assert_eq!(error("all"), "`all` is not a share: write it as `25%` or `0.1%`");
        assert_eq!(error("101%"), "`101%` is not a part of a whole: from `0%` to `100%`");
        assert_eq!(error("-1%"), "`-1%` is not a part of a whole: from `0%` to `100%`");
    }
}
