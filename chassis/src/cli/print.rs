//! Writes what commands say: in colour for a terminal, plain otherwise, JSON on request.

use std::fmt::{self, Write as _};
use std::io::{self, ErrorKind, Write as _};
use std::process::ExitCode;

use serde::Serialize;
use serde_json::json;

use super::Flags;
use super::color::Reader;
use crate::app::StartError;
use crate::app::routes::align;
use crate::lifecycle::Exit;

/// How a piece of text stands out where there is colour.
#[derive(Clone, Copy)]
pub(super) enum Style {
    Plain,
    Strong,
    Faint,
    Good,
    Bad,
}

impl Style {
    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Strong => "\x1b[1m",
            Self::Faint => "\x1b[2m",
            Self::Good => "\x1b[32m",
            Self::Bad => "\x1b[31m",
        }
    }
}

/// Where commands write to.
pub(super) struct Printer {
    colour: bool,
    pub(super) json: bool,
    text: String,
}

impl Printer {
    pub(super) fn new(flags: &Flags) -> Self {
        Self::with(flags, Reader::of(&io::stdout()))
    }

    /// For what is written with [`Printer::complain`].
    pub(super) fn for_errors(flags: &Flags) -> Self {
        Self::with(flags, Reader::of(&io::stderr()))
    }

    fn with(flags: &Flags, reader: Reader) -> Self {
        Self { colour: flags.color.shows(reader), json: flags.json, text: String::new() }
    }

    /// Adds why there is no service.
    pub(super) fn error(&mut self, error: &StartError) {
        match error {
            StartError::Rejected(wrong) | StartError::Reference(wrong) if self.json => {
                self.document(&json!({ "problems": wrong.all() }));
            }
            // Each of its problems begins with its own place.
            StartError::Rejected(wrong) | StartError::Reference(wrong) if self.colour => {
                self.line(wrong.text(|error| error.coloured().to_string()));
            }
            StartError::Rejected(wrong) | StartError::Reference(wrong) => self.line(wrong.text(ToString::to_string)),
            other if self.json => self.document(&json!({ "error": other.to_string() })),
            other => {
                self.write(Style::Bad, "error: ");
                self.line(other);
            }
        }
    }

    /// Adds text.
    pub(super) fn write(&mut self, style: Style, text: impl fmt::Display) {
        let (on, off) = if self.colour { (style.code(), "\x1b[0m") } else { ("", "") };
        // Writing to a String cannot fail.
        let _ = if on.is_empty() { write!(self.text, "{text}") } else { write!(self.text, "{on}{text}{off}") };
    }

    /// Adds a line.
    pub(super) fn line(&mut self, text: impl fmt::Display) {
        self.write(Style::Plain, format_args!("{text}\n"));
    }

    /// Adds text that ends its last line itself.
    pub(super) fn text(&mut self, text: impl fmt::Display) {
        self.write(Style::Plain, text);
    }

    /// Adds a table: columns as wide as their widest cell, two spaces apart.
    pub(super) fn table<const N: usize>(&mut self, head: [&str; N], rows: &[[String; N]]) {
        for (at, line) in align(head, rows).into_iter().enumerate() {
            self.write(if at == 0 { Style::Faint } else { Style::Plain }, line);
            self.line("");
        }
    }

    /// Adds a JSON document.
    pub(super) fn document(&mut self, value: &impl Serialize) {
        match serde_json::to_string_pretty(value) {
            Ok(text) => self.line(text),
            Err(error) => self.line(format_args!("{{\"error\": \"{error}\"}}")),
        }
    }

    /// Writes everything to standard output, and says whether that is where it went.
    pub(super) fn finish(self) -> ExitCode {
        let mut out = io::stdout();
        written(out.write_all(self.text.as_bytes()).and_then(|()| out.flush()))
    }

    /// Writes everything to standard error.
    pub(super) fn complain(self) {
        let _ = io::stderr().write_all(self.text.as_bytes());
    }
}

/// What writing an answer comes to. A reader that went away, as `head` does, is no failure of ours.
pub(super) fn written(outcome: io::Result<()>) -> ExitCode {
    match outcome {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            // There is nowhere left to say it if this fails as well.
            let _ = writeln!(io::stderr(), "error: the answer cannot be written to standard output: {error}");
            Exit::Failed.into()
        }
        _ => ExitCode::SUCCESS,
    }
}
