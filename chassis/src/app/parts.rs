//! Tries what configuration says about parts that are made at the start: what they would refuse then is said before.

use serde_json::Value;

use super::instances::Tools;
use super::later::Later;
use super::proven::Given;
use crate::catalog::{Catalog, SchemaEntry};
use crate::conf::source::Resource;
use crate::conf::{BuildContext, BuildError, Conf, Problem, Section, Warnings};
use crate::protocol::Listener;
use crate::schema::Mounted;
use crate::telemetry::{self, Exporting};

/// The listeners, not yet listening, with their names.
///
/// # Errors
/// What is wrong with their configuration.
pub(super) fn listeners(given: Given<'_>, tools: &Tools) -> Result<Vec<(String, Box<dyn Listener>)>, Vec<Problem>> {
    let Given { catalog, conf, listeners: names, .. } = given;
    let context = tools.context(None);
    let (mut listeners, mut problems) = (Vec::new(), Vec::new());
    for name in names {
        let opened = conf.listeners.iter().find(|opened| opened.name == *name);
        let entry = opened.and_then(|opened| catalog.protocol(&opened.protocol));
        let section = conf.listener(name);
        let Some(entry) = entry.filter(|_| !section.is_broken()) else { continue };
        match (entry.build)(section.value(), &context) {
            Ok(listener) => listeners.push((name.clone(), listener)),
            Err(error) => problems.push(section.problem(&error)),
        }
    }
    if problems.is_empty() { Ok(listeners) } else { Err(problems) }
}

/// Who sends what the process records.
///
/// # Errors
/// What is wrong with what `telemetry` says.
pub(super) fn exporting(conf: &Conf, resource: &Resource, tools: &Tools) -> Result<Exporting, Problem> {
    let warnings = Warnings::default();
    let context = BuildContext { warnings: &warnings, ..tools.context(None) };
    let exporting = telemetry::export(&conf.root, resource, &context);
    let placed = |error: &BuildError| conf.problem("telemetry", error);
    warnings.all().iter().for_each(|warning| tools.warnings.warn(placed(warning).in_a_line()));
    exporting.map_err(|error| placed(&error))
}

/// The schemas that have no instance mounted by hand.
pub(super) fn linked_schemas(catalog: &Catalog, mounted: &[Mounted]) -> impl Iterator<Item = &'static SchemaEntry> {
    let by_hand = |name: &str| mounted.iter().any(|mounted| mounted.operation.schema == name);
    catalog.schemas.iter().copied().filter(move |entry| !by_hand(entry.head.name))
}

/// What components and schemas could not be made with.
pub(super) fn refused(given: Given<'_>, mounted: &[Mounted], later: &[Later]) -> Vec<Problem> {
    let Given { catalog, conf, .. } = given;
    let components = catalog.components.iter();
    let components = components.filter_map(|entry| unaccepted(&conf.component(entry.head.name), entry.accepts));
    let schemas = linked_schemas(catalog, mounted);
    let schemas = schemas.filter_map(|entry| unaccepted(&conf.schema(entry.head.name), entry.accepts));
    components.chain(schemas).chain(later.iter().filter_map(|later| later.refused(conf))).collect()
}

fn unaccepted(section: &Section<'_>, accepts: fn(Value) -> Result<(), BuildError>) -> Option<Problem> {
    let outcome = if section.is_broken() { Ok(()) } else { accepts(section.value()) };
    outcome.err().map(|error| section.problem(&error))
}
