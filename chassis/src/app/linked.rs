//! What must be linked in, and what to do when it is not.

use std::collections::BTreeMap;

use super::error::StartError;
use crate::catalog::{Catalog, Head};
use crate::cli::Package;
use crate::conf::Conf;
use crate::conf::{Composed, Document, Kind, Part, Sources};
use crate::operation::Operation;

/// Refuses a service that serves nothing.
pub(super) fn something(package: Package, catalog: &Catalog, operations: &[Operation]) -> Result<(), StartError> {
    match operations.is_empty() && catalog.schemas.is_empty() {
        true => Err(StartError::Linked(vec![nothing(package)])),
        false => Ok(()),
    }
}

/// Refuses two operations of one id.
pub(super) fn distinct(operations: &[Operation]) -> Result<(), StartError> {
    let mut seen = BTreeMap::new();
    let twice = operations.iter().filter_map(|operation| Some((seen.insert(&operation.id, operation)?, operation)));
    let problems: Vec<String> = twice.map(|(first, second)| shared_id(first, second)).collect();
    if problems.is_empty() { Ok(()) } else { Err(StartError::Linked(problems)) }
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
pub(super) fn configuration(
    catalog: &Catalog,
    operations: &[Operation],
    sources: &Sources,
) -> Result<Conf, StartError> {
    let ids: Vec<&str> = operations.iter().map(|operation| operation.id.as_str()).collect();
    let document = Document::load(sources).map_err(StartError::Conf)?;
    let composed = Composed::new(&parts(catalog)).with_schemas(operations.iter().map(|operation| &*operation.schema));
    document.check(composed, &ids, &sources.disk()).map_err(StartError::Conf)
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
         help: if the schemas are in a module of this program, write its `mod` line into main.rs\n  \
         help: if they are in a library, such as `{krate}`, write `use {krate} as _;` into main.rs: the linker leaves \
         out a crate that is listed in Cargo.toml and never named",
        package.name
    )
}
