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

/// The path without the slash that does not count: a single one at the end, which is not all of it.
fn bare(path: &str) -> &str {
    path.strip_suffix('/').filter(|before| !before.is_empty() && !before.ends_with('/')).unwrap_or(path)
}
