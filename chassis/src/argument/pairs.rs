//! Reads `a=1&b=2`, the form of queries and of simple HTML forms (WHATWG URL §5).

use form_urlencoded::parse;
use serde::de::DeserializeOwned;
use serde_html_form::Deserializer;
use serde_path_to_error::Path;

use super::refusal::{Flaw, locate};
use crate::invocation::decode;

/// Why pairs were not read.
pub(super) enum Unread {
    /// They are not percent-encoded as they should be.
    Malformed(Flaw),
    /// They do not fit the type.
    Misfit(Flaw),
}

/// Reads pairs into a type; `flaw` says how a place in it is named.
pub(super) fn read<T: DeserializeOwned>(text: &str, flaw: fn(&Path, &str) -> Flaw) -> Result<T, Unread> {
    // The parser replaces what it cannot decode; we would rather know.
    if decode(text).is_err()
        && let Some(broken) = broken(text)
    {
        return Err(Unread::Malformed(broken));
    }
    T::deserialize(pairs(text)).map_err(|error| {
        let message = error.to_string();
        let located = locate::<T, _>(pairs(text)).map(|(path, _)| flaw(&path, &message));
        Unread::Misfit(located.unwrap_or_else(|| Flaw::new("", message)))
    })
}

fn pairs(text: &str) -> Deserializer<'_> {
    Deserializer::new(parse(text.as_bytes()))
}

/// The first pair that cannot be decoded.
#[cold]
fn broken(text: &str) -> Option<Flaw> {
    text.split('&').find_map(|pair| {
        let error = decode(pair).err()?;
        let (name, _) = parse(pair.as_bytes()).next()?;
        Some(Flaw::new(name, error.to_string()))
    })
}
