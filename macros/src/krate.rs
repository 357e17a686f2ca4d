//! What chassis is called where the code goes.

use quote::ToTokens;
use syn::{Path, parse_quote};

/// Its own name. Another is said with `crate = name`, or for all at once with `extern crate name as chassis;`.
pub(crate) fn default() -> Path {
    parse_quote!(::chassis)
}

/// A path in it, as text, for the attributes of serde and schemars.
pub(crate) fn text(krate: &Path, path: &str) -> String {
    format!("{}::{path}", krate.to_token_stream().to_string().replace(' ', ""))
}
