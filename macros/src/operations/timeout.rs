//! `timeout = "1m30s"`: lengths of time as YAML writes them.

use std::time::Duration;

use syn::LitStr;

const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("ms", 1), ("m", 60_000), ("s", 1_000)];

/// The length of time that a text says.
pub(super) fn read(text: &LitStr) -> syn::Result<Duration> {
    let value = text.value();
    match parse(&value) {
        Some(timeout) if timeout.is_zero() => {
            Err(syn::Error::new_spanned(text, "nothing can be answered in no time: leave `timeout` out to have none"))
        }
        Some(timeout) => Ok(timeout),
        None => Err(syn::Error::new_spanned(
            text,
            format!("`{value}` is not a length of time: write `250ms`, `2s`, `5m`, `1h` or `1m30s`"),
        )),
    }
}

fn parse(text: &str) -> Option<Duration> {
    let (mut rest, mut millis) = (text, 0_u64);
    loop {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number: u64 = rest.get(..digits)?.parse().ok()?;
        rest = &rest[digits..];
        let (unit, factor) =
            UNITS.iter().filter(|(unit, _)| rest.starts_with(unit)).max_by_key(|(unit, _)| unit.len())?;
        millis = millis.checked_add(number.checked_mul(*factor)?)?;
        rest = &rest[unit.len()..];
        if rest.is_empty() {
            return Some(Duration::from_millis(millis));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_and_every_part_has_a_unit() {
        for (text, millis) in [("250ms", 250), ("2s", 2_000), ("1m30s", 90_000), ("1h", 3_600_000)] {
            assert_eq!(parse(text), Some(Duration::from_millis(millis)));
        }
        for text in ["", "2", "s", "2 s", "2sec", "-2s", "99999999999999999999s"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
