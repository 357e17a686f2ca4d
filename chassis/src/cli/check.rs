//! `check`: everything that is wrong with the configuration, or that nothing is.

use serde_json::json;

use super::print::{Printer, Style};
use super::{App, Flags};
use crate::app::StartError;

pub(super) fn run(app: App, flags: &Flags) -> Result<Printer, StartError> {
    let prepared = flags.prepare(app)?;
    let mut printer = Printer::new(flags);
    let (operations, warnings) = (prepared.operations().len(), prepared.warnings());
    let read: Vec<String> = prepared.read().iter().map(ToString::to_string).collect();
    if printer.json {
        printer.document(&json!({ "read": read, "operations": operations, "warnings": warnings, "problems": [] }));
        return Ok(printer);
    }
    // Standard output is for the answer.
    let mut aside = Printer::for_errors(flags);
    for warning in &warnings {
        aside.write(Style::Bad, "warning: ");
        aside.line(warning);
    }
    aside.complain();
    printer.write(Style::Good, "ok");
    printer.line(format_args!(": {operations} operations have their chains; read {}", read.join(", ")));
    Ok(printer)
}
