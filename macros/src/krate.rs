//! What chassis is called where the code goes.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::{Path, parse_quote};

/// Its own name. Another is said with `crate = name`, or for all at once with `extern crate name as chassis;`.
pub(crate) fn default() -> Path {
    parse_quote!(::chassis)
}

/// The same name, for code at which the compiler should point elsewhere.
pub(crate) fn at(krate: &Path, span: Span) -> TokenStream {
    let tokens = krate.to_token_stream().into_iter().map(|mut token| {
        token.set_span(span);
        token
    });
    tokens.collect()
}

/// A path in it, as text, for the attributes of serde and schemars.
pub(crate) fn text(krate: &Path, path: &str) -> String {
    format!("{}::{path}", krate.to_token_stream().to_string().replace(' ', ""))
}
