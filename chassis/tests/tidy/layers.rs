//! The layers of chassis, from the top down, and what breaks them.

use std::fs;
use std::path::Path;

use crate::source::Source;

/// What stands on what: a module names only its own line and those below. The same lines are in ARCHITECTURE.md.
const LAYERS: &[&str] = &[
    "prelude app testing cli",
    "telemetry lifecycle admin",
    "handlers protocols",
    "provider wire route chain handler protocol component catalog conf argument answer condition background descriptors memory metrics outbox outgoing redis generated",
    "invocation reply fault operation schema principal trace clock random field lane lock",
];

/// The modules whose children are plug-ins.
const ISLANDS: &[&str] = &["handlers", "protocols"];

pub(crate) fn upward_references(source: &Source) -> Vec<String> {
    let Some(module) = module(source) else { return Vec::new() };
    let Some(from) = layer(&module[0]) else {
        return vec![source.at(1, format!("module `{}` has no layer: give it one in the table", module[0]))];
    };
    let above = |path: &[String]| layer(&path[0]).is_some_and(|to| to < from);
    let offences = targets(source, &module).into_iter().filter(|(_, path)| above(path));
    offences
        .map(|(line, path)| source.at(line, format!("{} names {}, which stands above it", module[0], path.join("::"))))
        .collect()
}

pub(crate) fn bridges_between_islands(source: &Source) -> Vec<String> {
    let Some(module) = module(source) else { return Vec::new() };
    let [sea, island, ..] = module.as_slice() else { return Vec::new() };
    if !ISLANDS.contains(&sea.as_str()) {
        return Vec::new();
    }
    let foreign = |path: &[String]| match path {
        [sea_there, there, ..] => ISLANDS.contains(&sea_there.as_str()) && (sea_there, there) != (sea, island),
        _ => false,
    };
    let offences = targets(source, &module).into_iter().filter(|(_, path)| foreign(path));
    offences.map(|(line, path)| source.at(line, format!("{sea}::{island} names {}", path.join("::")))).collect()
}

/// The layers whose line the text does not show. A repository without the text has nothing to compare.
pub(crate) fn missing_from_the_text(path: &Path) -> Vec<String> {
    let Ok(text) = fs::read_to_string(path) else { return Vec::new() };
    let words = |line: &str| {
        line.split(|c: char| !c.is_alphanumeric() && c != '_')
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let shown: Vec<_> = text.lines().map(words).collect();
    let is_shown =
        |layer: &str| shown.iter().any(|line| layer.split(' ').all(|module| line.iter().any(|word| word == module)));
    LAYERS.iter().filter(|layer| !is_shown(layer)).map(|layer| format!("missing: {layer}")).collect()
}

/// The module path of a production file of chassis, `[]` never: the root has none.
fn module(source: &Source) -> Option<Vec<String>> {
    let path = source.path.strip_prefix("chassis/src/")?.strip_suffix(".rs")?;
    let is_checked = path != "lib" && source.is_production();
    is_checked.then(|| path.split('/').map(str::to_owned).collect())
}

/// What the file names within chassis, from the root of the crate.
fn targets(source: &Source, module: &[String]) -> Vec<(usize, Vec<String>)> {
    source.references().into_iter().filter_map(|(line, path)| Some((line, resolve(&path, module)?))).collect()
}

fn resolve(path: &[String], module: &[String]) -> Option<Vec<String>> {
    let (first, rest) = path.split_first()?;
    let mut absolute = match first.as_str() {
        "crate" | "chassis" => Vec::new(),
        "self" | "super" => module.to_vec(),
        _ => return None,
    };
    let ups = path.iter().take_while(|segment| *segment == "super").count();
    absolute.truncate(absolute.len().saturating_sub(ups));
    absolute.extend(rest.iter().filter(|segment| *segment != "super").cloned());
    (!absolute.is_empty()).then_some(absolute)
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.split(' ').any(|known| known == module))
}

#[cfg(test)]
fn sample(path: &str, text: &str) -> Source {
    Source::parse(path.to_owned(), format!("//! A.\n{text}\n"))
}

#[test]
fn a_reference_upwards_is_found_however_it_is_written() {
    for text in [
        "use crate::app::App;",
        "use crate::{fault, app::App};",
        "fn f() { super::app::run() }",
        "fn f() { g!(crate::app::X) }",
    ] {
        assert_eq!(upward_references(&sample("chassis/src/fault.rs", text)).len(), 1, "{text}");
    }
    assert!(upward_references(&sample("chassis/src/app.rs", "use crate::fault::Fault;")).is_empty());
}

#[test]
fn a_plug_in_may_name_its_own_parts_only() {
    let own = sample("chassis/src/handlers/auth/keys.rs", "use super::token::Token; use crate::handlers::auth::x;");
    assert!(bridges_between_islands(&own).is_empty());
    let other =
        sample("chassis/src/handlers/auth/keys.rs", "use crate::handlers::cors::Cors; use super::super::limit::L;");
    assert_eq!(bridges_between_islands(&other).len(), 2);
}
