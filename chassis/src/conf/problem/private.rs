//! What addresses hold that is nobody's business: a user, a password, a query.

use std::ops::Range;

/// What stands in place of what may not be shown.
pub(super) const HIDDEN: &str = "***";

/// What helps write where a user and a password go.
const EXAMPLE: &str = "USER:PASSWORD";

/// A message without what is private of the addresses in it. What is in backticks is a value; elsewhere each word is.
pub(super) fn veiled_message(message: &str) -> String {
    let pieces = message.split('`').enumerate().map(|(at, piece)| match at % 2 {
        0 => piece.split_inclusive(char::is_whitespace).map(veiled).collect(),
        _ => veiled(piece),
    });
    pieces.collect::<Vec<_>>().join("`")
}

/// A value without what is private of the address that it is.
pub(crate) fn veiled(value: &str) -> String {
    let mut shown = String::new();
    let mut at = 0;
    for range in private(value) {
        shown.push_str(&value[at..range.start]);
        shown.push_str(HIDDEN);
        at = range.end;
    }
    shown + &value[at..]
}

/// The parts of a value that are private if it is an address, in their order. Whoever wrote it may have forgotten the
/// scheme or a slash.
pub(super) fn private(value: &str) -> impl Iterator<Item = Range<usize>> + use<> {
    let user = user(value).filter(|range| value[range.clone()] != *EXAMPLE).map(|mut range| {
        // The `@` may stand in a query.
        if value[range.clone()].contains('?') {
            range.end = value.trim_end().len();
        }
        range
    });
    let query = query(value, user.as_ref().map_or(0, |user| user.end));
    user.into_iter().chain(query)
}

/// All between the slashes and the last `@`: a password may hold what should have been encoded. Without two slashes
/// there must be a colon in it.
fn user(value: &str) -> Option<Range<usize>> {
    let end = value.rfind('@')?;
    if let Some(at) = value[..end].find("//").filter(|at| is_scheme(&value[..*at])) {
        let slashes = value[at..end].len() - value[at..end].trim_start_matches('/').len();
        return Some(at + slashes..end);
    }
    let space = value[..end].char_indices().rfind(|(_, letter)| letter.is_whitespace());
    let word = space.map_or(0, |(at, letter)| at + letter.len_utf8());
    let mut start = word;
    for part in value[word..end].split('/') {
        let is_last = start + part.len() == end;
        let bare = part.trim_start_matches(OPENING);
        let colon = bare.find(':').filter(|colon| is_last || colon + 1 < bare.len());
        if colon.is_some() {
            return Some(start + part.len() - bare.len()..end);
        }
        start += part.len() + 1;
    }
    None
}

/// What may stand before an address in a sentence.
const OPENING: [char; 7] = ['"', '\'', '`', '(', '[', '{', ','];

/// Whether two slashes behind this begin the authority of an address (RFC 3986 §3.2): slashes of a password do not.
fn is_scheme(before: &str) -> bool {
    let word = before.rsplit(char::is_whitespace).next().unwrap_or_default().trim_start_matches(OPENING);
    let is_name = |name: &str| name.chars().all(|letter| letter.is_ascii_alphanumeric() || "+.-".contains(letter));
    word.is_empty() || word.strip_suffix(':').is_some_and(is_name)
}

/// All behind the `?` of an address. One that repeats what an expression says before it is none.
fn query(value: &str, from: usize) -> Option<Range<usize>> {
    let start = from + value[from..].find('?')? + 1;
    let (before, after) = (&value[..start - 1], value[start..].trim_end());
    if before.ends_with([')', ']', '}', '*', '+']) {
        return None;
    }
    let name = after.split_once('=').map_or("", |(name, _)| name);
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c));
    let is_address = before.contains("//") || (!before.is_empty() && !before.starts_with('/') && is_name(name));
    (is_address && !after.is_empty()).then_some(start..start + after.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(value: &str, shown: &str) {
        assert_eq!(veiled(value), shown);
        assert_eq!(veiled_message(&format!("`{value}` is none")), format!("`{shown}` is none"));
    }

    #[test]
    fn of_an_address_all_but_the_user_is_shown() {
        check("https://u:sekret@h:4318/a", "https://***@h:4318/a");
        check("https://sekret@h", "https://***@h");
        check("https://u:sek/ret@x@h", "https://***@h");
        check("https://u:sek ret@h", "https://***@h");
        check("//u:sekret@h", "//***@h");
        check("https:/u:sekret@h", "https:/***@h");
        check("u:sekret@h:4318", "***@h:4318");
        check("u:sek/ret@h", "***@h");
        check("u:@h", "***@h");
        check("https://***@h", "https://***@h");
        check("u:pa//ss@h", "***@h");
        check("redis:/u:pa//ss@h", "redis:/***@h");
        check("Ada\u{a0}u:sekret@h", "Ada\u{a0}***@h");
    }

    #[test]
    fn of_an_address_nothing_behind_the_question_mark_is_shown() {
        check("https://h/?api-key=sekret", "https://h/?***");
        check("https://h/a?sekret", "https://h/a?***");
        check("https://u:sekret@h/?a=sekret", "https://***@h/?***");
        check("h:4318/a?api-key=sekret", "h:4318/a?***");
        check("https://h/?a=sek@ret", "https://***");
        check("https://u:sek?ret@h/", "https://***");
    }

    #[test]
    fn what_is_no_address_is_shown_as_it_is() {
        for text in [
            "file:/run/a@b",
            "ada@example.org",
            "@",
            "h:80",
            "/a?b=c",
            "https://h/",
            "^https?://h$",
            "ä?",
            EXPRESSION,
            SPACED,
        ] {
            check(text, text);
        }
        let help = "write `rediss://USER:PASSWORD@HOST/1`, where `@` is `%40`: is it https://h? or a@b";
        assert_eq!(veiled_message(help), help);
    }

    const EXPRESSION: &str = r"^https://([a-z]+\.)?example\.org(";
    /// The spaces take two and three bytes.
    const SPACED: &str = "Ada\u{a0}ada@\u{3000}example.org";

    #[test]
    fn in_a_message_what_follows_an_address_is_shown() {
        let message = "no answer from https://h/?sekret: try `u:sekret@h` or \"u:sekret@i\", not a@b";
        let shown = "no answer from https://h/?*** try `***@h` or \"***@i\", not a@b";
        assert_eq!(veiled_message(message), shown);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[a:/@? `ä\"=\u{a0}\u{3000}]{0,12}", any: String) {
            veiled(&text);
            let shown = veiled_message(&text);
            prop_assert_eq!(veiled_message(&shown), shown);
            veiled_message(&any);
        }
    }
}
