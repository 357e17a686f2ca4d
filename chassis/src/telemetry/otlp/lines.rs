//! Lines of the log as OTLP writes them.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Written;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs, SeverityNumber};
use prost::Message;
use tracing::Level;

use super::Sender;
use super::values::{attribute, text};
use crate::clock::since_epoch;
use crate::outbox::Line;

/// Writes messages of lines.
pub(super) fn message(sender: Sender) -> impl Fn(&[Line]) -> Vec<u8> + Send + Sync {
    move |lines| {
        let lines = ScopeLogs {
            scope: Some(sender.scope.clone()),
            log_records: lines.iter().map(line).collect(),
            ..ScopeLogs::default()
        };
        let lines = ResourceLogs {
            resource: Some(sender.resource.clone()),
            scope_logs: vec![lines],
            ..ResourceLogs::default()
        };
        ExportLogsServiceRequest { resource_logs: vec![lines] }.encode_to_vec()
    }
}

fn line(line: &Line) -> LogRecord {
    let severity = match line.level {
        Level::ERROR => SeverityNumber::Error,
        Level::WARN => SeverityNumber::Warn,
        Level::INFO => SeverityNumber::Info,
        Level::DEBUG => SeverityNumber::Debug,
        Level::TRACE => SeverityNumber::Trace,
    };
    let fields = line.fields.iter().map(attribute);
    LogRecord {
        time_unix_nano: since_epoch(line.at),
        observed_time_unix_nano: since_epoch(line.at),
        severity_number: severity.into(),
        severity_text: line.level.to_string(),
        body: Some(AnyValue { value: Some(Written::StringValue(line.message.clone())) }),
        attributes: [text("target", line.target)].into_iter().chain(fields).collect(),
        trace_id: line.trace_id.map(|id| id.to_vec()).unwrap_or_default(),
        span_id: line.span_id.map(|id| id.to_vec()).unwrap_or_default(),
        ..LogRecord::default()
    }
}
