//! Lines of the log on their way to a collector: a layer of the subscriber that queues them, bounded, as plain data.

use std::fmt::{self, Write};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use crate::clock::Clock;
use crate::outbox::{LONGEST, Line, Lines, Value, cut};
use crate::trace::read_hex;

/// What sending itself logs: it would be sent, and be logged again.
const OF_SENDING: [&str; 4] = ["hyper", "h2", "rustls", "chassis::telemetry::otlp"];

/// The longest message that is kept, and the most text of all fields together, in bytes.
const MOST_TEXT: usize = 1024;

/// Queues lines for whoever sends them.
pub(super) struct Told {
    pub(super) lines: Lines,
    pub(super) clock: Clock,
}

/// The ids of a call: of the one that a span is of, or that a line itself names.
#[derive(Clone, Copy, Default)]
struct Ids {
    trace: Option<[u8; 16]>,
    span: Option<[u8; 8]>,
}

impl Ids {
    /// Takes what a field says, if it says an id.
    fn take(&mut self, field: &Field, text: &str) -> bool {
        match (field.name(), text.len()) {
            ("trace_id", 32) => read_hex(text.as_bytes()).map(|id| self.trace = Some(id)).is_some(),
            ("span_id", 16) => read_hex(text.as_bytes()).map(|id| self.span = Some(id)).is_some(),
            _ => false,
        }
    }
}

impl Visit for Ids {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name().ends_with("_id") {
            self.take(field, &format!("{value:?}"));
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Told {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if self.lines.is_wanted() && attributes.metadata().target() == "chassis::call" {
            let mut ids = Ids::default();
            attributes.record(&mut ids);
            if let Some(span) = context.span(id) {
                span.extensions_mut().insert(ids);
            }
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let metadata = event.metadata();
        if OF_SENDING.iter().any(|target| metadata.target().starts_with(target)) {
            return;
        }
        self.lines.offer(|| {
            let mut said = Said::default();
            event.record(&mut said);
            // A line about a call that is over stands in no span of it, and most calls have none.
            let around = || {
                let scope = context.event_scope(event).into_iter().flatten();
                scope.filter_map(|span| span.extensions().get::<Ids>().copied()).next().unwrap_or_default()
            };
            let ids = match said.ids.trace {
                Some(_) => said.ids,
                None => {
                    let around = around();
                    Ids { span: said.ids.span.or(around.span), ..around }
                }
            };
            Line {
                at: self.clock.wall(),
                level: *metadata.level(),
                target: metadata.target(),
                message: said.message,
                trace_id: ids.trace,
                span_id: ids.span,
                fields: said.fields,
            }
        });
    }
}

/// What a line says.
struct Said {
    message: String,
    /// They have places of their own, and are no fields beside that.
    ids: Ids,
    fields: Vec<(&'static str, Value)>,
    // How much text there may still be.
    left: usize,
}

impl Default for Said {
    fn default() -> Self {
        Self { message: String::new(), ids: Ids::default(), fields: Vec::new(), left: MOST_TEXT }
    }
}

impl Said {
    fn add(&mut self, field: &Field, value: Value) {
        if let Value::Text(text) = &value {
            self.left = self.left.saturating_sub(text.len());
        }
        self.fields.push((field.name(), value));
    }

    /// OTLP has whole numbers of 64 bits with a sign; what is no such number goes as its digits.
    fn add_whole<N: TryInto<i64> + Copy + fmt::Display>(&mut self, field: &Field, number: N) {
        match number.try_into() {
            Ok(number) => self.add(field, Value::Number(number)),
            Err(_) => self.record_str(field, &number.to_string()),
        }
    }
}

impl Visit for Said {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, Value::Number(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add_whole(field, value);
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.add_whole(field, value);
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.add_whole(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, Value::Decimal(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, Value::Truth(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message = cut(value, MOST_TEXT).to_owned();
        } else if !self.ids.take(field, value) {
            let text = cut(value, LONGEST.min(self.left)).to_owned();
            self.add(field, text.into());
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = write!(text, "{value:?}");
        self.record_str(field, &text);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tracing::{debug, info, info_span, warn};
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;
    use crate::metrics::{Kind, Labels, Metrics, Spec, Unit};

    static DROPPED: Spec = Spec { name: "dropped", help: "", unit: Unit::Count("line"), kind: Kind::Counter };

    /// The lines that are queued while this logs.
    fn queued(log: impl FnOnce()) -> Vec<Line> {
        let (lines, dropped) = (Lines::default(), Metrics::default().counter(&DROPPED, Labels::new()));
        let mut queue = lines.open(8, dropped).unwrap();
        let told = Told { lines, clock: Clock::system() };
        tracing::subscriber::with_default(tracing_subscriber::registry().with(told), log);
        std::iter::from_fn(|| queue.try_recv().ok()).collect()
    }

    #[test]
    fn a_line_carries_the_ids_of_the_call_it_was_written_in() {
        let (trace, span) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
        let lines = queued(|| {
            let call = info_span!(target: "chassis::call", "call", trace_id = %trace, span_id = %span);
            call.in_scope(|| {
                info_span!("inner").in_scope(|| warn!(count = 7, name = "ada", odd = ?json!([1]), "happened"));
            });
            info!("outside");
        });
        let [inside, outside] = lines.try_into().unwrap();
        assert_eq!((inside.message.as_str(), inside.level), ("happened", tracing::Level::WARN));
        assert_eq!(inside.trace_id.map(u128::from_be_bytes), u128::from_str_radix(trace, 16).ok());
        assert_eq!(inside.span_id.map(u64::from_be_bytes), u64::from_str_radix(span, 16).ok());
        assert_eq!(inside.fields[..2], [("count", Value::Number(7)), ("name", "ada".into())]);
        assert_eq!((outside.trace_id, outside.fields), (None, Vec::new()));
    }

    #[test]
    fn a_number_is_a_number_and_a_truth_value_is_one() {
        let largest = u64::MAX;
        let lines = queued(|| {
            warn!(a = true, b = 0.5, c = -7, d = 7_u64, e = 7_u128, f = -7_i128, largest, whole = 1.0_f32, "happened");
        });
        let expected = [
            ("a", Value::Truth(true)),
            ("b", Value::Decimal(0.5)),
            ("c", Value::Number(-7)),
            ("d", Value::Number(7)),
            ("e", Value::Number(7)),
            ("f", Value::Number(-7)),
            ("largest", "18446744073709551615".into()),
            ("whole", Value::Decimal(1.0)),
        ];
        assert_eq!(lines[0].fields, expected);
    }

    #[test]
    fn a_line_that_names_a_call_itself_carries_its_ids() {
        let (trace, span) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
        let other = info_span!(target: "chassis::call", "call", trace_id = %"1".repeat(32), span_id = %"2".repeat(16));
        let lines = queued(|| {
            info!(target: "chassis::access", trace_id = trace, span_id = span, status = 200, "call");
            other.in_scope(|| info!(trace_id = %trace, "call refused"));
            info!(trace_id = "none", "outside");
        });
        let [ended, refused, outside] = lines.try_into().unwrap();
        let ids = |line: &Line| (line.trace_id.map(u128::from_be_bytes), line.span_id.map(u64::from_be_bytes));
        let (trace, span) = (u128::from_str_radix(trace, 16).ok(), u64::from_str_radix(span, 16).ok());
        assert_eq!((ids(&ended), ended.fields), ((trace, span), vec![("status", Value::Number(200))]));
        assert_eq!(ids(&refused), (trace, None), "not the span of another call");
        assert_eq!((ids(&outside), outside.fields), ((None, None), vec![("trace_id", "none".into())]));
    }

    #[test]
    fn what_sending_logs_is_not_sent() {
        let lines = queued(|| {
            debug!(target: "hyper_util::client", "one");
            warn!(target: "chassis::telemetry::otlp::courier", "two");
            warn!(target: "chassis::access", "three");
        });
        assert_eq!(lines.iter().map(|line| line.message.as_str()).collect::<Vec<_>>(), ["three"]);
    }

    #[test]
    fn a_long_line_is_cut_short() {
        let (long, lines) = ("v".repeat(5000), 5);
        let line = queued(|| warn!(a = long, b = long, c = long, d = long, e = long, "{long}")).remove(0);
        let length = |value: &Value| if let Value::Text(text) = value { text.len() } else { 0 };
        let texts: Vec<_> = line.fields.iter().map(|(_, value)| length(value)).collect();
        assert_eq!((line.message.len(), texts.len()), (MOST_TEXT, lines));
        assert_eq!(texts, [LONGEST, LONGEST, LONGEST, LONGEST, 0]);
    }
}
