//! What must be linked in, and what to do when it is not.

use std::collections::BTreeMap;

use super::error::Rejected;
use super::later::Later;
use crate::catalog::{Catalog, Head};
use crate::cli::Package;
use crate::conf::{Composed, Document, Kind, Known, Part, Reviewed, Sources, Tombstone};
use crate::operation::Operation;

/// What a program is made of.
#[derive(Clone, Copy)]
pub(super) struct Made<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) operations: &'a [Operation],
    pub(super) later: &'a [Later],
    pub(super) tombstones: &'a [Tombstone],
}

/// Refuses a service that serves nothing.
pub(super) fn something(package: Package, made: Made<'_>) -> Result<(), Rejected> {
    match made.operations.is_empty() && made.catalog.schemas.is_empty() && made.later.is_empty() {
        true => Err(Rejected { linked: vec![nothing(package)], ..Rejected::default() }),
        false => Ok(()),
    }
}

/// Refuses two operations of one id.
pub(super) fn distinct(operations: &[Operation]) -> Rejected {
    let mut seen = BTreeMap::new();
    let twice = operations.iter().filter_map(|operation| Some((seen.insert(&operation.id, operation)?, operation)));
    let linked = twice.map(|(first, second)| shared_id(first, second)).collect();
    Rejected { linked, ..Rejected::default() }
}

fn shared_id(first: &Operation, second: &Operation) -> String {
    let place = |operation: &Operation| format!("{} {} ({})", operation.method, operation.template, operation.location);
    format!(
        "two operations have the id `{}`: {} and {}\n  help: give one of them another `name`",
        first.id,
        place(first),
        place(second)
    )
}

/// Reads the configuration and checks it against what was linked in.
pub(super) fn configuration(made: Made<'_>, sources: &Sources) -> Reviewed {
    let ids: Vec<&str> = made.operations.iter().map(|operation| operation.id.as_str()).collect();
    let later: Vec<&str> = made.later.iter().map(|later| &*later.name).collect();
    match Document::load(sources) {
        Ok(document) => document.review(composed(made), Known { operations: &ids, later: &later }, &sources.disk()),
        Err(error) => Reviewed { conf: None, problems: error.problems },
    }
}

/// What configuration may say to such a program.
pub(super) fn composed(made: Made<'_>) -> Composed {
    let mounted = made.operations.iter().map(|operation| &*operation.schema);
    let mut parts = parts(made.catalog);
    let known = |part: &Part, parts: &[Part]| parts.iter().any(|one| (one.kind, &one.name) == (part.kind, &part.name));
    for part in made.later.iter().filter_map(Later::part) {
        if !known(&part, &parts) {
            parts.push(part);
        }
    }
    let schemas = mounted.chain(made.later.iter().map(|later| &*later.name));
    Composed::new(&parts)
        .with_terms()
        .with_optional()
        .with_schemas(schemas)
        .with_tombstones(made.tombstones.iter().copied())
}

/// Everything that has its own part of the configuration.
fn parts(catalog: &Catalog) -> Vec<Part> {
    let part =
        |kind| move |head: &Head| Part { kind, name: head.name.to_owned(), doc: head.doc.to_owned(), conf: head.conf };
    let schemas = catalog.schemas.iter().map(|entry| &entry.head).map(part(Kind::Schema));
    let handlers = catalog.handlers.iter().map(|entry| &entry.head).map(part(Kind::Handler));
    let components = catalog.components.iter().map(|entry| &entry.head).map(part(Kind::Component));
    let protocols = catalog.protocols.iter().map(|entry| &entry.head).map(part(Kind::Protocol));
    schemas.chain(handlers).chain(components).chain(protocols).collect()
}

fn nothing(package: Package) -> String {
    let krate = package.name.replace('-', "_");
    format!(
        "no schema is linked into `{0}`, so there is nothing to serve\n  \
         help: if the schemas are in a module of this program, write its `mod` line into main.rs\n  \
         help: if they are in a library, such as `{krate}`, write `use {krate} as _;` into main.rs: the linker leaves \
         out a crate that is listed in Cargo.toml and never named",
        package.name
    )
}
