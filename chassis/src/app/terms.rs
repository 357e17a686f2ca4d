//! What configuration says of the steps of a chain with the keys that every handler takes.

use std::sync::Arc;

use super::instances::Tools;
use crate::catalog::HandlerEntry;
use crate::chain::{Form, Terms};
use crate::condition::When;
use crate::conf::{BuildError, Section};

/// On which calls a step runs and how many of its refusals count, and the condition that says the former.
pub(super) fn terms(
    section: &Section<'_>,
    entry: &HandlerEntry,
    form: &Form,
    tools: &Tools,
) -> Result<(Option<Arc<Terms>>, Option<When>), BuildError> {
    let said = section.terms()?;
    if let (Form::Wrap(handler), Some(key)) = (form, said.sparing())
        && !handler.heeds_mandate()
    {
        let message = format!("`{}` wraps the rest of the chain: it cannot decide without acting", entry.head.name);
        return Err(BuildError::new(key, message).with_help(format!("remove `{key}`; `when` works with it")));
    }
    let terms = Terms::build(&said, entry.head.name, &tools.process, &tools.random)?;
    Ok((terms.map(Arc::new), said.when))
}

/// Why nobody can rely on a handler, where nobody can.
pub(super) fn weakness(section: &Section<'_>) -> Option<String> {
    // What is wrong with the keys themselves is said where they are built.
    let key = section.terms().ok()?.weakening()?;
    let place = section.origin(key).map(|origin| format!(" ({origin})")).unwrap_or_default();
    Some(format!("`{key}`{place}"))
}

/// The key with which a handler is told to let calls pass without acting on them, if there is one.
pub(super) fn sparing(section: &Section<'_>) -> Option<&'static str> {
    section.terms().ok()?.sparing()
}
