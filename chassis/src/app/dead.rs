//! Finds configuration that nothing ever reads and operations that nobody can call: likely a mistake, never a fault.

use super::later::Later;
use super::plan::Planned;
use crate::conf::path::KeyPath;
use crate::conf::root::{ChainConf, DEFAULT, Pattern, UNMATCHED};
use crate::conf::tree::Node;
use crate::conf::{Conf, Problem};

/// What has no effect, each with its place.
pub(super) fn warnings(conf: &Conf, operations: &[Planned], later: &[Later]) -> Vec<String> {
    let chains = chains(conf, operations, later);
    let handlers = conf.root.operations.keys().flat_map(|pattern| handlers(conf, pattern, operations));
    let stray = conf.document.stray.iter().map(|(name, meant)| {
        format!("environment {name} has no effect: two underscores stand before each key, as in `{meant}`")
    });
    let idle = conf.document.idle.iter().map(Problem::in_a_line);
    let dead = chains.into_iter().chain(unlisted(conf)).chain(handlers).chain(idle);
    dead.chain(unserved(conf, operations)).chain(stray).collect()
}

/// The chains that no operation passes and no other chain extends.
fn chains(conf: &Conf, operations: &[Planned], later: &[Later]) -> Vec<String> {
    let provider = &conf.root.chain.provider;
    let extended =
        |name: &str| provider.values().any(|chain| matches!(chain, ChainConf::Edit(edit) if edit.extends == name));
    let passed = |name: &str| operations.iter().any(|planned| &*planned.chain.name == name);
    let idle = provider.keys().filter(|name| ![DEFAULT, UNMATCHED].contains(&name.as_str()));
    let awaited = |name: &str| {
        let about = |pattern: &str| {
            Pattern::parse(pattern).is_some_and(|one| later.iter().any(|later| one.is_about(&later.name)))
        };
        conf.root.operations.iter().any(|(pattern, said)| said.chain.as_deref() == Some(name) && about(pattern))
    };
    let idle = idle.filter(|name| !extended(name) && !passed(name) && !awaited(name));
    idle.map(|name| {
        let place = place(conf, &KeyPath::root().key("chain").key("provider").key(name));
        format!("chain `{name}`{place} is passed by no operation: name it under `operations`, or remove it")
    })
    .collect()
}

/// The handlers that are configured and stand in no chain. The reference of all keys configures every one.
fn unlisted(conf: &Conf) -> Vec<String> {
    let path = KeyPath::root().key("handlers");
    let said = conf.document.root.at(&path).and_then(Node::entries).into_iter().flatten();
    let listed = |handler: &String| conf.chains.values().any(|chain| chain.contains(handler));
    let idle = said.filter(|(handler, entry)| entry.node.is_said() && !listed(handler)).map(|(handler, _)| handler);
    idle.map(|handler| {
        let key = path.key(handler);
        let place = place(conf, &key);
        format!("{key}{place} has no effect: list `{handler}` in a chain, or remove what is said about it")
    })
    .collect()
}

/// The handlers configured for operations none of whose chains lists them.
fn handlers(conf: &Conf, pattern: &str, operations: &[Planned]) -> Vec<String> {
    let path = KeyPath::root().key("operations").key(pattern).key("handlers");
    let meant = |planned: &&Planned| conf.settled(&planned.operation.id).patterns.iter().any(|one| one == pattern);
    let meant: Vec<&Planned> = operations.iter().filter(meant).collect();
    let listed =
        |handler: &str| meant.iter().any(|planned| planned.chain.steps.iter().any(|step| &*step.name == handler));
    let said = conf.document.root.at(&path).and_then(Node::entries).into_iter().flatten();
    let idle = said.map(|(handler, _)| handler).filter(|handler| !meant.is_empty() && !listed(handler));
    idle.map(|handler| {
        let key = path.key(handler);
        let place = place(conf, &key);
        format!("{key}{place} has no effect: no chain of these operations lists `{handler}`")
    })
    .collect()
}

/// The operations whose schema no listener serves.
fn unserved(conf: &Conf, operations: &[Planned]) -> Vec<String> {
    let served = |schema: &str| conf.listeners.iter().any(|listener| conf.listeners.serves(listener, schema));
    let mut schemas: Vec<&str> = operations.iter().map(|planned| &*planned.operation.schema).collect();
    schemas.sort_unstable();
    schemas.dedup();
    let idle = schemas.into_iter().filter(|schema| !served(schema));
    idle.map(|schema| {
        format!("no listener serves the operations of `{schema}`: list it under `schemas` of one, or let one list none")
    })
    .collect()
}

fn place(conf: &Conf, path: &KeyPath) -> String {
    format!(" ({})", conf.document.root.nearest(path))
}
