//! Which of several alternatives is meant: what makes `anyOf` and `oneOf` give one clear message.

use std::collections::BTreeMap;

use serde_json::Value;

use super::scalar;
use super::secrets;
use super::shape::Shape;
use super::walk::{Finding, Spot, Walk, Weight};
use super::wording;
use crate::conf::suggest;
use crate::conf::tree::{Content, Entry};

/// The alternative that fits, or the one that was probably meant. `None` if that cannot be told; it is reported then.
pub(super) fn choose<'a>(walk: &mut Walk<'a>, spot: Spot<'_>, alternatives: &'a [Value]) -> Option<&'a Value> {
    // What is not there is never checked, so "or nothing" is no alternative here.
    let nothing = |schema: &&Value| walk.composed.follow(schema).get("type").is_some_and(|kind| kind == "null");
    let alternatives: Vec<_> = match alternatives.iter().filter(|schema| !nothing(schema)).collect::<Vec<_>>() {
        none if none.is_empty() => alternatives.iter().collect(),
        some => some,
    };
    if let [only] = alternatives.as_slice() {
        return Some(only);
    }
    if let Some(outcome) = by_tag(walk, spot, &alternatives) {
        return outcome;
    }
    let mut tried: Vec<_> = alternatives.iter().map(|schema| (walk.trial(spot, schema), *schema)).collect();
    if let Some((_, schema)) = tried.iter().find(|(findings, _)| findings.is_empty()) {
        return Some(schema);
    }
    if by_key(walk, spot, &alternatives) || by_word(walk, spot, &alternatives) {
        return None;
    }
    let depth = spot.path.steps().len();
    tried.sort_by_key(|(findings, _)| findings.iter().map(|finding| cost(finding, depth)).sum::<u64>());
    let other = |finding: &Finding, weight: Weight| finding.weight == weight && finding.depth == depth;
    let is_text = matches!(spot.node.content, Content::Text(_));
    let is_of_no_kind = tried.iter().all(|(findings, schema)| {
        let is_word = !is_text && word(walk, schema).is_some();
        findings.iter().any(|finding| other(finding, Weight::Kind) || (is_word && other(finding, Weight::Word)))
    });
    if is_of_no_kind {
        of_no_kind(walk, spot, &alternatives);
        return None;
    }
    tried.first().map(|(_, schema)| *schema)
}

/// The text that an alternative is, if it is one.
fn word<'a>(walk: &Walk<'a>, schema: &'a Value) -> Option<&'a str> {
    walk.composed.follow(schema).get("const")?.as_str()
}

/// How much a finding speaks against an alternative.
fn cost(finding: &Finding, depth: usize) -> u64 {
    match (finding.weight, finding.depth - depth) {
        (Weight::Kind | Weight::Word, 0) => 10_000,
        (Weight::Word, 1) => 5_000,
        (Weight::Key, 1) => 100,
        _ => 1,
    }
}

/// Alternatives that are maps with one key that says which is meant: `kind: memory`.
fn by_tag<'a>(walk: &mut Walk<'a>, spot: Spot<'_>, alternatives: &[&'a Value]) -> Option<Option<&'a Value>> {
    let entries = spot.node.entries()?;
    let tag = tag(walk, alternatives.first()?)?;
    let word = |schema: &Value| Some(walk.composed.follow(schema).get("properties")?.get(tag)?.get("const")?.clone());
    let words: Vec<_> = alternatives.iter().map(|schema| word(schema)).collect::<Option<_>>()?;
    let known: Vec<_> = words.iter().filter_map(Value::as_str).collect();
    let path = spot.path.key(tag);
    let Some(entry) = entries.get(tag).filter(|entry| entry.node.content != Content::Null) else {
        hide_all_but(walk, entries, tag);
        let help = suggest::among("", known.iter().copied(), "write one of");
        walk.report(&path, spot.key, Weight::Key, format!("the key `{tag}` is missing"), Some(help));
        return Some(None);
    };
    let value = entry.node.to_json();
    if let Some(found) = words.iter().position(|word| *word == value) {
        return Some(alternatives.get(found).copied());
    }
    hide_all_but(walk, entries, tag);
    let spot = Spot { path: &path, node: &entry.node, key: &entry.key };
    scalar::unknown(walk, spot, None, known.into_iter());
    Some(None)
}

/// Hides the values of a map of which it is not known what it means: one of them may be a secret.
fn hide_all_but(walk: &mut Walk<'_>, entries: &BTreeMap<String, Entry>, key: &str) {
    for (_, entry) in entries.iter().filter(|(other, _)| *other != key) {
        walk.hidden.values(&entry.node);
    }
}

/// The key of a map that can only have one value.
fn tag<'a>(walk: &Walk<'a>, schema: &'a Value) -> Option<&'a str> {
    let properties = walk.composed.follow(schema).get("properties")?.as_object()?;
    properties.iter().find(|(_, schema)| schema.get("const").is_some()).map(|(key, _)| key.as_str())
}

/// Alternatives that are maps with one key each: `file: …` or `secret: …`. Reports a map with none or several of them.
fn by_key(walk: &mut Walk<'_>, spot: Spot<'_>, alternatives: &[&Value]) -> bool {
    let Some(entries) = spot.node.entries() else { return false };
    let maps =
        alternatives.iter().map(|schema| walk.composed.follow(schema)).filter(|schema| schema["type"] == "object");
    let only = |schema: &Value| match schema.get("required").and_then(Value::as_array).map(Vec::as_slice) {
        Some([Value::String(key)]) => Some(key.clone()),
        _ => None,
    };
    let Some(known) = maps.map(only).collect::<Option<Vec<_>>>().filter(|known| known.len() > 1) else { return false };
    let there: Vec<_> = entries.keys().filter(|key| known.contains(key)).collect();
    let choices = known.iter().map(String::as_str);
    if there.len() == 1 {
        return false;
    }
    hide_all_but(walk, entries, "");
    match (there.as_slice(), entries.iter().next()) {
        ([], Some((key, entry))) => {
            let help = suggest::among(key, choices, "write one of");
            walk.report(&spot.path.key(key), &entry.key, Weight::Key, "this key is not known", Some(help));
        }
        ([], None) => {
            let help = suggest::among("", choices, "write one of");
            walk.report(spot.path, spot.key, Weight::Key, "a key is missing", Some(help));
        }
        ([_], _) => {}
        ([one, other, ..], _) => {
            let message = format!("`{one}` and `{other}` cannot be given together");
            walk.report(spot.path, spot.key, Weight::Key, message, Some("keep one of them".to_owned()));
        }
    }
    true
}

/// Alternatives among which are words: `peer` or `principal`. Reports a text that is none of them.
fn by_word(walk: &mut Walk<'_>, spot: Spot<'_>, alternatives: &[&Value]) -> bool {
    let is_text = matches!(spot.node.content, Content::Text(_));
    let mut words = Vec::new();
    for schema in alternatives.iter().map(|schema| walk.composed.follow(schema)) {
        let listed = schema.get("enum").and_then(Value::as_array).into_iter().flatten();
        let found = schema.get("const").into_iter().chain(listed).filter_map(Value::as_str);
        let before = words.len();
        words.extend(found.map(str::to_owned));
        if words.len() == before && schema.get("type").is_some_and(|kind| kind == "string") {
            return false;
        }
    }
    if !is_text || words.is_empty() {
        return false;
    }
    let words = words.iter().map(String::as_str);
    match alternatives.iter().any(|schema| secrets::are_below(walk.composed, schema)) {
        false => scalar::unknown(walk, spot, None, words),
        true => {
            walk.hidden.values(spot.node);
            let help = suggest::among("", words, "write one of");
            walk.report(spot.path, &spot.node.origin, Weight::Word, "this is not known here", Some(help));
        }
    }
    true
}

/// Reports a value of a kind that no alternative has.
fn of_no_kind(walk: &mut Walk<'_>, spot: Spot<'_>, alternatives: &[&Value]) {
    let layers: Vec<_> = alternatives.iter().filter_map(|schema| walk.composed.follow(schema).as_object()).collect();
    if spot.node.entries().is_some() {
        secrets::hide_texts(spot.node, &mut walk.hidden);
    }
    let mut kinds: Vec<_> = layers.iter().filter_map(|layer| layer.get("type")?.as_str()).collect();
    kinds.sort_unstable_by_key(|kind| wording::rank(kind));
    kinds.dedup();
    let words = |of_kind: bool| {
        let such = layers.iter().filter(move |layer| layer.contains_key("type") == of_kind);
        such.filter_map(|layer| layer.get("const")?.as_str())
    };
    // A word of which the kind is not said is a kind of its own.
    let alone: Vec<_> = words(false).map(|word| format!("`{word}`")).collect();
    kinds.extend(alone.iter().map(String::as_str));
    let help = words(true).next().is_some().then(|| suggest::among("", words(true), "write one of"));
    scalar::report_kind(walk, spot, &Shape::new(layers), &kinds, help);
}
