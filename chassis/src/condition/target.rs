//! Comparing paths as operations are found by them: whoever spells one in another way must not pass a condition by.

use super::operator::{Compiled, Test};
use crate::conf::BuildError;
use crate::invocation::Invocation;
use crate::route::comparable;

/// A test of paths that is ready to be made.
pub(super) struct Target {
    strict: Compiled,
    // Where a slash at the end does not count.
    lax: Compiled,
}

impl Target {
    pub(super) fn build(test: &Test) -> Result<Self, BuildError> {
        possible(test)?;
        let canonical = |text: &String| comparable(text).into_owned();
        let without_slash = |text: &String| bare(&comparable(text)).to_owned();
        Ok(Self {
            strict: test.spelled(&canonical, &canonical).build()?,
            lax: test.spelled(&without_slash, &canonical).build()?,
        })
    }

    pub(super) fn holds(&self, invocation: &Invocation) -> bool {
        let path = comparable(invocation.path());
        if invocation.call.is_strict() {
            self.strict.holds([&*path])
        } else {
            // With the slash too: what is below `/files/` may be nothing.
            self.lax.holds_spelled([&path, bare(&path)])
        }
    }
}

/// Refuses what no path is: whoever wrote it meant something else.
fn possible(test: &Test) -> Result<(), BuildError> {
    let operators = match test {
        Test::Exact(text) => return path("", text),
        Test::Operators(operators) => operators,
    };
    if operators.bounds().next().is_some() {
        return Err(BuildError::new("", "a path is no number").with_help("compare it with texts, or with `regex`"));
    }
    if operators.present == Some(false) {
        let error = BuildError::new("present", "a path is always there");
        return Err(error.with_help("remove `present`, and `path` if nothing else is said of it"));
    }
    let whole = [("exact", &operators.exact), ("not", &operators.not), ("prefix", &operators.prefix)];
    for (key, text) in whole {
        text.as_ref().map_or(Ok(()), |text| path(key, text))?;
    }
    let mut listed = operators.one_of.iter().flatten().enumerate();
    listed.try_for_each(|(at, text)| path(&format!("in[{at}]"), text))
}

/// Refuses a text that no path is and none begins with.
fn path(key: &str, text: &str) -> Result<(), BuildError> {
    if text == "*" || text.starts_with('/') && !text.contains(['?', '#']) {
        return Ok(());
    }
    let error = BuildError::new(key, format!("no path is `{text}`, and none begins with it"));
    Err(error.with_help("a path begins with `/` and ends before the query: `/greetings/ada`"))
}

/// The path without the slash that does not count: a single one at the end, which is not all of it.
fn bare(path: &str) -> &str {
    path.strip_suffix('/').filter(|before| !before.is_empty() && !before.ends_with('/')).unwrap_or(path)
}
