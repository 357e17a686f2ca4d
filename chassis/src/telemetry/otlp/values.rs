//! Values as OTLP writes them.

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
        outbox::Value::Decimal(number) => pair(key, Value::DoubleValue(*number)),
        outbox::Value::Truth(truth) => pair(key, Value::BoolValue(*truth)),
    }
}
