//! Handlers of chassis that not every program has.

/// The handlers that are linked in with a Cargo feature only, because what they stand on is large.
pub(crate) const OPTIONAL: [&str; 1] = ["compression"];

/// What to do about a handler that is not linked in because nobody asked for it.
pub(crate) fn remedy(handler: &str) -> Option<String> {
    OPTIONAL.contains(&handler).then(|| {
        format!(
            "chassis has it with a feature: write `features = [\"{handler}\"]` for `chassis` into the `Cargo.toml` of \
             the service"
        )
    })
}
