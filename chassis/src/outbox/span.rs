//! A span that is over and waits to be sent.

use std::borrow::Cow;
use std::time::SystemTime;

use crate::trace::{TraceContext, TraceState};

/// A span that is over.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// Its ids and those of the span it belongs to.
    pub trace: TraceContext,
    /// What tracing systems added to the trace it continues.
    pub state: Option<TraceState>,
    /// The span of another trace that led to it.
    pub link: Option<TraceContext>,
    /// What was done, of low cardinality.
    pub name: String,
    /// When it began.
    pub start: SystemTime,
    /// When it was over.
    pub end: SystemTime,
    /// Whether the service failed.
    pub failed: bool,
    /// What else is known, by the names of OpenTelemetry's conventions.
    pub attributes: Vec<(&'static str, Value)>,
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A text, cut short where a caller chose it.
    Text(Cow<'static, str>),
    /// A number.
    Number(i64),
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
