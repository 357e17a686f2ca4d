//! What is different for some operations, and which of several patterns decides.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::access::Policy;
use super::timeout::Timeout;

/// What is different for the operations that a pattern matches.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Overrides {
    /// What these handlers do differently; what is not said here holds as under `handlers`.
    pub handlers: BTreeMap<String, Value>,
    /// How long a call may take; `none` for no limit.
    pub timeout: Option<Timeout>,
    /// The chain that calls pass.
    #[schemars(extend("examples" = ["default"]))]
    pub chain: Option<String>,
    /// Who may call, where that is to be another than the code says. It may ask for more; for less only with a
    /// `reason`.
    pub access: Option<Policy>,
}

/// A pattern of operation ids: `greeting.hello`, `greeting.*`, `*.list`, `greeting.get-*`, `*`.
///
/// A `*` stands for any characters of the schema or of the method; alone it stands for every operation. `-` and `_`
/// mean the same, so that the environment can name an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    schema: String,
    method: String,
}

impl Pattern {
    /// Reads a pattern; `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (schema, method) = if text == "*" { ("*", "*") } else { text.split_once('.')? };
        let sound =
            |half: &str| !half.is_empty() && half.chars().all(|c| c.is_ascii_alphanumeric() || "_-*".contains(c));
        (sound(schema) && sound(method)).then(|| Self {
            text: text.to_owned(),
            schema: schema.replace('_', "-"),
            method: method.replace('_', "-"),
        })
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it means one operation only.
    pub fn is_exact(&self) -> bool {
        !self.text.contains('*')
    }

    /// Whether it matches the operation of this id.
    pub fn matches(&self, id: &str) -> bool {
        id.split_once('.').is_some_and(|(schema, method)| {
            glob(&self.schema, &schema.replace('_', "-")) && glob(&self.method, &method.replace('_', "-"))
        })
    }

    /// Whether it may match an operation of this schema.
    pub fn is_about(&self, schema: &str) -> bool {
        glob(&self.schema, &schema.replace('_', "-"))
    }

    /// Less specific first. The schema counts before the method; of two halves the one without `*` is more specific,
    /// then the one with more characters spelled out. What is still equal is ordered by its text.
    fn specificity(&self) -> impl Ord {
        let half = |half: &str| (!half.contains('*'), half.chars().filter(|c| *c != '*').count());
        (half(&self.schema), half(&self.method))
    }
}

impl PartialOrd for Pattern {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Pattern {
    fn cmp(&self, other: &Self) -> Ordering {
        self.specificity().cmp(&other.specificity()).then_with(|| self.text.cmp(&other.text))
    }
}

/// Whether a text is what a pattern with `*` says.
fn glob(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let Some((middle, last)) = rest.rsplit_once('*') else { return text.ends_with(rest) };
    for part in middle.split('*') {
        match text.split_once(part) {
            Some((_, after)) => text = after,
            None => return false,
        }
    }
    text.ends_with(last)
}

/// What holds for one operation after all patterns have spoken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// The patterns that match, the least specific first.
    pub patterns: Vec<String>,
    /// How long a call may take, if a pattern says.
    pub timeout: Option<Timeout>,
    /// The chain that calls pass, if a pattern says.
    pub chain: Option<String>,
    /// Who may call, if a pattern says, and which one does.
    pub access: Option<(String, Policy)>,
}

impl Settled {
    /// What `operations` says about the operation of this id.
    pub fn of(operations: &BTreeMap<String, Overrides>, id: &str) -> Self {
        let mut matching: Vec<_> = operations
            .iter()
            .filter_map(|(text, overrides)| Some((Pattern::parse(text)?, overrides)))
            .filter(|(pattern, _)| pattern.matches(id))
            .collect();
        matching.sort_by(|(one, _), (other, _)| one.cmp(other));
        matching.into_iter().fold(Self::default(), |mut settled, (pattern, overrides)| {
            settled.timeout = overrides.timeout.or(settled.timeout);
            settled.chain = overrides.chain.clone().or(settled.chain);
            let access = overrides.access.clone().map(|access| (pattern.text.clone(), access));
            settled.access = access.or(settled.access);
            settled.patterns.push(pattern.text);
            settled
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(pattern: &str, id: &str, expected: bool) {
        assert_eq!(Pattern::parse(pattern).map(|pattern| pattern.matches(id)), Some(expected), "{pattern} {id}");
    }

    #[test]
    fn a_star_stands_for_any_characters_of_one_half() {
        check("greeting.hello", "greeting.hello", true);
        check("greeting.hello", "greeting.hello2", false);
        check("greeting.*", "greeting.hello", true);
        check("greeting.*", "other.hello", false);
        check("*.list", "greeting.list", true);
        check("*", "greeting.list", true);
        check("greeting.get-*", "greeting.get_all", true);
        check("greeting.*-*-x", "greeting.a-b-c-x", true);
        check("greeting.a*a", "greeting.a", false);
    }

    #[test]
    fn what_is_no_pattern_is_none() {
        for text in ["greeting", "greeting.", ".hello", "a.b.c", "a b.c", ""] {
            assert_eq!(Pattern::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_more_specific_pattern_decides() {
        let order = [
            "*",
            "*.*t",
            "*.list",
            "g*.*",
            "greeting.*",
            "greeting.*t",
            "greeting.l*",
            "greeting.li*",
            "greeting.list",
        ];
        let mut patterns: Vec<_> = order.iter().rev().filter_map(|text| Pattern::parse(text)).collect();
        patterns.sort();
        assert_eq!(patterns.iter().map(Pattern::as_str).collect::<Vec<_>>(), order);
    }

    #[test]
    fn each_key_is_settled_by_the_most_specific_pattern_that_says_it() {
        let operations = serde_json::from_value(serde_json::json!({
            "*": { "timeout": "1s", "chain": "all" },
            "greeting.*": { "timeout": "2s" },
            "greeting.hello": { "timeout": "none" },
            "other.*": { "chain": "other" },
        }));
        let settled = Settled::of(&operations.unwrap(), "greeting.hello");
        let patterns = ["*", "greeting.*", "greeting.hello"].map(str::to_owned).to_vec();
        assert_eq!(
            settled,
            Settled { patterns, timeout: Some(Timeout(None)), chain: Some("all".to_owned()), access: None }
        );
    }

    proptest! {
        #[test]
        fn globs_mean_what_the_naive_matcher_says(pattern in "[ab*]{0,6}", text in "[ab]{0,6}") {
            fn naive(pattern: &[u8], text: &[u8]) -> bool {
                match (pattern.first(), text.first()) {
                    (None, first) => first.is_none(),
                    (Some(b'*'), first) => naive(&pattern[1..], text) || (first.is_some() && naive(pattern, &text[1..])),
                    (Some(wanted), Some(found)) => wanted == found && naive(&pattern[1..], &text[1..]),
                    (Some(_), None) => false,
                }
            }
            prop_assert_eq!(glob(&pattern, &text), naive(pattern.as_bytes(), text.as_bytes()));
        }
    }
}
