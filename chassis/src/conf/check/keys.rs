//! The keys of a map: which are known, which are missing, which are gone.

use std::collections::BTreeMap;

use serde_json::Value;

use super::shape::Shape;
use super::walk::{Spot, Walk, Weight};
use super::{secrets, wording};
use crate::conf::compose::optional;
use crate::conf::path::{KeyPath, Step};
use crate::conf::suggest;
use crate::conf::tree::{Content, Entry};

/// Checks every key of a map and the value behind it.
pub(super) fn check<'a>(walk: &mut Walk<'a>, spot: Spot<'_>, entries: &BTreeMap<String, Entry>, shape: &Shape<'a>) {
    // A key that is written wrong is not reported as missing, too.
    let mut meant = Vec::new();
    for (key, entry) in entries {
        let path = spot.path.key(key);
        match shape.key(key, walk.patterns) {
            _ if walk.is_full() => break,
            _ if !name(walk, &path, key, entry, shape) => {}
            Some(schema) if entry.node.content == Content::Null => unsaid(walk, &path, key, (entry, schema), shape),
            Some(schema) => walk.check(Spot { path: &path, node: &entry.node, key: &entry.key }, schema),
            None if shape.is_open() => {}
            None => meant.extend(unknown(walk, &path, key, entry, shape)),
        }
    }
    for key in shape.required().filter(|key| !meant.contains(key)) {
        if entries.get(key).is_none_or(|entry| entry.node.content == Content::Null) {
            missing(walk, spot, key, shape);
        }
    }
    counted(walk, spot, entries.len() as u64, shape);
}

/// Checks what a key may be called where keys are names.
fn name(walk: &mut Walk<'_>, path: &KeyPath, key: &str, entry: &Entry, shape: &Shape<'_>) -> bool {
    for names in shape.all("propertyNames") {
        let listed = names.get("enum").and_then(Value::as_array);
        let fits = listed.is_none_or(|list| list.iter().any(|name| name == key));
        let pattern = names.get("pattern").and_then(Value::as_str);
        if fits && pattern.is_none_or(|pattern| walk.patterns.matches(pattern, key)) {
            continue;
        }
        let (message, help) = match path.steps() {
            [Step::Key(root), _] if root == "operations" => (
                format!("`{key}` is no operation and no pattern of operations"),
                match key.contains('.') || key.is_empty() {
                    true => "write `SCHEMA.METHOD`, with `*` for any characters".to_owned(),
                    false => format!("write `{key}.METHOD` for one operation, `{key}.*` for all of a schema"),
                },
            ),
            _ => (format!("`{key}` is not a name that is allowed here"), "use letters, digits and dashes".to_owned()),
        };
        secrets::hide_unknown(walk.composed, shape, &entry.node, &mut walk.hidden);
        walk.report(path, &entry.key, Weight::Key, message, Some(help));
        return false;
    }
    true
}

/// Reports a key without a value where that says nothing although whoever wrote it meant something: a name in a list,
/// where there is nothing that it could take back, and whatever narrows a condition, which would hold of more calls
/// than it was meant for. There `null`, written out, takes back what another file said, except in a list.
fn unsaid(walk: &mut Walk<'_>, path: &KeyPath, key: &str, (entry, schema): (&Entry, &Value), shape: &Shape<'_>) {
    let in_list = path.steps().iter().any(|step| matches!(step, Step::Index(_)));
    let narrows = shape.all("x-narrows").next().is_some() || schema.get("x-narrows").is_some();
    let help = if in_list && (narrows || !shape.keys().any(|known| known == key)) {
        "write a value, `''` for an empty text, or remove the key"
    } else if narrows && entry.node.leaves_maps() {
        "write a value, `null` to take back what another file says, or remove the key"
    } else {
        return;
    };
    walk.report(path, &entry.key, Weight::Key, format!("`{key}` has no value"), Some(help.to_owned()));
}

/// Reports a key that is not known, and says which was probably meant.
fn unknown<'a>(walk: &mut Walk<'a>, path: &KeyPath, key: &str, entry: &Entry, shape: &Shape<'a>) -> Option<&'a str> {
    secrets::hide_unknown(walk.composed, shape, &entry.node, &mut walk.hidden);
    if let Some(tombstone) = walk.composed.tombstones.iter().find(|tombstone| tombstone.is_of(path)) {
        let message = format!("nothing reads `{key}` here: it was renamed, or is another program's word");
        walk.report(path, &entry.key, Weight::Key, message, Some(tombstone.instead.to_owned()));
        return None;
    }
    let (message, they_are) = match shape.text("x-names") {
        Some("listener") => {
            (format!("`{key}` names no protocol that is linked in"), "listeners are `NAME` or `NAME-…` of".to_owned())
        }
        Some(noun) => (format!("there is no {noun} `{key}`"), format!("the {noun}s that are linked in are")),
        None => ("this key is not known".to_owned(), "the keys here are".to_owned()),
    };
    let nested = key.split_once('.').filter(|(first, _)| shape.key(first, walk.patterns).is_some());
    let help = match nested {
        Some((first, rest)) => format!("write `{rest}` below `{first}:`"),
        None if is_extended(key, shape) => {
            "what follows the protocol is one word of lower-case letters and digits: `NAME-WORD`".to_owned()
        }
        None => {
            optional::remedy(shape.text("x-names"), key).unwrap_or_else(|| suggest::among(key, shape.keys(), &they_are))
        }
    };
    walk.report(path, &entry.key, Weight::Key, message, Some(help));
    let meant = suggest::closest(key, shape.keys())?;
    walk.meant.push(path.first(path.steps().len() - 1).key(meant));
    Some(meant)
}

/// Whether a listener is named for a protocol that there is, and not as listeners are.
fn is_extended(key: &str, shape: &Shape<'_>) -> bool {
    let follows = |known: &str| key.strip_prefix(known).is_some_and(|rest| rest.starts_with('-'));
    shape.text("x-names") == Some("listener") && shape.keys().any(follows)
}

fn missing(walk: &mut Walk<'_>, spot: Spot<'_>, key: &str, shape: &Shape<'_>) {
    let schema = shape.all("properties").find_map(|properties| properties.get(key));
    let description = schema.and_then(|schema| schema.get("description")).and_then(Value::as_str);
    let help = description.map(|description| format!("`{key}`: {}", wording::first_paragraph(description)));
    walk.report(&spot.path.key(key), spot.key, Weight::Key, format!("the key `{key}` is missing"), help);
}

fn counted(walk: &mut Walk<'_>, spot: Spot<'_>, count: u64, shape: &Shape<'_>) {
    if let Some(least) = shape.number("minProperties").filter(|least| count < *least) {
        let message = format!("too few keys: at least {least}");
        walk.report(spot.path, &spot.node.origin, Weight::Value, message, None);
    }
    if let Some(most) = shape.number("maxProperties").filter(|most| count > *most) {
        let message = format!("too many keys: at most {most}");
        walk.report(spot.path, &spot.node.origin, Weight::Value, message, None);
    }
}
