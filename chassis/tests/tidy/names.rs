//! What files, modules and types may not be called, and what may stand at the top of the repository.

use std::fs;
use std::path::Path;

use crate::facts::Function;
use crate::source::Source;

const EMPTY_WORDS: &[&str] = &[
    "util", "utils", "helper", "helpers", "common", "misc", "base", "core", "manager", "data", "info", "impl",
    "internal", "types",
];

const TOP: &[&str] = &[
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "chassis",
    "conf",
    "macros",
    "services",
    "target",
];

pub(crate) fn empty_words(source: &Source) -> Vec<String> {
    let parts = source.path.trim_end_matches(".rs").split('/').filter(|part| says_nothing(part));
    let mut offences: Vec<_> = parts.map(|part| source.at(1, format!("the file or folder `{part}`"))).collect();
    let empty = source.facts.types.iter().filter(|(_, name)| says_nothing(name));
    offences.extend(empty.map(|(line, name)| source.at(*line, format!("`{name}`"))));
    offences
}

pub(crate) fn mod_files(source: &Source) -> Vec<String> {
    if source.path.ends_with("/mod.rs") { vec![source.path.clone()] } else { Vec::new() }
}

pub(crate) fn prefixed_accessors(source: &Source) -> Vec<String> {
    // `get_mut` is the standard library's word for the exclusive form of `get`.
    let is_prefixed =
        |function: &&Function| function.named_here && function.name.starts_with("get_") && function.name != "get_mut";
    let offences = source.facts.functions.iter().filter(is_prefixed);
    offences.map(|function| source.at(function.line, format!("`{}`", function.name))).collect()
}

pub(crate) fn strangers_at_the_top(root: &Path) -> Vec<String> {
    let names = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().file_name().to_str().unwrap().to_owned());
    names.filter(|name| !name.starts_with('.') && !TOP.contains(&name.as_str())).collect()
}

/// Whether one of the words a name is made of fits everything.
fn says_nothing(name: &str) -> bool {
    words(name).iter().any(|word| EMPTY_WORDS.contains(&word.as_str()))
}

/// `FooBar`, `foo_bar` and `foo-bar` are made of `foo` and `bar`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in name.chars() {
        if (c.is_uppercase() || !c.is_alphanumeric()) && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if let (true, Some(word)) = (c.is_alphanumeric(), words.last_mut()) {
            word.extend(c.to_lowercase());
        }
    }
    words
}

#[test]
fn a_word_is_found_inside_a_name_and_only_as_a_whole() {
    assert!(says_nothing("ChainManager") && says_nothing("http_util") && says_nothing("data"));
    assert!(!says_nothing("Database") && !says_nothing("Implied") && !says_nothing("multicore"));
}
