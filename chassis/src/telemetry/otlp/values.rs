//! Values as OTLP writes them.

use std::time::SystemTime;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};

use crate::outbox;

pub(super) fn pair(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

pub(super) fn text(key: &str, value: impl Into<String>) -> KeyValue {
    pair(key, Value::StringValue(value.into()))
}

pub(super) fn attribute((key, value): &(&'static str, outbox::Value)) -> KeyValue {
    match value {
        outbox::Value::Text(value) => text(key, value.clone()),
        outbox::Value::Number(number) => pair(key, Value::IntValue(*number)),
    }
}

/// Nanoseconds since 1970; what was before counts as that.
pub(super) fn nanos(at: SystemTime) -> u64 {
    at.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

/// The bytes of hexadecimal digits; none if they are not.
pub(super) fn bytes(hex: &str) -> Vec<u8> {
    let digits = |at: usize| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
    (0..hex.len()).step_by(2).map(digits).collect::<Option<_>>().unwrap_or_default()
}
