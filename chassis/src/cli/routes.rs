//! `routes`: every operation with its method, path, listeners, access and chain.

use super::print::Printer;
use super::{App, Flags};
use crate::app::{StartError, routes};

pub(super) fn run(app: App, flags: &Flags) -> Result<Printer, StartError> {
    let snapshot = flags.prepare(app)?.rehearsal().snapshot();
    let mut printer = Printer::new(flags);
    if printer.json {
        printer.document(&routes::document(&snapshot.targets));
        return Ok(printer);
    }
    let rows: Vec<[String; 6]> = snapshot.targets.iter().map(routes::row).collect();
    printer.table(routes::COLUMNS, &rows);
    Ok(printer)
}
