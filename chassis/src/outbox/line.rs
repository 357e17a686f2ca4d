//! A line of the log that waits to be sent.

use std::borrow::Cow;
use std::time::SystemTime;

use tracing::Level;

/// A line of the log, as data.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// When it was written.
    pub at: SystemTime,
    /// How important it is.
    pub level: Level,
    /// The part of the program that wrote it.
    pub target: &'static str,
    /// What it says.
    pub message: String,
    /// The trace of the call that it was written in.
    pub trace_id: Option<[u8; 16]>,
    /// The span of the call that it was written in.
    pub span_id: Option<[u8; 8]>,
    /// Its fields.
    pub fields: Vec<(&'static str, Value)>,
}

/// The value of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A text, cut short where a caller chose it.
    Text(Cow<'static, str>),
    /// A whole number.
    Number(i64),
    /// A number with a fraction.
    Decimal(f64),
    /// A truth value.
    Truth(bool),
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}
