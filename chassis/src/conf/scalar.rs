//! What an unquoted scalar means: the core schema of YAML 1.2 (§10.3.2).

use serde_json::Number;

use super::tree::Content;

/// What a scalar without quotes means.
pub(crate) fn resolve(text: &str) -> Content {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Content::Null,
        "true" | "True" | "TRUE" => Content::Bool(true),
        "false" | "False" | "FALSE" => Content::Bool(false),
        text => number(text).map_or_else(|| Content::Text(text.to_owned()), Content::Number),
    }
}

fn number(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let first = unsigned.bytes().next()?;
    if !first.is_ascii_digit() && first != b'.' {
        return None;
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    let text = text.strip_prefix('+').unwrap_or(text);
    if unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        let whole = text.parse::<u64>().map(Number::from).or_else(|_| text.parse::<i64>().map(Number::from));
        return whole.ok().or_else(|| float(text));
    }
    float(text)
}

fn radix(digits: &str, radix: u32) -> Option<Number> {
    // A sign here is one that the standard library would accept and YAML does not.
    let plain = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
    u64::from_str_radix(digits, radix).ok().filter(|_| plain).map(Number::from)
}

/// A number with a fraction or an exponent. Infinity and "not a number" stay text: nothing here can mean them.
fn float(text: &str) -> Option<Number> {
    let plain = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    text.parse::<f64>().ok().filter(|_| plain).and_then(Number::from_f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let found = match resolve(text) {
            Content::Null => "null".to_owned(),
            Content::Bool(bool) => format!("bool {bool}"),
            Content::Number(number) => format!("number {number}"),
            Content::Text(text) => format!("text {text}"),
            _ => "other".to_owned(),
        };
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn scalars_mean_what_yaml_1_2_says() {
        check("", "null");
        check("~", "null");
        check("true", "bool true");
        check("yes", "text yes");
        check("on", "text on");
        check("12", "number 12");
        check("-12", "number -12");
        check("+12", "number 12");
        check("0x1F", "number 31");
        check("0o17", "number 15");
        check("1.5", "number 1.5");
        check("1e3", "number 1000.0");
        check("18446744073709551615", "number 18446744073709551615");
        check(".5", "number 0.5");
        check(".inf", "text .inf");
        check("1_000", "text 1_000");
        check("5s", "text 5s");
        check("1.2.3", "text 1.2.3");
        check("12:30", "text 12:30");
        check("-", "text -");
        check(".", "text .");
        check("0x", "text 0x");
        check("infinity", "text infinity");
    }
}
