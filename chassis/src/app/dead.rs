//! Finds configuration that nothing ever reads and operations that nobody can call: likely a mistake, never a fault.

use super::later::Later;
use super::plan::Planned;
use crate::conf::path::KeyPath;
use crate::conf::root::{ChainConf, DEFAULT, Pattern, UNMATCHED};
use crate::conf::tree::Node;
use crate::conf::{Conf, Problem};

/// The handler that records spans.
const RECORDER: &str = "tracing";

/// What has no effect, each with its place.
pub(super) fn warnings(conf: &Conf, operations: &[Planned], later: &[Later]) -> Vec<String> {
    let chains = chains(conf, operations, later);
    let handlers = conf.root.operations.keys().flat_map(|pattern| handlers(conf, pattern, operations));
    let stray = conf.document.stray.iter().map(|(name, meant)| {
        format!("environment {name} has no effect: two underscores stand before each key, as in `{meant}`")
    });
    let idle = conf.document.idle.iter().map(Problem::in_a_line);
    let dead = chains.into_iter().chain(unlisted(conf)).chain(handlers).chain(idle);
    dead.chain(unserved(conf, operations)).chain(unsent(conf)).chain(unrecorded(conf)).chain(stray).collect()
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

/// What is said of spans that are recorded to be sent, where none are.
fn unsent(conf: &Conf) -> Vec<String> {
    // One that no chain lists is warned of as a whole.
    if sends_spans(conf) || !is_recorded(conf) {
        return Vec::new();
    }
    let help = match &conf.root.telemetry.otlp {
        Some(_) => "write `traces: { enabled: true }` in `telemetry.otlp`",
        None => "say where to in `telemetry.otlp`",
    };
    let handlers = KeyPath::root().key("handlers");
    let patterns = conf.root.operations.keys();
    let patterns = patterns.map(|pattern| KeyPath::root().key("operations").key(pattern).key("handlers"));
    let keys = [handlers].into_iter().chain(patterns).map(|handlers| handlers.key(RECORDER).key("always"));
    let idle = keys.filter(|key| conf.document.root.at(key).is_some_and(Node::is_said));
    idle.map(|key| {
        let place = place(conf, &key);
        format!("{key}{place} has no effect: no spans are sent; {help}")
    })
    .collect()
}

/// That spans are to be sent of calls that nobody records.
fn unrecorded(conf: &Conf) -> Option<String> {
    let key = KeyPath::root().key("telemetry").key("otlp").key("traces");
    (sends_spans(conf) && !is_recorded(conf)).then(|| {
        let place = place(conf, &key);
        format!(
            "{key}{place} has no effect: spans are to be sent, and no chain lists `{RECORDER}`; list it, or write \
             `traces: {{ enabled: false }}`"
        )
    })
}

fn is_recorded(conf: &Conf) -> bool {
    conf.chains.values().flatten().any(|handler| handler == RECORDER)
}

fn sends_spans(conf: &Conf) -> bool {
    conf.root.telemetry.otlp.as_ref().is_some_and(|otlp| otlp.traces.enabled)
}

fn place(conf: &Conf, path: &KeyPath) -> String {
    format!(" ({})", conf.document.root.nearest(path))
}
