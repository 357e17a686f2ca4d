//! `#[get]` and its siblings where no `#[operations]` reads them.

use proc_macro2::{Span, TokenStream};
use quote::quote;

/// The item as it is, and what to do about the attribute.
pub(crate) fn expand(verb: &str, item: &TokenStream) -> TokenStream {
    let message = format!("`#[{verb}]` means something only in an `impl` block marked `#[operations]`: mark the block");
    let error = syn::Error::new(Span::call_site(), message).to_compile_error();
    quote!(#item #error)
}
