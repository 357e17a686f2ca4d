//! Spells what was measured as Prometheus reads it: OpenMetrics 1.0, or the older text format 0.0.4.
//!
//! Names are translated as OpenTelemetry's compatibility document says: dots become underscores, several of them one, the
//! unit is added, and a counter ends in `_total`.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use super::{Buckets, Exemplar, Family, Kind, Labels, Measured, Spec, Unit};
use crate::trace::Hex;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// OpenMetrics 1.0, with exemplars.
    OpenMetrics,
    /// The text format of Prometheus, version 0.0.4.
    Prometheus,
}

impl Format {
    /// The one that a scraper asks for in its `Accept` field (RFC 9110 §12.5.1); the older unless it names the newer, and
    /// likes it no less.
    pub fn accepted(accept: &str) -> Self {
        let weight = |names: &[&str]| names.iter().find_map(|name| weight(accept, name));
        let newer = weight(&["application/openmetrics-text"]).unwrap_or(0.0);
        let older = weight(&["text/plain", "text/*", "*/*"]).unwrap_or(0.0);
        if newer > 0.0 && newer >= older { Self::OpenMetrics } else { Self::Prometheus }
    }

    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// The most that the members of an `Accept` field with this name weigh; `None` where there is none.
fn weight(accept: &str, name: &str) -> Option<f32> {
    let ranges = accept.split(',').filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        parts.next().filter(|said| said.eq_ignore_ascii_case(name))?;
        let said = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        Some(said.map_or(1.0, |said| said.parse().unwrap_or(0.0)))
    });
    ranges.reduce(f32::max)
}

/// Spells these families.
pub fn spell(families: &[Family], format: Format) -> String {
    spell_of(&BTreeMap::new(), families, format)
}

/// The same, of a process that is described by these attributes of its resource.
pub fn spell_of(process: &BTreeMap<String, String>, families: &[Family], format: Format) -> String {
    let mut page = Page { text: String::new(), format };
    // Writing to a string cannot fail.
    let _ = page.target(process);
    for family in families {
        let _ = page.family(family);
    }
    if format == Format::OpenMetrics {
        page.text.push_str("# EOF\n");
    }
    page.text
}

struct Page {
    text: String,
    format: Format,
}

impl Page {
    /// What is measured, as OpenTelemetry's compatibility document has it said.
    fn target(&mut self, process: &BTreeMap<String, String>) -> fmt::Result {
        if process.is_empty() {
            return Ok(());
        }
        let (name, kind) = match self.format {
            Format::OpenMetrics => ("target", "info"),
            Format::Prometheus => ("target_info", "gauge"),
        };
        write!(self.text, "# TYPE {name} {kind}\n# HELP {name} What process this is.\ntarget_info")?;
        let mut labels: BTreeMap<String, String> = BTreeMap::new();
        for (attribute, value) in process {
            let said = labels.entry(Identifier(attribute).to_string()).or_default();
            // Names that are spelt alike share a label.
            let separator = if said.is_empty() { "" } else { ";" };
            write!(said, "{separator}{value}")?;
        }
        let mut open = '{';
        for (label, value) in &labels {
            write!(self.text, "{open}{label}=\"{}\"", Escaped { text: value, quotes: true })?;
            open = ',';
        }
        self.text.push_str("} 1\n");
        Ok(())
    }

    fn family(&mut self, family: &Family) -> fmt::Result {
        let spec = family.spec;
        let name = name(spec);
        let total = if spec.kind == Kind::Counter { "_total" } else { "" };
        // In OpenMetrics the family of a counter has no suffix, only its samples do.
        let head = if self.format == Format::OpenMetrics { name.clone() } else { format!("{name}{total}") };
        let kind = match spec.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram(_) => "histogram",
        };
        writeln!(self.text, "# TYPE {head} {kind}")?;
        if let (Format::OpenMetrics, Some(unit)) = (self.format, unit(spec.unit)) {
            writeln!(self.text, "# UNIT {head} {unit}")?;
        }
        writeln!(self.text, "# HELP {head} {}", Escaped { text: spec.help, quotes: false })?;
        for series in &family.series {
            match &series.measured {
                Measured::Number(value) => self.sample(&name, total, &series.labels, None, *value, None)?,
                Measured::Buckets(buckets) => self.buckets(&name, &series.labels, buckets, spec.unit.scale())?,
            }
        }
        Ok(())
    }

    fn buckets(&mut self, name: &str, labels: &Labels, buckets: &Buckets, scale: f64) -> fmt::Result {
        let bounds = buckets.bounds.iter().map(|bound| *bound as f64 / scale).chain([f64::INFINITY]);
        let mut below = 0;
        for ((bound, count), exemplar) in bounds.zip(&buckets.counts).zip(&buckets.exemplars) {
            below += count;
            let exemplar = exemplar.as_ref().map(|exemplar| (exemplar, scale));
            self.sample(name, "_bucket", labels, Some(bound), below as f64, exemplar)?;
        }
        self.sample(name, "_sum", labels, None, buckets.sum as f64 / scale, None)?;
        self.sample(name, "_count", labels, None, below as f64, None)
    }

    fn sample(
        &mut self,
        name: &str,
        suffix: &str,
        labels: &Labels,
        bound: Option<f64>,
        value: f64,
        exemplar: Option<(&Exemplar, f64)>,
    ) -> fmt::Result {
        write!(self.text, "{name}{suffix}")?;
        let mut open = '{';
        for (label, value) in labels {
            let value = Escaped { text: value, quotes: true };
            write!(self.text, "{open}{}=\"{value}\"", Identifier(label))?;
            open = ',';
        }
        if let Some(bound) = bound {
            match self.format {
                Format::OpenMetrics => write!(self.text, "{open}le=\"{}\"", Canonical(bound))?,
                Format::Prometheus => write!(self.text, "{open}le=\"{}\"", Number(bound))?,
            }
            open = ',';
        }
        let close = if open == ',' { "}" } else { "" };
        write!(self.text, "{close} {}", Number(value))?;
        if let (Format::OpenMetrics, Some((exemplar, scale))) = (self.format, exemplar) {
            let Exemplar { trace_id, span_id, value, at } = exemplar;
            let (trace_id, span_id) = (Hex(trace_id), Hex(span_id));
            let value = Number(*value as f64 / scale);
            write!(self.text, " # {{trace_id=\"{trace_id}\",span_id=\"{span_id}\"}} {value} {}", seconds(*at))?;
        }
        self.text.push('\n');
        Ok(())
    }
}

/// The name without the suffix of a kind.
fn name(spec: &Spec) -> String {
    let name = Identifier(spec.name).to_string();
    match unit(spec.unit) {
        Some(unit) if !name.ends_with(unit) => format!("{name}_{unit}"),
        _ => name,
    }
}

fn unit(unit: Unit) -> Option<&'static str> {
    match unit {
        Unit::Count(_) => None,
        Unit::Seconds => Some("seconds"),
        Unit::Bytes => Some("bytes"),
        Unit::Ratio => Some("ratio"),
    }
}

/// Nanoseconds in seconds, to the millisecond.
fn seconds(nanos: u64) -> String {
    let millis = nanos / 1_000_000;
    format!("{}.{:03}", millis / 1_000, millis % 1_000)
}

/// A name with nothing in it but letters, digits and underscores, no digit first and no two underscores in a row: labels
/// that begin with two are Prometheus' own.
struct Identifier<'a>(&'a str);

impl fmt::Display for Identifier<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = None;
        if self.0.is_empty() || self.0.starts_with(|c: char| c.is_ascii_digit()) {
            f.write_char('_')?;
            last = Some('_');
        }
        for c in self.0.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }) {
            if c != '_' || last != Some('_') {
                f.write_char(c)?;
            }
            last = Some(c);
        }
        Ok(())
    }
}

/// A text in which what would end it is escaped.
struct Escaped<'a> {
    text: &'a str,
    quotes: bool,
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.chars().try_for_each(|c| match c {
            '\\' => f.write_str("\\\\"),
            '\n' => f.write_str("\\n"),
            '"' if self.quotes => f.write_str("\\\""),
            c => f.write_char(c),
        })
    }
}

/// A number as both formats spell it.
struct Number(f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            infinite if infinite == f64::INFINITY => f.write_str("+Inf"),
            number => number.fmt(f),
        }
    }
}

/// A bound as OpenMetrics wants it spelt, so that it is the same text everywhere: as Go does, and seen to be no integer.
pub(super) struct Canonical(pub(super) f64);

impl fmt::Display for Canonical {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:e}", self.0);
        let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
        match power.parse::<i32>() {
            Ok(power @ (..-4 | 6..)) => {
                let sign = if power < 0 { '-' } else { '+' };
                write!(f, "{digits}e{sign}{:02}", power.unsigned_abs())
            }
            _ if self.0.is_finite() => write!(f, "{:?}", self.0),
            _ => Number(self.0).fmt(f),
        }
    }
}
