//! Handlers of chassis that not every program has.

use super::Kind;

/// The handlers that are linked in with a Cargo feature only, because what they stand on is large.
pub(crate) const OPTIONAL: [&str; 1] = ["compression"];

/// What to do about a name of that kind if it is a handler that is not linked in because nobody asked for it.
pub(crate) fn remedy(noun: Option<&str>, name: &str) -> Option<String> {
    (noun == Some(Kind::Handler.word()) && OPTIONAL.contains(&name)).then(|| {
        format!(
            "chassis has it with a feature: write `features = [\"{name}\"]` for `chassis` into the `Cargo.toml` of \
             the service"
        )
    })
}
