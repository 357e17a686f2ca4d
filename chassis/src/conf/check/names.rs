//! Names that refer to something else in the configuration or in the program.

use serde::de::DeserializeOwned;

use crate::conf::build::BuildError;
use crate::conf::origin::Origin;
use crate::conf::path::{KeyPath, Step};
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
    /// What was probably meant by a key that means none of them.
    fn like(self, key: &str) -> String {
        let halves = self.operations.iter().filter_map(|id| id.split_once('.'));
        let patterns: Vec<_> =
            halves.flat_map(|(schema, method)| [format!("{schema}.*"), format!("*.{method}")]).collect();
        match suggest::closest(key, patterns.iter().map(String::as_str)).filter(|_| key.contains('*')) {
            Some(pattern) => format!("did you mean `{pattern}`?"),
            None => suggest::among(key, self.operations.iter().copied(), "the operations are"),
        }
    }

    /// What is wrong with a pattern that matches none of them. What is no pattern is left to others.
    fn stranger(self, at: String, text: &str) -> Option<BuildError> {
        Pattern::parse(text).filter(|pattern| !self.matches(pattern))?;
        let what = if text.contains('*') { "matches no operation" } else { "is no operation" };
        Some(BuildError::new(at, format!("`{text}` {what}")).with_help(self.like(text)))
    }

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
            errors.retain(|error| !is_misspelt(root, error, &chains, is_handler));
        }
        problems.extend(errors.into_iter().map(|error| edited(root, &error.below("chain"))));
        problems.extend(overrides(root, &chains, known).iter().map(|error| placed(root, error)));
    }
    if let Some(drain) = read::<Drain>(root, "drain") {
        problems.extend(drain.fits().err().map(|error| placed(root, &error.below("drain"))));
    }
    problems
}

/// Whether what an edit does not find may be what is misspelt: that is reported at its own place.
fn is_misspelt(root: &Node, error: &BuildError, chains: &Chains, is_handler: &dyn Fn(&str) -> bool) -> bool {
    if error.at.ends_with(".extends") {
        return false;
    }
    let sought = root.at(&KeyPath::root().key("chain").join(&KeyPath::parse(&error.at)));
    let is_known = |node: &Node| !matches!(&node.content, Content::Text(name) if !is_handler(name));
    !chains.listed().all(is_handler) || !sought.is_none_or(is_known)
}

/// An edit that cannot be made, and where the chain is written that it would be made to.
fn edited(root: &Node, error: &BuildError) -> Problem {
    let path = KeyPath::parse(&error.at);
    let problem = placed(root, error);
    let name = root.at(&path.first(3).key("extends")).map(|node| &node.content);
    let (Some(Content::Text(name)), false) = (name, error.at.ends_with(".extends")) else { return problem };
    let extended = path.first(2).key(name);
    let origin = root.nearest(&extended);
    if root.at(&extended).is_none() || *origin == Origin::Default || !problem.message.contains("is not in the chain") {
        return problem;
    }
    Problem { message: format!("{} ({origin})", problem.message), ..problem }
}

fn read<T: DeserializeOwned + Default>(root: &Node, key: &str) -> Option<T> {
    match root.at(&KeyPath::root().key(key)) {
        Some(node) if node.content != Content::Null => serde_json::from_value(node.to_json()).ok(),
        _ => Some(T::default()),
    }
}

fn placed(root: &Node, error: &BuildError) -> Problem {
    let path = KeyPath::parse(&error.at);
    Problem::new(root.nearest(&path), &path, error.message.clone()).helped(error.help.clone())
}

/// What `operations` names that is not there.
fn overrides(root: &Node, chains: &Chains, known: Known<'_>) -> Vec<BuildError> {
    let mut errors = Vec::new();
    let entries = root.at(&KeyPath::parse("operations")).and_then(Node::entries);
    for (key, entry) in entries.into_iter().flatten() {
        let at = KeyPath::root().key("operations").key(key).to_string();
        errors.extend(known.stranger(at.clone(), key));
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

/// What these lists and maps name that is not there: only idle, because services may share what they say, but wrong
/// where nothing else is named by the condition of a handler, which would run for no call without a word.
pub(super) fn patterns(root: &Node, places: &[KeyPath], known: Known<'_>) -> (Vec<Problem>, Vec<Problem>) {
    let (mut wrong, mut idle) = (Vec::new(), Vec::new());
    for place in places {
        let named = root.at(place).map(|node| named(place, node)).unwrap_or_default();
        let strangers = named.iter().filter_map(|(at, origin, text)| {
            let BuildError { message, help, .. } = known.stranger(String::new(), text)?;
            Some(Problem::new(origin, at, message).helped(help))
        });
        let strangers: Vec<_> = strangers.collect();
        let takes_away = strangers.len() == named.len() && is_in_terms(place);
        if takes_away { wrong.extend(strangers) } else { idle.extend(strangers) }
    }
    (wrong, idle)
}

/// Whether this is part of what says on which calls a handler runs.
fn is_in_terms(place: &KeyPath) -> bool {
    let is = |step: Option<&Step>, name: &str| matches!(step, Some(Step::Key(key)) if key == name);
    let steps = place.steps();
    let of_all = is(steps.first(), "handlers") && is(steps.get(2), "when");
    of_all || (is(steps.first(), "operations") && is(steps.get(4), "when"))
}

/// The patterns that a list has or a map is keyed by, each with its key and where it is written.
fn named<'a>(at: &KeyPath, node: &'a Node) -> Vec<(KeyPath, &'a Origin, &'a str)> {
    match &node.content {
        Content::List(items) => {
            let texts = items.iter().enumerate().filter_map(|(index, item)| match &item.content {
                Content::Text(text) => Some((at.index(index), &item.origin, text.as_str())),
                _ => None,
            });
            texts.collect()
        }
        Content::Map(entries) => {
            let said = entries.iter().filter(|(_, entry)| entry.node.content != Content::Null);
            said.map(|(key, entry)| (at.key(key), &entry.key, key.as_str())).collect()
        }
        _ => Vec::new(),
    }
}
