//! The operations of a snapshot as a list: what `routes` prints and the admin listener shows.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::conf::Interval;
use crate::operation::Text;
use crate::provider::Target;

/// The columns of the list.
pub(crate) const COLUMNS: [&str; 6] = ["METHOD", "PATH", "OPERATION", "LISTENER", "ACCESS", "CHAIN"];

/// One line of the list.
pub(crate) fn row(target: &Target) -> [String; 6] {
    let operation = &target.operation;
    [
        operation.method.to_string(),
        operation.template.clone(),
        operation.id.clone(),
        listeners(&operation.listeners),
        operation.access.to_string(),
        format!("{}: {}", target.chain.name, steps(target).join(" → ")),
    ]
}

/// The list for programs.
pub(crate) fn document(targets: &[Target]) -> Value {
    let route = |target: &Target| {
        let mut operation = json!(target.operation);
        if let Some(timeout) = target.operation.timeout {
            operation["timeout"] = json!(Interval(timeout).to_string());
        }
        json!({
            "operation": operation,
            "chain": { "name": &*target.chain.name, "handlers": steps(target) },
        })
    };
    targets.iter().map(route).collect()
}

/// The list for people.
pub(crate) fn text(targets: &[Target]) -> String {
    let rows: Vec<[String; 6]> = targets.iter().map(row).collect();
    align(COLUMNS, &rows).into_iter().fold(String::new(), |mut text, line| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{line}");
        text
    })
}

/// Lines whose cells stand below each other, two spaces apart; the first is the head.
pub(crate) fn align<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> Vec<String> {
    let mut widths = head.map(|cell| cell.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: [&str; N]| {
        let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let rows = rows.iter().map(|row| line(row.each_ref().map(String::as_str)));
    [line(head)].into_iter().chain(rows).collect()
}

/// The listeners that serve an operation; a dash if none does.
fn listeners(names: &[Text]) -> String {
    if names.is_empty() { "-".to_owned() } else { names.join(", ") }
}

fn steps(target: &Target) -> Vec<&str> {
    target.chain.steps.iter().map(|step| &*step.name).collect()
}
