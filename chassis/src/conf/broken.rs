//! Which values are wrong, so that what only follows from them is not reported as well.

use std::collections::BTreeSet;

use super::path::{KeyPath, Step};
use super::tree::{Content, Node};

/// The keys of everything that is wrong.
#[derive(Clone, Debug, Default)]
pub(crate) struct Broken(BTreeSet<KeyPath>);

impl Broken {
    pub(crate) fn new(keys: impl IntoIterator<Item = KeyPath>) -> Self {
        Self(keys.into_iter().collect())
    }

    /// Whether nothing is wrong.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether something is wrong with this value, with a part of it, or with what it is a part of.
    pub(crate) fn touches(&self, path: &KeyPath) -> bool {
        self.0.iter().any(|broken| broken.steps().iter().zip(path.steps()).all(|(one, other)| one == other))
    }

    /// Takes out what is wrong, so that the rest can be read. Items of lists stay: their places are counted.
    pub(super) fn prune(&self, root: &mut Node) {
        self.0.iter().filter(|path| matches!(path.steps().last(), Some(Step::Key(_)))).for_each(|path| {
            if let Some(node) = root.at_mut(path) {
                node.content = Content::Null;
            }
        });
    }
}

/// Takes out the innermost key on the way to a value that cannot be read. `false` if there is nothing to take out.
pub(super) fn take_out(root: &mut Node, path: &KeyPath) -> bool {
    let lengths = (1..=path.steps().len()).rev();
    let mut keys =
        lengths.map(|length| path.first(length)).filter(|path| matches!(path.steps().last(), Some(Step::Key(_))));
    let there = keys.find(|key| root.at(key).is_some_and(|node| node.content != Content::Null));
    let Some(node) = there.and_then(|key| root.at_mut(&key)) else { return false };
    node.content = Content::Null;
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_around_and_within_something_wrong_is_touched_by_it() {
        let broken = Broken::new([KeyPath::parse("handlers.auth.jwt")]);
        for (path, touched) in [
            ("handlers.auth", true),
            ("handlers.auth.jwt", true),
            ("handlers.auth.jwt.keys.file", true),
            ("handlers.auth.realm", false),
            ("handlers.cors", false),
            ("chain", false),
        ] {
            assert_eq!(broken.touches(&KeyPath::parse(path)), touched, "{path}");
        }
        assert!(!Broken::default().touches(&KeyPath::root()));
        assert!(Broken::new([KeyPath::root()]).touches(&KeyPath::parse("chain")));
    }
}
