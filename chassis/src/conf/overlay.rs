//! Single values laid over the files: those of the environment and of `--set`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::origin::{Origin, Text};
use super::path::{KeyPath, Step};
use super::problem::Problem;
use super::scalar;
use super::source::CONF_VARIABLE;
use super::tree::{Content, Entry, Node};
use super::yaml;

/// What the environment variables that say something about the configuration start with.
pub(crate) const PREFIX: &str = "CHASSIS__";

/// One value and the key it is for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Said {
    pub path: KeyPath,
    pub node: Node,
}

/// Whether a variable of this name says something about the configuration, or where it is.
pub(crate) fn is_ours(name: &str) -> bool {
    let is_prefix = |prefix: &str| prefix.eq_ignore_ascii_case(PREFIX);
    name == CONF_VARIABLE || name.split_at_checked(PREFIX.len()).is_some_and(|(prefix, _)| is_prefix(prefix))
}

/// What an environment variable says, if it is one of ours: `CHASSIS__HANDLERS__RATE_LIMIT__BURST` sets
/// `handlers.rate-limit.burst`. Upper and lower case mean the same, and so do `_` and `-`.
pub(crate) fn variable(name: &str, value: &str) -> Option<Result<Said, Problem>> {
    let (prefix, keys) = name.split_at_checked(PREFIX.len())?;
    if !prefix.eq_ignore_ascii_case(PREFIX) {
        return None;
    }
    let origin = Origin::Environment(name.into());
    let keys: Vec<String> = keys.split("__").map(|key| key.to_lowercase().replace('_', "-")).collect();
    if keys.iter().any(String::is_empty) {
        let problem = Problem::new(&origin, &KeyPath::root(), "the variable does not name a key");
        return Some(
            Err(problem.with_help("put two underscores between keys: `CHASSIS__LOG__LEVEL` sets `log.level`")),
        );
    }
    Some(said(KeyPath::of_keys(keys), value, &origin))
}

/// The variable that this one was meant to be, if it looks like one of ours and is none: `CHASSIS_TIMEOUT`.
pub(crate) fn meant(name: &str, value: &str) -> Option<String> {
    let stem = &PREFIX[..PREFIX.len() - 1];
    let (prefix, key) = name.split_at_checked(stem.len())?;
    let of_kubernetes = key.starts_with("SERVICE_") || key.starts_with("PORT_") || value.contains("://");
    let is_ours = key.is_empty() || key.starts_with('_') || name == CONF_VARIABLE;
    let looks_like_ours = prefix.eq_ignore_ascii_case(stem) && !is_ours && !of_kubernetes;
    looks_like_ours.then(|| format!("{PREFIX}{key}"))
}

/// What one `--set` says.
pub(crate) fn set(argument: &str) -> Result<Said, Problem> {
    let Some((key, value)) = argument.split_once('=').filter(|(key, value)| is_key(key, value)) else {
        let shown = key(argument);
        let shown = if shown.is_empty() && argument.starts_with('=') { "=" } else { shown };
        let problem = Problem::new(&Origin::Set(shown.into()), &KeyPath::root(), "this does not set a key");
        return Err(problem.with_help("write `--set log.level=debug`"));
    };
    let path = KeyPath::parse(key.trim());
    let origin = Origin::Set(key.trim().into());
    if path.steps().iter().any(|step| matches!(step, Step::Index(_))) {
        let problem = Problem::new(&origin, &path, "one item of a list cannot be set");
        return Err(problem.with_help("give the whole list: `--set key=[a, b]`"));
    }
    said(path, value.trim(), &origin)
}

/// The key that one `--set` is about. What stands behind it may be a secret, whatever separates it.
pub(crate) fn key(argument: &str) -> &str {
    match argument.split_once('=').filter(|(key, value)| is_key(key, value)) {
        Some((key, _)) => key,
        None => {
            let is_of_key = |c: char| c.is_alphanumeric() || "._-*".contains(c);
            &argument[..argument.find(|c| !is_of_key(c)).unwrap_or(argument.len())]
        }
    }
}

/// Whether this sets a key: a colon before nothing but signs separates a secret in Base64, which ends in them, and one
/// before a slash an address, whose query has them.
fn is_key(key: &str, value: &str) -> bool {
    let is_encoded = key.contains(':') && value.trim_matches('=').trim().is_empty();
    let is_address = key.contains(":/") || key.contains('@');
    !key.trim().is_empty() && !is_encoded && !is_address
}

fn said(path: KeyPath, value: &str, origin: &Origin) -> Result<Said, Problem> {
    if value.trim().is_empty() {
        // A variable that a script forgot to fill must not open what a file closed.
        let problem = Problem::new(origin, &path, "nothing is said: the value is empty");
        return Err(problem.with_help("write `null` to take the key back to its default, `''` for empty text"));
    }
    let node = if value.trim_start().starts_with(['[', '{', '"', '\'']) {
        structured(value, &path, origin)?
    } else {
        Node { said: Some(Arc::from(value)), ..Node::new(scalar::resolve(value), origin.clone()) }
    };
    Ok(Said { path, node })
}

/// Reads a value with brackets or quotes as YAML.
fn structured(value: &str, path: &KeyPath, origin: &Origin) -> Result<Node, Problem> {
    let parsed = yaml::parse(&Arc::new(Text::of("", value)), None);
    match (parsed.problems.into_iter().next(), parsed.node) {
        (None, Some(node)) => Ok(from(node, origin)),
        (problem, _) => Err(Problem {
            origin: origin.clone(),
            key: path.to_string(),
            snippet: None,
            ..problem.unwrap_or_else(|| Problem::new(origin, path, "this is not YAML"))
        }),
    }
}

/// The same value, all of it from another origin.
fn from(node: Node, origin: &Origin) -> Node {
    let content = match node.content {
        Content::List(items) => Content::List(items.into_iter().map(|item| from(item, origin)).collect()),
        Content::Map(entries) => {
            let entry =
                |(key, entry): (String, Entry)| (key, Entry { key: origin.clone(), node: from(entry.node, origin) });
            Content::Map(entries.into_iter().map(entry).collect())
        }
        content => content,
    };
    Node { content, origin: origin.clone(), ..node }
}

/// Lays one value over the tree. Answers what is no longer there.
pub(crate) fn lay(root: &mut Node, said: Said) -> Vec<Node> {
    let keys = spelled(root, &said.path);
    let origin = said.node.origin.clone();
    let nested = keys.into_iter().rev().fold(said.node, |node, key| {
        let entries = BTreeMap::from([(key, Entry { key: origin.clone(), node })]);
        Node::new(Content::Map(entries), origin.clone())
    });
    root.merge(nested)
}

/// The keys as files spell them already: the environment cannot say `_`, `-` and upper case apart.
fn spelled(root: &Node, path: &KeyPath) -> Vec<String> {
    let mut node = Some(root);
    let mut keys = Vec::new();
    for step in path.steps() {
        let Step::Key(key) = step else { continue };
        let entries = node.and_then(Node::entries);
        let same = |other: &&String| fold(other) == fold(key);
        let exact = entries.and_then(|entries| entries.get_key_value(key)).map(|(key, _)| key);
        let known = exact.or_else(|| entries.and_then(|entries| entries.keys().find(same)));
        let key = known.unwrap_or(key).clone();
        node = entries.and_then(|entries| entries.get(&key)).map(|entry| &entry.node);
        keys.push(key);
    }
    keys
}

fn fold(key: &str) -> String {
    key.to_lowercase().replace('_', "-")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn check(argument: &str, expected: &Value) {
        let mut root = Node::empty(Origin::Default);
        lay(&mut root, set(argument).unwrap());
        assert_eq!(root.to_json(), *expected, "{argument}");
    }

    fn check_variable(name: &str, value: &str, expected: &Value) {
        let mut root = Node::from_json(json!({"log": {"targets": {"my_crate": "info"}}}), &Origin::Default);
        lay(&mut root, variable(name, value).unwrap().unwrap());
        assert_eq!(root.to_json(), *expected, "{name}");
    }

    fn wrong(argument: &str) -> String {
        set(argument).unwrap_err().to_string()
    }

    #[test]
    fn set_takes_scalars_lists_and_maps() {
        check("a.b=1", &json!({"a": {"b": 1}}));
        check("a=x=y", &json!({"a": "x=y"}));
        check("a=*", &json!({"a": "*"}));
        check("a=[x, 1]", &json!({"a": ["x", 1]}));
        check("a={b: {c: d}}", &json!({"a": {"b": {"c": "d"}}}));
        check("a='1'", &json!({"a": "1"}));
        check("a=${HOME}", &json!({"a": "${HOME}"}));
        check("operations.greeting.hello.timeout=2s", &json!({"operations": {"greeting.hello": {"timeout": "2s"}}}));
    }

    #[test]
    fn set_says_what_it_cannot_take() {
        insta::assert_snapshot!(wrong("a"), @"
        --set a: this does not set a key
          help: write `--set log.level=debug`
        ");
        assert!(wrong("=3").starts_with("--set =: this does not set a key\n"));
        for separated in [
            "redis.secret:hunter2",
            "redis.secret hunter2",
            "redis.secret: hunter2==",
            "redis.secret:h=",
            "redis.secret:redis://u:hunter2@h/?db=1",
        ] {
            assert!(wrong(separated).starts_with("--set redis.secret: this does not set a key\n"), "{separated}");
            assert_eq!(key(separated), "redis.secret");
        }
        insta::assert_snapshot!(wrong("a.b[0]=x"), @"
        --set a.b[0]: a.b[0]: one item of a list cannot be set
          help: give the whole list: `--set key=[a, b]`
        ");
        insta::assert_snapshot!(wrong("a=[x"), @"
        --set a: a: this is not YAML: a `[` before this is not closed
          help: write the `]` that closes it, or a `,` before the next item
        ");
    }

    #[test]
    fn an_empty_value_takes_nothing_back() {
        insta::assert_snapshot!(variable("CHASSIS__ADMIN__LISTEN", "").unwrap().unwrap_err(), @"
        environment CHASSIS__ADMIN__LISTEN: admin.listen: nothing is said: the value is empty
          help: write `null` to take the key back to its default, `''` for empty text
        ");
        assert!(wrong("a=").starts_with("--set a: a: nothing is said"));
        assert!(wrong("a= ").starts_with("--set a: a: nothing is said"));
        check("a=''", &json!({"a": ""}));
        check("a=null", &json!({}));
        check("a=~", &json!({}));
    }

    #[test]
    fn what_stands_around_the_sign_does_not_count() {
        check("a.b = 5/s ", &json!({"a": {"b": "5/s"}}));
    }

    #[test]
    fn variables_are_found_by_their_keys_whatever_their_spelling() {
        let targets = json!({"targets": {"my_crate": "info"}});
        check_variable("CHASSIS__A__B_C", "1", &json!({"log": targets, "a": {"b-c": 1}}));
        check_variable("CHASSIS__LOG__TARGETS__MY_CRATE", "warn", &json!({"log": {"targets": {"my_crate": "warn"}}}));
        check_variable(
            "chassis__log__level",
            "warn",
            &json!({"log": {"targets": {"my_crate": "info"}, "level": "warn"}}),
        );
    }

    #[test]
    fn other_variables_are_none_of_ours() {
        assert_eq!(variable("CHASSIS_CONF", "x"), None);
        assert_eq!(variable("HOME", "x"), None);
        let meant = ["CHASSIS_TIMEOUT", "chassis_log", "CHASSIS_CONF", "CHASSIS__A", "CHASSIS_", "CHASSISX", "HOME"]
            .map(|name| meant(name, "x"));
        assert_eq!(meant[..2], [Some("CHASSIS__TIMEOUT".to_owned()), Some("CHASSIS__log".to_owned())]);
        assert_eq!(meant[2..], [const { None }; 5]);
        // What Kubernetes says about a Service of the name `chassis`.
        assert_eq!(super::meant("CHASSIS_SERVICE_HOST", "10.0.0.1"), None);
        assert_eq!(super::meant("CHASSIS_PORT", "tcp://10.0.0.1:80"), None);
        assert!(variable("CHASSIS__", "x").is_some_and(|said| said.is_err()));
        assert!(variable("CHASSIS__A____B", "x").is_some_and(|said| said.is_err()));
    }

    proptest! {
        #[test]
        fn no_argument_panics(argument: String) {
            if let Ok(said) = set(&argument) {
                lay(&mut Node::empty(Origin::Default), said);
            }
        }

        #[test]
        fn the_last_to_speak_wins(key in "[a-c](\\.[a-c]){0,2}", first in "[a-z0-9]{1,4}", last in "[a-z0-9]{1,4}") {
            let mut root = Node::empty(Origin::Default);
            lay(&mut root, set(&format!("{key}={first}")).unwrap());
            lay(&mut root, set(&format!("{key}={last}")).unwrap());
            let found = root.at(&KeyPath::parse(&key)).and_then(|node| node.said.clone());
            prop_assert_eq!(found.as_deref(), Some(last.as_str()));
        }
    }
}
