//! `check`: everything that is wrong with the configuration, or that nothing is.

use serde_json::json;

use super::print::{Printer, Style};
use super::{App, Flags};
use crate::app::StartError;

pub(super) fn run(app: App, flags: &Flags) -> Result<Printer, StartError> {
    let sources = flags.sources(app.package());
    let prepared = match app.check(&sources) {
        Err(StartError::Reference(_)) => return Ok(reference(flags)),
        prepared => prepared?,
    };
    let mut printer = Printer::new(flags);
    let (operations, warnings) = (prepared.operations().len(), prepared.warnings());
    let read: Vec<String> = prepared.read().iter().map(ToString::to_string).collect();
    let revision = prepared.revision();
    if printer.json {
        let said = json!({
            "read": read, "operations": operations, "revision": revision, "warnings": warnings, "problems": [],
        });
        printer.document(&said);
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
    let read = read.join(", ");
    printer.line(format_args!(": {operations} operations have their chains; revision {revision}; read {read}"));
    Ok(printer)
}

/// Every key and value of a reference has been checked by then; there is nothing else in it to prove.
fn reference(flags: &Flags) -> Printer {
    const NOTE: &str = "this is the reference of all keys, and each holds its default; it configures no service, so no \
                        chain was proved: check it together with the file of the service";
    let mut printer = Printer::new(flags);
    if printer.json {
        printer.document(&json!({ "reference": true, "warnings": [NOTE], "problems": [] }));
    } else {
        printer.write(Style::Good, "ok");
        printer.line(format_args!(": {NOTE}"));
    }
    printer
}
