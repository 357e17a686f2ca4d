//! Where a value stands in the configuration, such as `handlers.rate-limit.burst`.

use std::fmt;

/// The keys that lead to a value. Written with dots, list places in brackets: `chain.provider.default[2]`.
///
/// A key that contains a dot is put in quotes. The one exception: what follows `operations.` is a pattern of
/// operation ids, which have a dot themselves, so `operations.greeting.hello.timeout` is the key `timeout` of the
/// pattern `greeting.hello`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyPath(Vec<Step>);

/// One step of the way to a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Into a map.
    Key(String),
    /// Into a list, from 0.
    Index(usize),
}

/// What stands below a pattern; a lone `*` before one of these is a whole pattern.
const BELOW_PATTERN: [&str; 4] = ["handlers", "timeout", "chain", "access"];

impl KeyPath {
    /// The configuration as a whole.
    pub fn root() -> Self {
        Self::default()
    }

    /// Reads the written form. Every text is a path.
    pub fn parse(text: &str) -> Self {
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            rest = step(rest, &mut steps);
        }
        Self(grouped(steps))
    }

    /// The path of these keys, as an environment variable names them.
    pub fn of_keys<S: Into<String>>(keys: impl IntoIterator<Item = S>) -> Self {
        Self(grouped(keys.into_iter().map(|key| Step::Key(key.into())).collect()))
    }

    /// The steps, outermost first.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The path of a key of this map.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.with(Step::Key(key.to_owned()))
    }

    /// The path of an item of this list.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.with(Step::Index(index))
    }

    /// The path of something further below.
    #[must_use]
    pub fn join(&self, below: &Self) -> Self {
        Self(self.0.iter().chain(&below.0).cloned().collect())
    }

    /// The path of what holds this, so many steps from the outside.
    pub(crate) fn first(&self, length: usize) -> Self {
        Self(self.0.iter().take(length).cloned().collect())
    }

    pub(crate) fn with(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

/// Reads one step off the front, the dot after it included.
fn step<'a>(text: &'a str, steps: &mut Vec<Step>) -> &'a str {
    if let Some((index, rest)) = index(text) {
        steps.push(Step::Index(index));
        return rest.strip_prefix('.').unwrap_or(rest);
    }
    if let Some((key, rest)) = text.strip_prefix('"').and_then(|text| text.split_once('"')) {
        steps.push(Step::Key(key.to_owned()));
        return rest.strip_prefix('.').unwrap_or(rest);
    }
    let bracket =
        text.char_indices().filter(|(_, c)| *c == '[').map(|(at, _)| at).find(|at| index(&text[*at..]).is_some());
    let end = text.find('.').into_iter().chain(bracket.filter(|at| *at > 0)).min().unwrap_or(text.len());
    steps.push(Step::Key(text[..end].to_owned()));
    let rest = &text[end..];
    rest.strip_prefix('.').unwrap_or(rest)
}

fn index(text: &str) -> Option<(usize, &str)> {
    let (digits, rest) = text.strip_prefix('[')?.split_once(']')?;
    Some((digits.parse().ok()?, rest))
}

/// Puts the two halves of an operation pattern together.
fn grouped(mut steps: Vec<Step>) -> Vec<Step> {
    let [Step::Key(root), Step::Key(schema), Step::Key(method), ..] = steps.as_slice() else { return steps };
    let whole = schema.contains('.') || (schema == "*" && BELOW_PATTERN.contains(&method.as_str()));
    if root == "operations" && !whole {
        let pattern = format!("{schema}.{method}");
        steps.splice(1..3, [Step::Key(pattern)]);
    }
    steps
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) => {
                    f.write_str(if at > 0 { "." } else { "" })?;
                    let quoted = needs_quotes(key) && !(at == 1 && is_pattern(&self.0[0], key));
                    if quoted { write!(f, "\"{key}\"")? } else { f.write_str(key)? }
                }
            }
        }
        Ok(())
    }
}

fn needs_quotes(key: &str) -> bool {
    key.is_empty() || key.contains(['.', '[', '"'])
}

fn is_pattern(root: &Step, key: &str) -> bool {
    let halves = key.split_once('.');
    let plain = |half: &str| !needs_quotes(half);
    *root == Step::Key("operations".to_owned())
        && halves.is_some_and(|(schema, method)| {
            plain(schema) && plain(method) && !(schema == "*" && BELOW_PATTERN.contains(&method))
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let steps = KeyPath::parse(text).0.into_iter().map(|step| match step {
            Step::Key(key) => key,
            Step::Index(index) => format!("#{index}"),
        });
        assert_eq!(steps.collect::<Vec<_>>(), expected, "{text}");
        assert_eq!(KeyPath::parse(text).to_string(), text);
    }

    #[test]
    fn dots_separate_keys_and_brackets_hold_places() {
        check("", &[]);
        check("handlers.rate-limit.burst", &["handlers", "rate-limit", "burst"]);
        check("chain.provider.default[2].after", &["chain", "provider", "default", "#2", "after"]);
        check("log.targets.\"a.b\"", &["log", "targets", "a.b"]);
    }

    #[test]
    fn an_operation_pattern_is_one_key() {
        check("operations.greeting.hello.timeout", &["operations", "greeting.hello", "timeout"]);
        check("operations.greeting.*", &["operations", "greeting.*"]);
        check("operations.*.handlers.auth", &["operations", "*", "handlers", "auth"]);
        check("operations.*.list.timeout", &["operations", "*.list", "timeout"]);
        check("operations.\"*.timeout\".timeout", &["operations", "*.timeout", "timeout"]);
    }

    proptest! {
        #[test]
        fn every_text_is_a_path(text: String) {
            let _ = KeyPath::parse(&text).to_string();
        }

        #[test]
        fn what_is_written_is_read_back(keys in proptest::collection::vec("[a-z*.-]{0,6}", 0..5)) {
            let path = KeyPath(keys.into_iter().map(Step::Key).collect());
            prop_assume!(grouped(path.0.clone()) == path.0);
            prop_assert_eq!(KeyPath::parse(&path.to_string()), path);
        }
    }
}
