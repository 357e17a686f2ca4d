//! What `Cache-Control` says (RFC 9111 §5.2).

use std::time::Duration;

use http::HeaderMap;
use http::header::{CACHE_CONTROL, PRAGMA};

/// What a message says about keeping it, as far as it matters here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Directives {
    pub(super) no_store: bool,
    pub(super) no_cache: bool,
    pub(super) private: bool,
    pub(super) max_age: Option<Duration>,
    pub(super) s_maxage: Option<Duration>,
}

/// The directives that there are: RFC 9111 §5.2, RFC 5861 and RFC 8246.
const KNOWN: [&str; 13] = [
    "public",
    "private",
    "no-store",
    "no-cache",
    "no-transform",
    "must-revalidate",
    "proxy-revalidate",
    "must-understand",
    "max-age",
    "s-maxage",
    "immutable",
    "stale-while-revalidate",
    "stale-if-error",
];

/// Those of them that say how long.
const TIMED: [&str; 4] = ["max-age", "s-maxage", "stale-while-revalidate", "stale-if-error"];

impl Directives {
    pub(super) fn read(headers: &HeaderMap) -> Self {
        let mut said = Self::default();
        let values = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
        for (name, argument) in values.flat_map(|value| value.split(',')).map(directive) {
            match name.to_ascii_lowercase().as_str() {
                "no-store" => said.no_store = true,
                "no-cache" => said.no_cache = true,
                "private" => said.private = true,
                "max-age" => said.max_age = Some(seconds(argument)),
                "s-maxage" => said.s_maxage = Some(seconds(argument)),
                _ => {}
            }
        }
        // RFC 9111 §5.4, for those that know nothing newer.
        said.no_cache |=
            !headers.contains_key(CACHE_CONTROL) && headers.get(PRAGMA).is_some_and(|value| value == "no-cache");
        said
    }
}

/// What is wrong with a value of `Cache-Control`, if something is.
pub(super) fn flaw(value: &str) -> Option<String> {
    if value.trim_end().ends_with(',') {
        return Some(format!("`{value}` ends with a comma"));
    }
    value.split(',').find_map(|part| match directive(part) {
        ("", _) => Some(format!("`{value}` lacks a directive, before a comma or altogether")),
        (name, _) if !KNOWN.iter().any(|known| name.eq_ignore_ascii_case(known)) => {
            Some(format!("`{name}` is no directive of `Cache-Control`"))
        }
        (name, argument) if TIMED.iter().any(|timed| name.eq_ignore_ascii_case(timed)) => {
            let is_wrong = argument.parse::<u32>().is_err();
            is_wrong.then(|| format!("`{}` does not say a whole number of seconds", part.trim()))
        }
        _ => None,
    })
}

/// Whether a value of `Cache-Control` lets everybody keep what everybody else gets.
pub(super) fn is_public(value: &str) -> bool {
    let is = |name: &str| name.eq_ignore_ascii_case("public") || name.eq_ignore_ascii_case("s-maxage");
    value.split(',').any(|part| is(directive(part).0))
}

fn directive(part: &str) -> (&str, &str) {
    let (name, argument) = part.split_once('=').unwrap_or((part, ""));
    (name.trim(), argument.trim().trim_matches('"'))
}

/// What is no number of seconds is over at once (RFC 9111 §4.2.1).
fn seconds(text: &str) -> Duration {
    Duration::from_secs(text.parse::<u32>().map_or(0, u64::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_are_read_whatever_their_case_and_form() {
        let mut headers = HeaderMap::new();
        headers.append(CACHE_CONTROL, "No-Store, max-age=\"60\"".parse().unwrap());
        headers.append(CACHE_CONTROL, "s-maxage=soon".parse().unwrap());
        let said = Directives::read(&headers);
        assert!(said.no_store && !said.no_cache && !said.private);
        assert_eq!((said.max_age, said.s_maxage), (Some(Duration::from_secs(60)), Some(Duration::ZERO)));
        headers.clear();
        headers.append(PRAGMA, "no-cache".parse().unwrap());
        assert!(Directives::read(&headers).no_cache);
    }

    #[test]
    fn what_is_wrong_with_a_value_is_said() {
        assert_eq!(flaw("public, Max-Age=\"60\", stale-if-error=5"), None);
        for (value, says) in [
            ("public, maxage=60", "`maxage` is no directive of `Cache-Control`"),
            ("max-age=60,", "`max-age=60,` ends with a comma"),
            ("public,, max-age=60", "`public,, max-age=60` lacks a directive, before a comma or altogether"),
            ("", "`` lacks a directive, before a comma or altogether"),
            ("public, max-age=abc", "`max-age=abc` does not say a whole number of seconds"),
            ("s-maxage", "`s-maxage` does not say a whole number of seconds"),
        ] {
            assert_eq!(flaw(value).as_deref(), Some(says));
        }
        assert!(is_public("Public") && is_public("max-age=1, s-maxage=2") && !is_public("private"));
    }
}
