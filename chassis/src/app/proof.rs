//! Proves that a chain fits the operation it stands before: who is needed is there, in the order that is needed.

use crate::catalog::{Catalog, HandlerEntry, Place};
use crate::conf::BuildError;
use crate::handler::fact;
use crate::operation::{Access, Operation};

/// Everything that is wrong with where the steps of a chain stand, and with which step.
pub(crate) fn places(chain: &str, steps: &[&HandlerEntry]) -> Vec<(usize, BuildError)> {
    each(steps, |step, before, after| {
        let found = repeated(chain, step, before).into_iter();
        found.chain(misplaced(chain, step, before, after)).chain(unasked(chain, step, before)).collect()
    })
}

/// Everything that a step of a chain requires, whatever operation it stands before, and does not get; with the step.
pub(crate) fn order(chain: &str, steps: &[&HandlerEntry], catalog: &Catalog) -> Vec<(usize, BuildError)> {
    each(steps, |step, before, after| {
        let unprovided = |fact: &&'static str| unprovided(chain, step, fact, before, after, catalog);
        step.requires.iter().filter_map(unprovided).collect()
    })
}

/// What is wrong with each step, given those before and after it.
fn each(
    steps: &[&HandlerEntry],
    wrong: impl Fn(&HandlerEntry, &[&HandlerEntry], &[&HandlerEntry]) -> Vec<BuildError>,
) -> Vec<(usize, BuildError)> {
    let mut errors = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        let found = wrong(step, &steps[..at], &steps[at + 1..]);
        errors.extend(found.into_iter().map(|error| (at, error)));
    }
    errors
}

/// Everything an operation needs from its chain and does not get.
///
/// A handler on which nobody can rely, for what `weak` says, provides nothing.
pub(crate) fn fit(
    chain: &str,
    steps: &[&HandlerEntry],
    operation: &Operation,
    catalog: &Catalog,
    weak: &dyn Fn(&HandlerEntry) -> Option<String>,
) -> Vec<BuildError> {
    let provided = |fact: &str| steps.iter().any(|step| step.provides.contains(&fact) && weak(step).is_none());
    let help = |fact: &str| {
        let weakened = steps.iter().filter(|step| step.provides.contains(&fact));
        let weakened = weakened.filter_map(|step| Some((step.head.name, weak(step)?))).next();
        match weakened {
            Some((name, why)) => format!("`{name}` is listed, but nobody can rely on it because of {why}: remove that"),
            None => listing(fact, chain, catalog),
        }
    };
    let mut errors = Vec::new();
    if operation.access != Access::Public && !provided(fact::ACCESS) {
        let message = format!(
            "nothing in chain `{chain}` enforces the access of `{}`, which is `{}` ({})",
            operation.id, operation.access, operation.location
        );
        errors.push(BuildError::new("", message).with_help(help(fact::ACCESS)));
    }
    let needs =
        operation.arguments.iter().flat_map(|argument| argument.requires.iter().map(move |fact| (argument, fact)));
    for (argument, fact) in needs.filter(|(_, fact)| !provided(fact)) {
        let message = format!(
            "`{}` takes `{}: {}`, and nothing in chain `{chain}` provides `{fact}` ({})",
            operation.id, argument.name, argument.ty, operation.location
        );
        errors.push(BuildError::new("", message).with_help(help(fact)));
    }
    errors
}

/// Everything the handler at a place of the chain requires for its configuration and does not get: facts, and the keys
/// that ask for them.
///
/// A handler that may let calls pass without acting on them, for what `idle` says, provides nothing.
pub(crate) fn configured(
    chain: &str,
    steps: &[&HandlerEntry],
    at: usize,
    (requires, idle): (&[(&'static str, &str)], &dyn Fn(&HandlerEntry) -> Option<&'static str>),
    catalog: &Catalog,
) -> Vec<BuildError> {
    let (before, name) = (&steps[..at], steps[at].head.name);
    let provides = |fact| move |step: &&&HandlerEntry| step.provides.contains(&fact);
    let is_met = |fact| before.iter().any(|step| provides(fact)(&step) && idle(step).is_none());
    let unmet = requires.iter().filter(|(fact, _)| !is_met(*fact));
    let error = |(fact, key): &(&'static str, &str)| {
        let message =
            format!("`{name}` needs `{fact}` for this, and nothing before it in chain `{chain}` provides that");
        if let Some((step, why)) =
            before.iter().filter(|step| provides(*fact)(step)).find_map(|step| Some((step, idle(step)?)))
        {
            let message = format!("{message} on every call: `{}` has `{why}`", step.head.name);
            return BuildError::new(*key, message).with_help("remove that, or write another value here");
        }
        let help = match steps.iter().find(provides(*fact)) {
            Some(later) => format!("move `{name}` behind `{}` in chain.provider.{chain}", later.head.name),
            None => format!("{}, before `{name}`", listing(fact, chain, catalog)),
        };
        BuildError::new(*key, message).with_help(format!("{help}, or write another value here"))
    };
    unmet.map(error).collect()
}

fn repeated(chain: &str, step: &HandlerEntry, before: &[&HandlerEntry]) -> Option<BuildError> {
    let name = step.head.name;
    let twice = !step.repeatable && before.iter().any(|other| other.head.name == name);
    twice.then(|| {
        BuildError::new("", format!("chain `{chain}` lists `{name}` twice, and it has no effect a second time"))
            .with_help(format!("remove one of the two `{name}`"))
    })
}

fn unprovided(
    chain: &str,
    step: &HandlerEntry,
    fact: &str,
    before: &[&HandlerEntry],
    after: &[&HandlerEntry],
    catalog: &Catalog,
) -> Option<BuildError> {
    let provides = |other: &&&HandlerEntry| other.provides.contains(&fact);
    if before.iter().any(|other| provides(&other)) {
        return None;
    }
    let name = step.head.name;
    let message = format!("`{name}` in chain `{chain}` needs `{fact}`, and nothing before it provides that");
    let help = match after.iter().find(provides) {
        Some(later) => format!("move `{}` before `{name}`", later.head.name),
        None => listing(fact, chain, catalog),
    };
    Some(BuildError::new("", message).with_help(help))
}

fn misplaced(
    chain: &str,
    step: &HandlerEntry,
    before: &[&HandlerEntry],
    after: &[&HandlerEntry],
) -> Option<BuildError> {
    let (names, wrong, word) = match step.place {
        Place::Any => return None,
        Place::Before(names) => (names, before, "before"),
        Place::After(names) => (names, after, "after"),
    };
    let name = step.head.name;
    let others: Vec<_> = wrong.iter().map(|other| other.head.name).filter(|other| names.contains(other)).collect();
    let (furthest, why) = match step.place {
        Place::After(_) if step.wraps => (others.last()?, ": it may answer without asking those behind it"),
        Place::After(_) => (others.last()?, ""),
        Place::Before(_) | Place::Any => (others.first()?, ""),
    };
    let message = format!("`{name}` must stand {word} `{}` in chain `{chain}`{why}", others.join("`, `"));
    Some(BuildError::new("", message).with_help(format!("move `{name}` {word} `{furthest}`")))
}

/// A preflight that is refused before it is answered keeps every page from calling.
fn unasked(chain: &str, step: &HandlerEntry, before: &[&HandlerEntry]) -> Option<BuildError> {
    let enforcing = before.iter().find(|other| step.preflight && other.provides.contains(&fact::ACCESS))?;
    let (name, other) = (step.head.name, enforcing.head.name);
    let message = format!(
        "`{name}` answers preflights, and `{other}` before it in chain `{chain}` lets none through: browsers send no \
         credentials with them"
    );
    Some(BuildError::new("", message).with_help(format!("move `{name}` before `{other}`")))
}

fn listing(fact: &str, chain: &str, catalog: &Catalog) -> String {
    let providers = catalog.handlers.iter().filter(|entry| entry.provides.contains(&fact));
    let names: Vec<String> = providers.map(|entry| format!("`{}`", entry.head.name)).collect();
    match names.as_slice() {
        [] => format!("link in a handler that provides `{fact}`"),
        names => format!("list {} in chain.provider.{chain}", names.join(" or ")),
    }
}
