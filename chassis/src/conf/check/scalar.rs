//! Single values: their kind, their bounds and their text.

use std::str::FromStr;

use serde_json::Value;

use super::bounds;
use super::secrets;
use super::shape::Shape;
use super::walk::{Spot, Walk, Weight};
use super::wording;
use crate::conf::compose::optional;
use crate::conf::root::Timeout;
use crate::conf::suggest;
use crate::conf::tree::{Content, Node, Role};
use crate::conf::value::{Interval, Rate, Share, Size, ValueError};
use crate::protocol::Listen;

/// The formats of values that are read as they are written, also where YAML makes numbers of them.
pub(super) const WRITTEN: [&str; 5] = ["interval", "size", "rate", "timeout", "share"];

/// Checks the kind of a value; `None` if another is wanted, else the text the value is to be read as, if it is text.
pub(super) fn fits<'n>(walk: &mut Walk<'_>, spot: Spot<'n>, shape: &Shape<'_>) -> Option<Option<&'n str>> {
    let kinds = shape.kinds();
    let format = shape.text("format");
    let text = text(spot.node, kinds.as_deref(), format);
    if let Some(role) = role(spot.node, text, format) {
        walk.marks.push((spot.path.clone(), role));
    }
    let written_as_text = format.is_some_and(|format| WRITTEN.contains(&format));
    let is_scalar = !matches!(spot.node.content, Content::List(_) | Content::Map(_) | Content::Null);
    let allowed = kinds.as_ref().is_none_or(|kinds| {
        let kind = if text.is_some() { "string" } else { wording::kind(spot.node) };
        kinds.contains(&kind) || (kind == "integer" && kinds.contains(&"number"))
    });
    if allowed || (written_as_text && is_scalar) {
        return Some(text);
    }
    let kinds = kinds.unwrap_or_default();
    match &spot.node.content {
        Content::Number(number) if kinds.contains(&"integer") && bounds::is_beyond_integers(number) => {
            bounds::report_beyond(walk, spot, number, shape);
        }
        _ => report_kind(walk, spot, shape, &kinds, None),
    }
    None
}

/// The text of a value that is text, or that was said without types where only text is wanted.
fn text<'n>(node: &'n Node, kinds: Option<&[&str]>, format: Option<&str>) -> Option<&'n str> {
    match (&node.content, &node.said) {
        (Content::Text(text), _) => Some(text),
        (Content::List(_) | Content::Map(_), _) | (_, None) => None,
        (_, Some(said)) => {
            let kinds = kinds?;
            let as_it_is = kinds.contains(&wording::kind(node)) || (node.is_number() && kinds.contains(&"number"));
            let wanted = kinds.contains(&"string") && !as_it_is && node.content != Content::Null;
            (wanted && !format.is_some_and(|format| WRITTEN.contains(&format))).then_some(said)
        }
    }
}

fn role(node: &Node, text: Option<&str>, format: Option<&str>) -> Option<Role> {
    let text = text?;
    match format {
        Some("secret") => Some(Role::Secret),
        Some("path") => Some(Role::Path),
        _ if matches!(&node.content, Content::Text(content) if content == text) => None,
        _ => Some(Role::Text),
    }
}

/// Reports a value of another kind than is wanted. `help` says what else than that can be done about it.
pub(super) fn report_kind(
    walk: &mut Walk<'_>,
    spot: Spot<'_>,
    shape: &Shape<'_>,
    kinds: &[&str],
    help: Option<String>,
) {
    let secret = secrets::are_in(walk.composed, shape);
    if secret {
        walk.hidden.values(spot.node);
    }
    let found = if secret { wording::something(spot.node) } else { wording::found(spot.node) };
    let mut message = format!("expected {}, found {found}", wording::expected(kinds));
    if kinds.iter().all(|kind| *kind == "null") {
        "this takes no configuration".clone_into(&mut message);
    }
    let help = match kinds {
        ["null"] => Some("remove it".to_owned()),
        _ => help.or_else(|| remedy(spot.node, kinds, shape)),
    };
    walk.report(spot.path, &spot.node.origin, Weight::Kind, message, help);
}

/// What to do about a value of the wrong kind.
fn remedy(node: &Node, kinds: &[&str], shape: &Shape<'_>) -> Option<String> {
    let wants = |kind: &str| kinds.contains(&kind);
    match &node.content {
        Content::Bool(_) | Content::Number(_) if wants("string") => Some("put it in quotes".to_owned()),
        Content::Text(text) if wants("boolean") && is_yes(text) => Some("write `true`".to_owned()),
        Content::Text(text) if wants("boolean") && is_no(text) => Some("write `false`".to_owned()),
        Content::Text(text) => {
            let meant = Node::new(crate::conf::scalar::resolve(text), node.origin.clone());
            let kind = wording::kind(&meant);
            let fits = wants(kind) || (kind == "integer" && wants("number"));
            let part = bounds::part(text, shape).filter(|_| wants("number"));
            match part {
                _ if fits && kind != "null" => Some("remove the quotes".to_owned()),
                Some(part) => Some(format!("write `{part}`")),
                None => form(kinds, shape),
            }
        }
        Content::List(_) => {
            form(kinds, shape).or_else(|| Some("write one value, without brackets and dashes".to_owned()))
        }
        Content::Map(_) => form(kinds, shape).or_else(|| Some("write one value instead of keys".to_owned())),
        _ => form(kinds, shape),
    }
}

fn is_yes(text: &str) -> bool {
    ["yes", "on", "y"].iter().any(|yes| text.eq_ignore_ascii_case(yes))
}

fn is_no(text: &str) -> bool {
    ["no", "off", "n"].iter().any(|no| text.eq_ignore_ascii_case(no))
}

/// How to write what is wanted.
fn form(kinds: &[&str], shape: &Shape<'_>) -> Option<String> {
    if kinds.contains(&"array") {
        return Some("write a list: `[a, b]`".to_owned());
    }
    let keys: Vec<_> = shape.keys().collect();
    if kinds.contains(&"object") && !keys.is_empty() {
        return Some(format!("write keys below it: {}", suggest::listed(&keys)));
    }
    let examples = shape.all("examples").filter_map(Value::as_array).flatten();
    let examples: Vec<_> = examples.take(4).map(|example| format!("`{}`", plain(example))).collect();
    match examples.is_empty() {
        false => Some(format!("write it as {}", examples.join(", "))),
        true => kinds.contains(&"object").then(|| "write `key: value` lines below it".to_owned()),
    }
}

/// Checks what is said about a value of the right kind.
pub(super) fn check(walk: &mut Walk<'_>, spot: Spot<'_>, text: Option<&str>, shape: &Shape<'_>) {
    if let Some(error) = malformed(spot.node, text, shape.text("format")) {
        walk.report(spot.path, &spot.node.origin, Weight::Value, error.message, Some(error.help));
        return;
    }
    words(walk, spot, text, shape);
    if shape.is_secret() {
        return;
    }
    if let Content::Number(number) = &spot.node.content {
        bounds::number(walk, spot, number, shape);
    }
    if let Some(text) = text {
        bounds::text(walk, spot, text, shape);
    }
}

/// Reads a value that YAML writes as text the way its type does.
fn malformed(node: &Node, text: Option<&str>, format: Option<&str>) -> Option<ValueError> {
    fn wrong<T: FromStr<Err = ValueError>>(text: &str) -> Option<ValueError> {
        text.parse::<T>().err().map(|error| error.shortened(text))
    }
    let written = match (&node.content, &node.said) {
        (_, Some(said)) => said.to_string(),
        (Content::Null, None) => return None,
        _ => text.map_or_else(|| node.to_json().to_string(), str::to_owned),
    };
    match format? {
        "interval" => wrong::<Interval>(&written),
        "size" => wrong::<Size>(&written),
        "rate" => wrong::<Rate>(&written),
        "timeout" => wrong::<Timeout>(&written),
        "share" => wrong::<Share>(&written),
        "listen" => wrong::<Listen>(&written),
        _ => None,
    }
}

/// Checks that the value is one of those that are listed.
fn words(walk: &mut Walk<'_>, spot: Spot<'_>, text: Option<&str>, shape: &Shape<'_>) {
    let value = text.map_or_else(|| spot.node.to_json(), Value::from);
    for constant in shape.all("const").filter(|constant| **constant != value) {
        let message = format!("expected `{}`, found {}", plain(constant), wording::shown(spot.node));
        walk.report(spot.path, &spot.node.origin, Weight::Word, message, None);
    }
    for list in shape.all("enum").filter_map(Value::as_array).filter(|list| !list.contains(&value)) {
        let known: Vec<_> = list.iter().filter(|value| !value.is_null()).map(plain).collect();
        let known = known.iter().map(String::as_str);
        unknown(walk, spot, shape.text("x-one-of"), known);
    }
}

/// Reports a word that is none of those that are known.
pub(super) fn unknown<'k>(
    walk: &mut Walk<'_>,
    spot: Spot<'_>,
    noun: Option<&str>,
    known: impl Iterator<Item = &'k str>,
) {
    let shown = wording::shown(spot.node);
    let (message, they_are) = match noun {
        Some("part") => (format!("{shown} is not linked in"), "linked in are".to_owned()),
        Some(noun) => (format!("there is no {noun} {shown}"), format!("the {noun}s that are linked in are")),
        None => (format!("{shown} is not known here"), "write one of".to_owned()),
    };
    let word = match &spot.node.content {
        Content::Text(text) => text.clone(),
        _ => spot.node.to_json().to_string(),
    };
    let mut help = optional::remedy(noun, &word).unwrap_or_else(|| suggest::among(&word, known, &they_are));
    if noun == Some("part") && !help.starts_with("did you mean") {
        // What is listed in Cargo.toml and never named is left out by the linker, without a word.
        help.push_str("; if it is in a crate of its own, write `use the_crate as _;` into main.rs");
    }
    walk.report(spot.path, &spot.node.origin, Weight::Word, message, Some(help));
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
