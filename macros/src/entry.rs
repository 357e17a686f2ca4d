//! Places an entry in a catalog, where `App` finds it.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{Ident, Path};

/// What every entry says of itself; `item` is where it is written.
pub(crate) fn said(krate: &Path, name: &str, doc: &str, item: &Ident) -> TokenStream {
    let location = location(krate, item);
    quote!(#krate::generated::Said { name: #name, doc: #doc, location: #location })
}

/// The place of an item in the source.
pub(crate) fn location(krate: &Path, item: &Ident) -> TokenStream {
    // `line!` tells the line of the outermost macro, unless its own tokens stand where the item stands.
    let span = item.span();
    let [file, line, column] = ["file", "line", "column"].map(|name| {
        let name = Ident::new(name, span);
        quote_spanned!(span=> ::core::#name!())
    });
    quote!(#krate::operation::Location { file: #file, line: #line, column: #column })
}

/// The static in a slice.
pub(crate) fn place(krate: &Path, slice: &str, kind: &str, entry: &TokenStream) -> TokenStream {
    let (slice, kind) = (format_ident!("{slice}"), format_ident!("{kind}"));
    quote! {
        #[#krate::generated::linkme::distributed_slice(#krate::catalog::#slice)]
        #[linkme(crate = #krate::generated::linkme)]
        static ENTRY: #krate::catalog::#kind = #entry;
    }
}
