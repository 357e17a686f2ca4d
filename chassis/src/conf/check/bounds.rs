//! The bounds of numbers and the lengths and patterns of texts.

use serde_json::{Number, Value};

use super::scalar::WRITTEN;
use super::shape::Shape;
use super::walk::{Spot, Walk, Weight};
use super::wording;
use crate::conf::suggest;
use crate::conf::value::Share;

/// Checks a number against its bounds.
pub(super) fn number(walk: &mut Walk<'_>, spot: Spot<'_>, number: &Number, shape: &Shape<'_>) {
    let value = number.as_f64().unwrap_or_default();
    let range = integer_range(shape.text("format"));
    let bound = |keyword: &str| shape.all(keyword).find_map(Value::as_f64);
    let least = bound("minimum").or(range.map(|(least, _)| least));
    let most = bound("maximum").or(range.map(|(_, most)| most));
    let message = if let Some(least) = least.filter(|least| value < *least) {
        format!("{number} is too small: at least {least}")
    } else if let Some(most) = most.filter(|most| value > *most) {
        format!("{number} is too large: at most {most}")
    } else if let Some(least) = bound("exclusiveMinimum").filter(|least| value <= *least) {
        format!("{number} is too small: more than {least}")
    } else if let Some(most) = bound("exclusiveMaximum").filter(|most| value >= *most) {
        format!("{number} is too large: less than {most}")
    } else if let Some(step) = bound("multipleOf").filter(|step| *step > 0.0 && value % *step != 0.0) {
        format!("{number} is not a multiple of {step}")
    } else {
        return;
    };
    walk.report(spot.path, &spot.node.origin, Weight::Value, message, None);
}

/// Whether this is a whole number that YAML has no integer for.
pub(super) fn is_beyond_integers(number: &Number) -> bool {
    let value = number.as_f64().filter(|_| number.is_f64());
    value.is_some_and(|value| value.fract() == 0.0 && value.abs() >= TWO_TO_63)
}

const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;

/// Reports a whole number that YAML has no integer for.
pub(super) fn report_beyond(walk: &mut Walk<'_>, spot: Spot<'_>, number: &Number, shape: &Shape<'_>) {
    let range = integer_range(shape.text("format"));
    let end = |keyword: &str, of_format: Option<f64>, otherwise: String| {
        let bound = shape.all(keyword).find_map(Value::as_f64).or(of_format).filter(|bound| bound.abs() < TWO_TO_63);
        bound.map_or(otherwise, |bound| bound.to_string())
    };
    let is_unsigned = range.is_some_and(|(least, _)| least == 0.0);
    let most = if is_unsigned { u64::MAX.to_string() } else { i64::MAX.to_string() };
    let least = end("minimum", range.map(|(least, _)| least), i64::MIN.to_string());
    let most = end("maximum", range.map(|(_, most)| most), most);
    let message = match number.as_f64().is_some_and(f64::is_sign_negative) {
        true => format!("the number is too small: at least {least}"),
        false => format!("the number is too large: at most {most}"),
    };
    walk.report(spot.path, &spot.node.origin, Weight::Value, message, None);
}

/// The number that was probably meant by a percentage where one from 0 to 1 is wanted.
pub(super) fn part(text: &str, shape: &Shape<'_>) -> Option<f64> {
    let bound = |keyword: &str| shape.all(keyword).find_map(Value::as_f64);
    bound("minimum").or(bound("exclusiveMinimum")).filter(|least| *least >= 0.0)?;
    bound("maximum").or(bound("exclusiveMaximum")).filter(|most| *most <= 1.0)?;
    let part = text.parse::<Share>().ok()?.of_one();
    // What was written with a few digits is shown with them, whatever binary fractions make of it.
    Some((part * 1e10).round() / 1e10)
}

/// The bounds of the integers of Rust, which `schemars` names and leaves out where JSON's are smaller.
fn integer_range(format: Option<&str>) -> Option<(f64, f64)> {
    Some(match format? {
        "int8" => (f64::from(i8::MIN), f64::from(i8::MAX)),
        "int16" => (f64::from(i16::MIN), f64::from(i16::MAX)),
        "int32" => (f64::from(i32::MIN), f64::from(i32::MAX)),
        "uint8" => (0.0, f64::from(u8::MAX)),
        "uint16" => (0.0, f64::from(u16::MAX)),
        "uint32" => (0.0, f64::from(u32::MAX)),
        "uint64" | "uint" | "uint128" => (0.0, f64::MAX),
        _ => return None,
    })
}

/// Checks the length and the pattern of a text.
pub(super) fn text(walk: &mut Walk<'_>, spot: Spot<'_>, text: &str, shape: &Shape<'_>) {
    let length = text.chars().count() as u64;
    let least = shape.number("minLength").filter(|least| length < *least);
    let most = shape.number("maxLength").filter(|most| length > *most);
    // These were read by their types already, which forgive what a pattern does not.
    let is_read = shape.text("format").is_some_and(|format| WRITTEN.contains(&format) || format == "listen");
    let mut patterns = shape.all("pattern").filter_map(Value::as_str).filter(|_| !is_read);
    let pattern = patterns.find(|pattern| !walk.patterns.matches(pattern, text));
    let message = match (least, most, pattern) {
        (Some(_), _, _) if length == 0 => "this must not be empty".to_owned(),
        (Some(least), _, _) => format!("{} is too short: at least {least} characters", wording::shown(spot.node)),
        (_, Some(most), _) => format!("{} is too long: at most {most} characters", wording::shown(spot.node)),
        (_, _, Some(_)) => format!("{} does not have the form that is wanted here", wording::shown(spot.node)),
        _ => return,
    };
    let help = pattern.and_then(|pattern| match least.or(most) {
        Some(_) => shape.text("description").map(wording::first_paragraph),
        None => Some(form(text, pattern, shape)),
    });
    walk.report(spot.path, &spot.node.origin, Weight::Value, message, help);
}

/// How to write what a pattern wants: the word that was meant, examples, or at last the pattern itself.
fn form(text: &str, pattern: &str, shape: &Shape<'_>) -> String {
    if let Some(word) = suggest::closest(text, words(pattern)) {
        return format!("did you mean `{word}`?");
    }
    let examples = shape.all("examples").filter_map(Value::as_array).flatten().filter_map(Value::as_str);
    let examples: Vec<_> = examples.take(8).map(|example| format!("`{example}`")).collect();
    if !examples.is_empty() {
        return format!("write it as {}", examples.join(", "));
    }
    let form = format!("write what matches `{pattern}`");
    let description = shape.text("description").map(wording::first_paragraph);
    description.map_or(form.clone(), |description| format!("{form}: {description}"))
}

/// The words among the alternatives of a pattern such as `^(peer|principal|header:.+)$`.
fn words(pattern: &str) -> impl Iterator<Item = &str> {
    let inside = pattern.strip_prefix("^(").and_then(|rest| rest.strip_suffix(")$")).unwrap_or_default();
    let is_word = |word: &&str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    inside.split('|').filter(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_pattern_can_be_meant() {
        let found: Vec<_> = words("^(peer|principal|header:.+)$").collect();
        assert_eq!(found, ["peer", "principal"]);
        assert_eq!(words("^([0-9]+(ms|s))+$").count(), 0);
        assert_eq!(words("^[a-z]+$").count(), 0);
    }

    #[test]
    fn a_pattern_is_shown_only_where_nothing_else_says_the_form() {
        let schema =
            serde_json::json!({ "examples": ["peer", "header:X-Tenant"], "description": "What is counted by." });
        let shape = Shape::new(schema.as_object().into_iter().collect());
        let pattern = "^(peer|principal|header:.+)$";
        assert_eq!(form("peeer", pattern, &shape), "did you mean `peer`?");
        assert_eq!(form("x", pattern, &shape), "write it as `peer`, `header:X-Tenant`");
        assert_eq!(form("x", "^[A-Z]", &Shape::new(Vec::new())), "write what matches `^[A-Z]`");
    }
}
