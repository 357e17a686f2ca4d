//! The fields of a span as the text of a JSON object, which grows at its end.
//!
//! tracing-subscriber's own parses that text anew whenever a field is recorded, which made one call in a hundred that
//! is recorded cost as much as ten that are not.

use std::fmt::{self, Debug, Display, Write};

use tracing::field::{Field, Visit};
use tracing::span::Record;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FormatFields, FormattedFields};

/// Writes the fields of a span as a JSON object.
#[derive(Clone, Copy, Debug)]
pub(super) struct JsonText;

impl<'writer> FormatFields<'writer> for JsonText {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'writer>, fields: R) -> fmt::Result {
        writer.write_char('{')?;
        members(&mut writer, "", |members| fields.record(members))?;
        writer.write_char('}')
    }

    fn add_fields(&self, text: &'writer mut FormattedFields<Self>, fields: &Record<'_>) -> fmt::Result {
        let is_open = text.fields.pop().is_some();
        if !is_open {
            text.fields.push('{');
        }
        let separator = if text.fields.ends_with('{') { "" } else { "," };
        members(&mut text.as_writer(), separator, |members| fields.record(members))?;
        text.fields.push('}');
        Ok(())
    }
}

/// Writes what `record` shows, with `separator` before the first.
fn members(writer: &mut dyn Write, separator: &'static str, record: impl FnOnce(&mut Members<'_>)) -> fmt::Result {
    let mut members = Members { writer, separator, outcome: Ok(()) };
    record(&mut members);
    members.outcome
}

/// The members of a JSON object, one after the other.
struct Members<'a> {
    writer: &'a mut dyn Write,
    separator: &'static str,
    outcome: fmt::Result,
}

impl Members<'_> {
    fn add(&mut self, field: &Field, value: impl FnOnce(&mut dyn Write) -> fmt::Result) {
        if self.outcome.is_err() {
            return;
        }
        let name = field.name().trim_start_matches("r#");
        self.outcome = write!(self.writer, "{}\"{name}\":", self.separator).and_then(|()| value(self.writer));
        self.separator = ",";
    }

    fn add_text(&mut self, field: &Field, text: impl Display) {
        self.add(field, |writer| {
            writer.write_char('"')?;
            write!(Escaped(writer), "{text}")?;
            writer.write_char('"')
        });
    }
}

impl Visit for Members<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        match value.is_finite() {
            true => self.add(field, |writer| write!(writer, "{value:?}")),
            false => self.add(field, |writer| writer.write_str("null")),
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, |writer| write!(writer, "{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, |writer| write!(writer, "{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, |writer| write!(writer, "{value}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add_text(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.add_text(field, format_args!("{value:?}"));
    }
}

/// Escapes what a JSON string must not contain as it is (RFC 8259 §7).
struct Escaped<'a>(&'a mut dyn Write);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(at) = rest.find(|c: char| c.is_ascii_control() || c == '"' || c == '\\') {
            let (plain, special) = rest.split_at(at);
            self.0.write_str(plain)?;
            let mut characters = special.chars();
            match characters.next() {
                Some(c @ ('"' | '\\')) => write!(self.0, "\\{c}")?,
                Some(c) => write!(self.0, "\\u{:04x}", u32::from(c))?,
                None => {}
            }
            rest = characters.as_str();
        }
        self.0.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tracing::field::Empty;
    use tracing::info_span;
    use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
    use tracing_subscriber::registry::LookupSpan;
    use tracing_subscriber::{Registry, fmt};

    use super::*;
    use std::sync::mpsc::{Sender, channel};

    /// Tells the text of each span that ends.
    struct Ending(Sender<String>);

    impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Ending {
        fn on_close(&self, id: tracing::span::Id, context: Context<'_, S>) {
            let span = context.span(&id).unwrap();
            self.0.send(span.extensions().get::<FormattedFields<JsonText>>().unwrap().fields.clone()).unwrap();
        }
    }

    /// The fields of the span that `live` makes, as JSON reads them.
    fn fields(live: impl FnOnce()) -> Value {
        let (sender, texts) = channel();
        let lines = fmt::layer().json().fmt_fields(JsonText).with_writer(std::io::sink);
        tracing::subscriber::with_default(Registry::default().with(lines).with(Ending(sender)), live);
        serde_json::from_str(&texts.recv().unwrap()).unwrap()
    }

    #[test]
    fn every_kind_of_value_is_the_json_of_it() {
        let found = fields(|| {
            let shown = tracing::field::display("a\"b\\c\nd\u{7f}é");
            info_span!("call", text = "x", shown, debug = ?Some("y"), count = 3_u64, less = -3_i64, part = 0.5, r#type = true);
        });
        let expected = json!({ "text": "x", "shown": "a\"b\\c\nd\u{7f}é", "debug": "Some(\"y\")", "count": 3, "less": -3,
            "part": 0.5, "type": true });
        assert_eq!(found, expected);
        assert_eq!(fields(|| drop(info_span!("call", nan = f64::NAN))), json!({ "nan": null }));
    }

    #[test]
    fn what_is_recorded_later_stands_behind_what_was_there() {
        let found = fields(|| {
            let span = info_span!("call", first = 1, status = Empty, error = Empty);
            span.record("status", 200).record("error", "none");
        });
        assert_eq!(found, json!({ "first": 1, "status": 200, "error": "none" }));
        let found = fields(|| {
            info_span!("call", status = Empty).record("status", 200);
        });
        assert_eq!(found, json!({ "status": 200 }));
        assert_eq!(fields(|| drop(info_span!("call"))), json!({}));
    }
}
