//! Patterns of subjects: `spiffe://shop.example/ns/*/sa/billing`, `*.shop.example`.

use super::spiffe;
use crate::conf::BuildError;

/// Some subjects. A star stands for a part of a name, or for characters of a part; parts are separated by `/` in SPIFFE
/// IDs, by `.` in DNS names and by `@` in e-mail addresses. `/**` at the end stands for one part more, or several.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    text: String,
    separator: char,
    rest: bool,
}

impl Pattern {
    pub(super) fn parse(text: &str) -> Result<Self, BuildError> {
        let wrong = |message: String, help: &str| Err(BuildError::new("", message).with_help(help));
        let rest = text.starts_with(spiffe::SCHEME) && text.ends_with("/**");
        let known = if rest { &text[..text.len() - "/**".len()] } else { text };
        if known.is_empty() || !known.bytes().all(|byte| byte.is_ascii_graphic()) {
            let help = "write a subject, in which `*` may stand for a part: `spiffe://shop.example/ns/*/sa/billing`";
            return wrong(format!("`{text}` is no pattern of subjects"), help);
        }
        let mut pattern = Self { text: known.to_owned(), separator: separator(known), rest };
        if pattern.separator == '.' {
            // The case of DNS names means nothing, and those of callers are in small letters.
            pattern.text.make_ascii_lowercase();
        }
        if known.split(pattern.separator).any(|part| part.matches('*').count() > 1) {
            let help = "write one; `/**` at the end of a SPIFFE ID stands for all parts that follow";
            return wrong(format!("`{text}` has more than one star in a part"), help);
        }
        match pattern.domain() {
            Some(domain) if !spiffe::is_domain(domain) || !rest && !known[spiffe::SCHEME.len()..].contains('/') => {
                wrong(
                    format!("`{text}` does not say which workloads of which trust domain it is about"),
                    "write the domain whole, and a path behind it: `spiffe://shop.example/**`",
                )
            }
            _ => Ok(pattern),
        }
    }

    /// The trust domain that it is about, if it is about SPIFFE IDs.
    pub(super) fn domain(&self) -> Option<&str> {
        self.text.strip_prefix(spiffe::SCHEME)?.split('/').next()
    }

    /// Whether a subject is one of them. Kinds of names are never taken for each other.
    pub(super) fn fits(&self, subject: &str) -> bool {
        if self.separator != separator(subject) {
            return false;
        }
        let (mut parts, mut named) = (self.text.split(self.separator), subject.split(self.separator));
        loop {
            match (parts.next(), named.next()) {
                (Some(part), Some(name)) if is_part(part, name) => {}
                (None, Some(_)) => return self.rest,
                (None, None) => return !self.rest,
                _ => return false,
            }
        }
    }
}

/// What the parts of a name are separated by, which also tells what kind of name it is.
fn separator(name: &str) -> char {
    match name {
        _ if name.starts_with(spiffe::SCHEME) => '/',
        _ if name.contains('@') => '@',
        _ => '.',
    }
}

/// A star is one character at least.
fn is_part(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        Some((first, last)) => name.len() > first.len() + last.len() && name.starts_with(first) && name.ends_with(last),
        None => pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, subject: &str, expected: bool) {
        assert_eq!(Pattern::parse(pattern).unwrap().fits(subject), expected, "{pattern} {subject}");
    }

    #[test]
    fn a_star_is_a_part_of_a_name_and_no_more() {
        check("spiffe://a.example/ns/*/sa/x", "spiffe://a.example/ns/shop/sa/x", true);
        check("spiffe://a.example/ns/*/sa/x", "spiffe://a.example/ns/a/b/sa/x", false);
        check("spiffe://a.example/ns/*/sa/x", "spiffe://a.example/ns//sa/x", false);
        check("spiffe://a.example/ns/*", "spiffe://a.example/ns/a", true);
        check("spiffe://a.example/ns/*", "spiffe://a.example/ns/a/b", false);
        check("spiffe://a.example/x", "spiffe://a.example/xy", false);
        check("spiffe://a.example/x", "spiffe://b.example/x", false);
        check("spiffe://a.example/a-*-b", "spiffe://a.example/a-b-b-b", true);
        check("spiffe://a.example/a-*-b", "spiffe://a.example/a-b", false);
        check("*.a.example", "b.a.example", true);
        check("*.A.example", "b.a.example", true);
        check("*.a.example", "c.b.a.example", false);
        check("*.a.example", ".a.example", false);
        check("*.a.example", "b.a.example.org", false);
        check("*@a.example", "ada@a.example", true);
        check("*@a.example", "ada@b.example@a.example", false);
    }

    #[test]
    fn two_stars_are_all_that_follows() {
        check("spiffe://a.example/**", "spiffe://a.example/x/y", true);
        check("spiffe://a.example/ns/**", "spiffe://a.example/ns/x", true);
        check("spiffe://a.example/ns/**", "spiffe://a.example/ns", false);
        check("spiffe://a.example/*/b/**", "spiffe://a.example/a/b/c/d", true);
        check("spiffe://a.example/*/b/**", "spiffe://a.example/a/c/b/d", false);
    }

    #[test]
    fn one_kind_of_name_is_never_taken_for_another() {
        check("*.example", "ada@a.example", false);
        check("*", "spiffe:", true);
        check("*", "spiffe://a.example", false);
    }

    #[test]
    fn what_would_fit_more_than_is_meant_is_refused() {
        for text in
            ["", "**", "a b", "spiffe://", "spiffe://*/x", "spiffe://a.example", "spiffe://*.example/**", "*a*.b"]
        {
            assert!(Pattern::parse(text).is_err(), "{text}");
        }
        for text in ["**.example", "a.**", "spiffe://a.example/**/x"] {
            assert!(Pattern::parse(text).is_err(), "{text}");
        }
    }
}
