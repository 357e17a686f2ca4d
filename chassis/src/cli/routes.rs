//! `routes`: every operation with its method, path, access and chain.

use serde_json::json;

use super::print::Printer;
use super::{Common, Package};
use crate::app::{Planned, Prepared, StartError};

pub(super) fn run(package: Package, common: &Common) -> Result<Printer, StartError> {
    let prepared = common.prepare(package)?;
    let mut printer = Printer::new(common);
    if printer.json {
        printer.document(&listing(&prepared));
        return Ok(printer);
    }
    let rows: Vec<[String; 5]> = prepared.operations().iter().map(row).collect();
    printer.table(["METHOD", "PATH", "OPERATION", "ACCESS", "CHAIN"], &rows);
    Ok(printer)
}

fn row(planned: &Planned) -> [String; 5] {
    let operation = &planned.operation;
    let chain = steps(planned).join(" → ");
    [
        operation.method.to_string(),
        operation.template.clone(),
        operation.id.clone(),
        operation.access.to_string(),
        format!("{}: {chain}", planned.chain.name),
    ]
}

fn steps(planned: &Planned) -> Vec<&str> {
    planned.chain.steps.iter().map(|step| &*step.name).collect()
}

/// The routes as a document; the admin listener shows the same.
pub(crate) fn listing(prepared: &Prepared) -> serde_json::Value {
    let route = |planned: &Planned| {
        json!({
            "operation": planned.operation,
            "chain": { "name": &*planned.chain.name, "handlers": steps(planned) },
        })
    };
    prepared.operations().iter().map(route).collect()
}
