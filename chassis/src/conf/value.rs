//! The values YAML writes as text: durations, sizes, rates, secrets and files.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{Deserializer, Error, Visitor};

use super::problem::veiled;

mod file;
mod interval;
mod rate;
mod secret;
mod share;
mod size;

pub use file::FileRef;
pub use interval::Interval;
pub use rate::Rate;
pub use secret::Secret;
pub use share::Share;
pub use size::Size;

/// What is wrong with the text of a value, and how to write it instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueError {
    /// What is wrong.
    pub message: String,
    /// How to write it instead.
    pub help: String,
}

impl ValueError {
    /// Says what is wrong and how to write it instead.
    pub fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into() }
    }

    /// The same with no more of a long value than tells which it is, and without what is private in it.
    pub(super) fn shortened(self, text: &str) -> Self {
        let veiled = veiled(text);
        let short = beginning(&veiled);
        if short == text {
            return self;
        }
        Self { message: self.message.replace(text, &short), help: self.help.replace(text, &short) }
    }
}

/// As much of a value as a message shows.
pub(super) fn beginning(text: &str) -> Cow<'_, str> {
    const LONGEST: usize = 60;
    text.char_indices().nth(LONGEST).map_or(Cow::Borrowed(text), |(at, _)| format!("{}…", &text[..at]).into())
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.message, self.help)
    }
}

impl std::error::Error for ValueError {}

/// Reads a value from its text, for `Deserialize` of types that YAML writes as text. YAML makes numbers of some texts
/// (`512`); they are read as what was written. `expecting` completes the sentence "expected …".
///
/// # Errors
/// What the text's own reading says, or that it is no text.
pub fn from_text<'de, T, D>(deserializer: D, expecting: &'static str) -> Result<T, D::Error>
where
    T: FromStr<Err = ValueError>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_any(Text { expecting, kind: PhantomData })
}

struct Text<T> {
    expecting: &'static str,
    kind: PhantomData<T>,
}

impl<T: FromStr<Err = ValueError>> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(|error| E::custom(ValueError::shortened(error, text)))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }
}

/// Splits the leading decimal digits off.
fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_value_is_told_by_its_beginning() {
        let wrong = |text: &str| serde_json::from_value::<Interval>(text.into()).unwrap_err().to_string();
        let said = wrong(&"é".repeat(300));
        assert!(said.contains(&format!("`{}…`", "é".repeat(60))) && !said.contains(&"é".repeat(61)), "{said}");
        assert!(wrong(&"é".repeat(60)).contains(&format!("`{}`", "é".repeat(60))));
    }
}
