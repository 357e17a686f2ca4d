//! How much of a line may be shown when nothing says yet which values are secrets: keys and brackets.

/// How many characters of the line lead to its first value. What stands behind them may be a secret, or part of one, and
/// who reads a file that is no YAML cannot know.
pub(super) fn before_values(line: &str) -> usize {
    let all = line.chars().count();
    if ["---", "..."].contains(&line.trim_end()) {
        return all;
    }
    let mut rest = line;
    loop {
        rest = rest.trim_start();
        if let Some(behind) = rest.strip_prefix(BRACKETS).or_else(|| bullet(rest)) {
            rest = behind;
        } else if let Some(behind) = key(rest) {
            rest = behind.trim_start();
            // A value follows, unless it is a map or a list: `secret: one: two` has one key and one value.
            if !rest.starts_with(['{', '[']) {
                break;
            }
        } else {
            break;
        }
    }
    all - rest.chars().count()
}

const BRACKETS: [char; 5] = ['{', '}', '[', ']', ','];

/// What follows the mark of a list item.
fn bullet(text: &str) -> Option<&str> {
    text.strip_prefix('-').filter(|behind| is_apart(behind))
}

/// What follows a key and its colon.
fn key(text: &str) -> Option<&str> {
    let quoted = ['"', '\''].into_iter().find_map(|quote| {
        let behind = name(text.strip_prefix(quote)?)?;
        behind.strip_prefix(quote)
    });
    quoted.or_else(|| name(text))?.strip_prefix(':').filter(|behind| is_apart(behind))
}

/// What follows a name as keys have them.
fn name(text: &str) -> Option<&str> {
    let behind = text.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "-_.*<".contains(c));
    (behind.len() < text.len()).then_some(behind)
}

fn is_apart(behind: &str) -> bool {
    behind.is_empty() || behind.starts_with(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(line: &str, expected: &str) {
        assert_eq!(line.chars().take(before_values(line)).collect::<String>(), expected, "{line}");
    }

    #[test]
    fn keys_and_brackets_are_shown_and_no_value_is() {
        check("  password: hunter2", "  password: ");
        check("password:", "password:");
        check("auth: { jwt: { keys: { secret: hunter2 } } }", "auth: { jwt: { keys: { secret: ");
        check("- token: hunter2", "- token: ");
        check("- hunter2", "- ");
        check("  - [hunter2]", "  - [");
        check("'greeting.*': { chain: own }", "'greeting.*': { chain: ");
        check("} }, ]", "} }, ]");
        check("---", "---");
    }

    #[test]
    fn what_is_not_clearly_a_key_is_a_value() {
        check("secret: hunter2: x", "secret: ");
        check("hunter2", "");
        check("MIIEvQIBADANBgkqhkiG9w0BAQEFAASC==", "");
        check("-----BEGIN PRIVATE KEY-----", "");
        check("secret:hunter2", "");
        check("secret: \"hunter2", "secret: ");
        check("secret: # hunter2", "secret: ");
        check("\"hunter2: x", "");
        check("pass word: hunter2", "");
        check("!hunter2", "");
        check("schlüssel: hunter2", "");
    }

    proptest! {
        #[test]
        fn no_line_is_longer_than_it_is(line: String) {
            prop_assert!(before_values(&line) <= line.chars().count());
        }
    }
}
