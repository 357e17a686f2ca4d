//! `routes`: every operation with its method, path, access and chain.

use super::print::Printer;
use super::{Common, Package};
use crate::app::{StartError, routes};

pub(super) fn run(package: Package, common: &Common) -> Result<Printer, StartError> {
    let snapshot = common.prepare(package)?.rehearsal().snapshot();
    let mut printer = Printer::new(common);
    if printer.json {
        printer.document(&routes::document(&snapshot.targets));
        return Ok(printer);
    }
    let rows: Vec<[String; 5]> = snapshot.targets.iter().map(routes::row).collect();
    printer.table(routes::COLUMNS, &rows);
    Ok(printer)
}
