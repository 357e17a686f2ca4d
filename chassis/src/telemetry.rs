//! What the process tells: log lines, through a subscriber that is set once, and what is sent to a collector.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, IsTerminal};
use std::panic::{self, PanicHookInfo};
use std::thread;

use tracing::field::display;
use tracing::subscriber::set_global_default;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::{Registry, reload};

use crate::clock::Clock;
use crate::conf::root::{Colour, Format, Level, Log};
use crate::invocation::OnDemand;
use crate::outbox::Lines;

mod export;
mod fields;
#[cfg(feature = "otlp")]
mod otlp;
mod told;

pub use export::{CHASSIS_EXPORTERS_V1, Exporter, Exporting, described, export};

use told::Told;

/// What is logged, to change it while the process runs.
pub struct Levels(reload::Handle<Targets, Registry>);

impl Levels {
    /// Logs what `log` says from now on. What lines look like stays as it was.
    pub fn set(&self, log: &Log) {
        // The only failure is that the subscriber is gone or never was the one of this process.
        let _ = self.0.reload(targets(log));
    }
}

/// Sets the subscriber of the process, and logs panics through it. A subscriber that was set before, as tests and some
/// programs do, stays; the answer then changes nothing. Lines go to `sent` too, if somebody sends them by now.
pub fn install(log: &Log, sent: &Lines, clock: Clock) -> Levels {
    let (filter, levels) = reload::Layer::new(targets(log));
    let reader = if io::stderr().is_terminal() { Reader::Person } else { Reader::Program };
    let lines = lines(Look::of(log, reader), io::stderr);
    let told = sent.is_wanted().then(|| Told { lines: sent.clone(), clock });
    if set_global_default(OnDemand::new(Registry::default().with(filter).with(lines).with(told))).is_ok() {
        // The standard library would write text of several lines among the lines of the log.
        panic::set_hook(Box::new(panicked));
    }
    Levels(levels)
}

/// Why there is no service, as one line among those of the log: where programs read it, text of several lines would be
/// no entry of it.
pub fn report(log: &Log, error: &dyn std::error::Error) {
    let reader = if io::stderr().is_terminal() { Reader::Person } else { Reader::Program };
    if Look::of(log, reader) == Look::Json {
        // Nothing changes if it was set before.
        let _levels = install(log, &Lines::default(), Clock::system());
        tracing::error!(%error, "the service does not start");
    }
}

/// Logs a panic in one line, wherever it happens; what becomes of the call is for whoever catches it.
fn panicked(panic: &PanicHookInfo<'_>) {
    let payload = panic.payload();
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref().map(String::as_str));
    let text = text.unwrap_or("a value that is no text");
    let place = panic.location().map(display);
    let thread = thread::current();
    // It is captured where `RUST_BACKTRACE` asks for it, as usual.
    let backtrace = Backtrace::capture();
    let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| display(&backtrace));
    tracing::error!(panic = text, place, thread = thread.name(), backtrace, "panicked");
}

/// Who reads the lines, by where they go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    Person,
    Program,
}

/// The look of lines, decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Plain,
    Coloured,
    Json,
}

impl Look {
    fn of(log: &Log, reader: Reader) -> Self {
        match (log.format, log.colour, reader) {
            (Format::Json, _, _) | (Format::Auto, _, Reader::Program) => Self::Json,
            (_, Colour::Always, _) | (_, Colour::Auto, Reader::Person) => Self::Coloured,
            (_, Colour::Never, _) | (_, Colour::Auto, Reader::Program) => Self::Plain,
        }
    }
}

/// Writes lines; those of a call that is recorded carry the fields of its span, the trace id among them.
fn lines<S, W>(look: Look, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines = fmt::layer().with_writer(writer);
    match look {
        Look::Plain => lines.with_ansi(false).boxed(),
        Look::Coloured => lines.with_ansi(true).boxed(),
        Look::Json => {
            let lines = lines.json().flatten_event(true).with_current_span(true).with_span_list(false);
            lines.fmt_fields(fields::JsonText).boxed()
        }
    }
}

fn targets(log: &Log) -> Targets {
    let others = log.targets.iter().map(|(target, level)| (target.replace('-', "_"), LevelFilter::from(*level)));
    Targets::new().with_default(LevelFilter::from(log.level)).with_targets(others)
}

impl From<Level> for LevelFilter {
    fn from(level: Level) -> Self {
        match level {
            Level::Off => Self::OFF,
            Level::Error => Self::ERROR,
            Level::Warn => Self::WARN,
            Level::Info => Self::INFO,
            Level::Debug => Self::DEBUG,
            Level::Trace => Self::TRACE,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tracing::{debug, info, info_span, warn};

    use super::*;
    use crate::invocation::fixture::Page;

    fn log(conf: Value) -> Log {
        serde_json::from_value(conf).unwrap()
    }

    /// What `write` logs.
    fn logged(log: &Log, look: Look, write: impl FnOnce(&Levels)) -> String {
        let page = Page::default();
        let copy = page.clone();
        let (filter, levels) = reload::Layer::new(targets(log));
        let subscriber = Registry::default().with(filter).with(lines(look, move || copy.clone()));
        tracing::subscriber::with_default(subscriber, || write(&Levels(levels)));
        page.text()
    }

    #[test]
    fn what_is_less_severe_than_its_target_asks_for_is_not_logged() {
        let log = log(json!({ "level": "warn", "targets": { "loud": "debug", "loud::not": "off" } }));
        let text = logged(&log, Look::Plain, |_| {
            info!("one");
            warn!("two");
            debug!(target: "loud::part", "three");
            warn!(target: "loud::not", "four");
        });
        let said = ["one", "two", "three", "four"].map(|word| text.contains(word));
        assert_eq!(said, [false, true, true, false], "{text}");
    }

    #[test]
    fn levels_change_while_the_process_runs() {
        let text = logged(&log(json!({})), Look::Plain, |levels| {
            debug!("one");
            levels.set(&log(json!({ "level": "debug" })));
            debug!("two");
        });
        assert!(!text.contains("one") && text.contains("two"), "{text}");
    }

    #[test]
    fn a_line_inside_a_span_carries_its_fields() {
        let inside = |look| {
            logged(&log(json!({})), look, |_| {
                let _entered = info_span!("call", trace_id = "0af7").entered();
                warn!(greeting = "hello", "something happened");
            })
        };
        let line: Value = serde_json::from_str(&inside(Look::Json)).unwrap();
        assert_eq!((&line["level"], &line["message"]), (&json!("WARN"), &json!("something happened")));
        assert_eq!((&line["greeting"], &line["span"]["trace_id"]), (&json!("hello"), &json!("0af7")));
        let text = inside(Look::Plain);
        assert!(text.contains("call{trace_id=\"0af7\"}") && text.contains("something happened greeting=\"hello\""));
        assert!(!text.contains('\u{1b}') && inside(Look::Coloured).contains('\u{1b}'));
    }

    #[test]
    fn a_panic_is_one_line_with_its_text_and_place() {
        // The hook is everybody's: the panics of other tests go on being told as before.
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            panicked(panic);
            before(panic);
        }));
        let text = logged(&log(json!({})), Look::Json, |_| {
            assert!(panic::catch_unwind(|| panic!("as\nasked")).is_err());
        });
        let line: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&line["level"], &line["message"], &line["panic"]),
            (&json!("ERROR"), &json!("panicked"), &json!("as\nasked"))
        );
        let place = line["place"].as_str().unwrap();
        assert!(place.contains("telemetry.rs:") && place.matches(':').count() == 2, "{place}");
    }

    #[test]
    fn a_terminal_gets_coloured_text_and_a_pipe_json() {
        let look = |conf, reader| Look::of(&log(conf), reader);
        assert_eq!((look(json!({}), Reader::Person), look(json!({}), Reader::Program)), (Look::Coloured, Look::Json));
        assert_eq!(look(json!({ "format": "text" }), Reader::Program), Look::Plain);
        assert_eq!(look(json!({ "format": "text", "colour": "always" }), Reader::Program), Look::Coloured);
        assert_eq!(look(json!({ "colour": "never" }), Reader::Person), Look::Plain);
        assert_eq!(look(json!({ "format": "json", "colour": "always" }), Reader::Person), Look::Json);
    }
}
