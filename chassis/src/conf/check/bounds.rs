//! The bounds of numbers and the lengths and patterns of texts.

use serde_json::{Number, Value};

use super::shape::Shape;
use super::walk::{Spot, Walk, Weight};
use super::wording;

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
    let pattern = shape.all("pattern").filter_map(Value::as_str).find(|pattern| !walk.patterns.matches(pattern, text));
    let message = match (least, most, pattern) {
        (Some(_), _, _) if length == 0 => "this must not be empty".to_owned(),
        (Some(least), _, _) => format!("{} is too short: at least {least} characters", wording::shown(spot.node)),
        (_, Some(most), _) => format!("{} is too long: at most {most} characters", wording::shown(spot.node)),
        (_, _, Some(pattern)) => format!("{} does not look like `{pattern}`", wording::shown(spot.node)),
        _ => return,
    };
    let help = shape.text("description").filter(|_| pattern.is_some()).map(wording::first_paragraph);
    walk.report(spot.path, &spot.node.origin, Weight::Value, message, help);
}
