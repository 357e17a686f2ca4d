//! Configuration of handlers that no call passes: it is read all the same, so that what is wrong with it is said before
//! somebody lists them.

use std::collections::BTreeMap;

use super::plan::chain_name;
use crate::catalog::{Catalog, HandlerEntry};
use crate::conf::root::UNMATCHED;
use crate::conf::{BuildError, Conf, Problem, Section};
use crate::operation::Operation;

/// What is wrong with what is said about handlers where no chain that is passed lists them, as far as their types say.
pub(super) fn problems(
    conf: &Conf,
    catalog: &Catalog,
    operations: &[Operation],
    chains: &BTreeMap<String, Vec<&'static HandlerEntry>>,
) -> Vec<Problem> {
    let lists = |chain: &str, name: &str| chains.get(chain).into_iter().flatten().any(|entry| entry.head.name == name);
    let mut problems = Vec::new();
    for entry in &catalog.handlers {
        let name = entry.head.name;
        let (users, others): (Vec<_>, Vec<_>) =
            operations.iter().partition(|operation| lists(chain_name(operation), name));
        let shared = users.is_empty() && !lists(UNMATCHED, name);
        let own = others.iter().map(|operation| conf.handler_for(name, &operation.id));
        let sections = own.filter(|section| section.scope().is_some());
        let sections = shared.then(|| conf.handler(name)).into_iter().chain(sections);
        for section in sections.filter(|section| section.is_said() && !section.is_broken()) {
            problems.extend(unread(entry, &section).err().map(|error| section.problem(&error)));
        }
    }
    problems
}

fn unread(entry: &HandlerEntry, section: &Section<'_>) -> Result<(), BuildError> {
    (entry.accepts)(section.value())?;
    let when = section.terms()?.when;
    when.map_or(Ok(()), |when| when.build().map(drop).map_err(|error| error.below("when")))
}
