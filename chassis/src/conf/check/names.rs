//! Names that refer to something else in the configuration or in the program.

use serde::de::DeserializeOwned;

use crate::conf::build::BuildError;
use crate::conf::path::KeyPath;
use crate::conf::problem::Problem;
use crate::conf::root::{Chains, DEFAULT, Drain, Pattern, UNMATCHED};
use crate::conf::suggest;
use crate::conf::tree::{Content, Node};

/// What patterns of operations can mean.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// The ids of the operations there are.
    pub operations: &'a [&'a str],
    /// The schemas whose operations are not known before the service runs.
    pub later: &'a [&'a str],
}

impl Known<'_> {
    fn matches(self, pattern: &Pattern) -> bool {
        self.operations.iter().any(|id| pattern.matches(id)) || self.later.iter().any(|name| pattern.is_about(name))
    }
}

/// Checks chains, operation patterns and what must fit together. What cannot be read is left to the walk.
pub(super) fn check(root: &Node, known: Known<'_>, is_handler: &dyn Fn(&str) -> bool) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let Some(chains) = read::<Chains>(root, "chain") {
        let (_, mut errors) = chains.written();
        if !chains.handlers().all(is_handler) {
            // What an edit does not find may be what is misspelt, and that is reported at its own place.
            errors.retain(|error| error.at.ends_with(".extends"));
        }
        problems.extend(errors.into_iter().map(|error| placed(root, &error.below("chain"))));
        problems.extend(overrides(root, &chains, known).iter().map(|error| placed(root, error)));
    }
    if let Some(drain) = read::<Drain>(root, "drain") {
        problems.extend(drain.fits().err().map(|error| placed(root, &error.below("drain"))));
    }
    problems
}

fn read<T: DeserializeOwned + Default>(root: &Node, key: &str) -> Option<T> {
    match root.at(&KeyPath::root().key(key)) {
        Some(node) if node.content != Content::Null => serde_json::from_value(node.to_json()).ok(),
        _ => Some(T::default()),
    }
}

fn placed(root: &Node, error: &BuildError) -> Problem {
    let path = KeyPath::parse(&error.at);
    Problem { help: error.help.clone(), ..Problem::new(root.nearest(&path), &path, error.message.clone()) }
}

/// What `operations` names that is not there.
fn overrides(root: &Node, chains: &Chains, known: Known<'_>) -> Vec<BuildError> {
    let mut errors = Vec::new();
    let entries = root.at(&KeyPath::parse("operations")).and_then(Node::entries);
    for (key, entry) in entries.into_iter().flatten() {
        let at = KeyPath::root().key("operations").key(key).to_string();
        let pattern = Pattern::parse(key);
        if pattern.is_some_and(|pattern| !known.matches(&pattern)) {
            let what = if key.contains('*') { "matches no operation" } else { "is no operation" };
            let help = suggest::among(key, known.operations.iter().copied(), "the operations are");
            errors.push(BuildError::new(at.clone(), format!("`{key}` {what}")).with_help(help));
        }
        let chain = entry.node.at(&KeyPath::parse("chain")).map(|node| &node.content);
        if let Some(Content::Text(chain)) = chain
            && !chains.provider.contains_key(chain)
            && chain != DEFAULT
            && chain != UNMATCHED
        {
            let known = chains.provider.keys().map(String::as_str).chain([DEFAULT]);
            let help = suggest::among(chain, known, "the chains are");
            errors.push(BuildError::new(format!("{at}.chain"), format!("there is no chain `{chain}`")).with_help(help));
        }
    }
    errors
}
