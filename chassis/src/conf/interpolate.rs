//! `${VAR}` and `${VAR||default}` inside the text of a value.

use std::borrow::Cow;

/// What is wrong with a reference to a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unresolved {
    /// The reference as far as it is written, to find it in the file.
    pub written: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

/// Replaces every reference in `text`. `$${` stands for a `${` that is none.
///
/// A variable that is not set, or set to nothing, takes the default; one without a default must be set. What a
/// variable holds is not looked through again.
pub(crate) fn expand<'a, F>(text: &'a str, variable: F) -> Result<Cow<'a, str>, Unresolved>
where
    F: Fn(&str) -> Option<String>,
{
    if !text.contains("${") {
        return Ok(Cow::Borrowed(text));
    }
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, reference) = rest.split_at(at);
        if let Some(before) = before.strip_suffix('$') {
            expanded.push_str(before);
            expanded.push_str("${");
            rest = &reference[2..];
            continue;
        }
        let end = reference.find('}').ok_or_else(|| unclosed(reference))?;
        expanded.push_str(before);
        expanded.push_str(&value(&reference[2..end], variable(name(&reference[2..end])))?);
        rest = &reference[end + 1..];
    }
    expanded.push_str(rest);
    Ok(Cow::Owned(expanded))
}

/// The same for a scalar without quotes, where references that come to nothing would take the key back without a word.
pub(crate) fn expand_plain<'a, F>(text: &'a str, variable: F) -> Result<Cow<'a, str>, Unresolved>
where
    F: Fn(&str) -> Option<String>,
{
    let expanded = expand(text, variable)?;
    let is_meant = text.is_empty() || text.contains("||");
    if is_meant || !expanded.trim().is_empty() {
        return Ok(expanded);
    }
    Err(Unresolved {
        written: text.to_owned(),
        message: format!("`{text}` is empty here, and nothing is said"),
        help: "set the variable, or write `${NAME||}` to leave the key at its default without it".to_owned(),
    })
}

fn name(reference: &str) -> &str {
    reference.split_once("||").map_or(reference, |(name, _)| name).trim()
}

fn value(reference: &str, set: Option<String>) -> Result<String, Unresolved> {
    let name = name(reference);
    let valid = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    let default = reference.split_once("||").map(|(_, default)| default);
    match (set, default) {
        _ if !valid => Err(invalid(reference)),
        (Some(value), None) => Ok(value),
        (Some(value), Some(_)) if !value.is_empty() => Ok(value),
        (_, Some(default)) => Ok(default.to_owned()),
        (None, None) => Err(unset(reference, name)),
    }
}

fn unclosed(reference: &str) -> Unresolved {
    Unresolved {
        written: reference.lines().next().unwrap_or_default().chars().take(32).collect(),
        message: "`${` has no `}`".to_owned(),
        help: "write `$${` for the text `${` itself".to_owned(),
    }
}

fn invalid(reference: &str) -> Unresolved {
    Unresolved {
        written: format!("${{{reference}}}"),
        // What stands there is not repeated: it may be a piece of a secret.
        message: "`${…}` does not name an environment variable here".to_owned(),
        help: "write `${NAME}` or `${NAME||default}`, or `$${` for the text `${` itself".to_owned(),
    }
}

fn unset(reference: &str, name: &str) -> Unresolved {
    Unresolved {
        written: format!("${{{reference}}}"),
        message: format!("the environment variable `{name}` is not set"),
        help: format!("set it, or say what to use without it: `${{{name}||default}}`"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn variable(name: &str) -> Option<String> {
        match name {
            "HOST" => Some("example.com".to_owned()),
            "TRAP" => Some("${HOST}".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        }
    }

    fn check(text: &str, expected: Result<&str, &str>) {
        let expanded = expand(text, variable);
        assert_eq!(expanded.as_deref().map_err(|error| error.message.as_str()), expected, "{text}");
    }

    #[test]
    fn references_are_replaced_wherever_they_stand() {
        check("${HOST}", Ok("example.com"));
        check("https://${HOST}:${PORT||8443}/", Ok("https://example.com:8443/"));
        check("${PORT||}", Ok(""));
        check("${EMPTY||full}", Ok("full"));
        check("${EMPTY}", Ok(""));
        check("plain $HOST {}", Ok("plain $HOST {}"));
    }

    #[test]
    fn a_doubled_dollar_is_no_reference() {
        check("$${HOST}", Ok("${HOST}"));
        check("$${${HOST}}", Ok("${example.com}"));
    }

    #[test]
    fn what_a_variable_holds_is_not_looked_through_again() {
        check("${TRAP}", Ok("${HOST}"));
    }

    #[test]
    fn a_variable_without_value_and_default_is_a_problem() {
        check("a ${NOWHERE} b", Err("the environment variable `NOWHERE` is not set"));
        check("${HOST", Err("`${` has no `}`"));
        check("${a b}", Err("`${…}` does not name an environment variable here"));
        check("${}", Err("`${…}` does not name an environment variable here"));
    }

    #[test]
    fn what_is_nothing_takes_no_key_back_unless_that_is_meant() {
        let said = expand_plain("${EMPTY}", variable).unwrap_err();
        assert_eq!(said.message, "`${EMPTY}` is empty here, and nothing is said");
        for meant in ["", "${EMPTY||}", "${NOWHERE||}"] {
            assert_eq!(expand_plain(meant, variable).unwrap(), "", "{meant}");
        }
        assert_eq!(expand_plain("${HOST}", variable).unwrap(), "example.com");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[a${}|A ]{0,24}") {
            let _ = expand(&text, variable);
        }

        #[test]
        fn text_without_references_is_left_alone(text in "[^$]*") {
            prop_assert_eq!(expand(&text, variable), Ok(Cow::Borrowed(text.as_str())));
        }
    }
}
