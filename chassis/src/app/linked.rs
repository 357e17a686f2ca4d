//! What must be linked in, and what to do when it is not.

use std::collections::BTreeSet;

use super::error::StartError;
use crate::catalog::{Catalog, Head};
use crate::cli::Package;
use crate::conf::Conf;
use crate::conf::{Composed, Document, Kind, Part, Sources};
use crate::operation::Operation;

/// Refuses a service that serves nothing, or two operations of one id.
pub(super) fn check(package: Package, catalog: &Catalog, operations: &[Operation]) -> Result<(), StartError> {
    if operations.is_empty() && catalog.schemas.is_empty() {
        return Err(StartError::Linked(vec![nothing(package)]));
    }
    let mut seen = BTreeSet::new();
    let twice = operations.iter().filter(|operation| !seen.insert(operation.id.as_str()));
    let problems: Vec<String> = twice
        .map(|operation| format!("two operations have the id `{}`; give one another `name`", operation.id))
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(StartError::Linked(problems)) }
}

/// Reads the configuration and checks it against what was linked in.
pub(super) fn configuration(
    catalog: &Catalog,
    operations: &[Operation],
    sources: &Sources,
) -> Result<Conf, StartError> {
    let ids: Vec<&str> = operations.iter().map(|operation| operation.id.as_str()).collect();
    let document = Document::load(sources).map_err(StartError::Conf)?;
    document.check(Composed::new(&parts(catalog)), &ids, &sources.disk()).map_err(StartError::Conf)
}

/// Everything that has its own part of the configuration.
pub(super) fn parts(catalog: &Catalog) -> Vec<Part> {
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
         help: a crate that is listed in Cargo.toml and never named is left out by the linker; if the schemas are in \
         the library `{krate}`, write `use {krate} as _;` into main.rs; if they are in a module of this program, write \
         its `mod` line",
        package.name
    )
}
