//! The attributes of chassis: a schema, its operations, its handlers, components and configuration.

use proc_macro::TokenStream;

mod component;
mod conf;
mod docs;
mod entry;
mod errors;
mod handler;
mod krate;
mod names;
mod notes;
mod operations;
mod plain;
mod schema;
mod stray;

/// schema
#[proc_macro_attribute]
pub fn schema(attribute: TokenStream, item: TokenStream) -> TokenStream {
    schema::expand(attribute.into(), item.into()).into()
}

/// operations
#[proc_macro_attribute]
pub fn operations(attribute: TokenStream, item: TokenStream) -> TokenStream {
    operations::expand(attribute.into(), item.into()).into()
}

/// handler
#[proc_macro_attribute]
pub fn handler(attribute: TokenStream, item: TokenStream) -> TokenStream {
    handler::expand(attribute.into(), item.into()).into()
}

/// component
#[proc_macro_attribute]
pub fn component(attribute: TokenStream, item: TokenStream) -> TokenStream {
    component::expand(attribute.into(), item.into()).into()
}

/// conf
#[proc_macro_attribute]
pub fn conf(attribute: TokenStream, item: TokenStream) -> TokenStream {
    conf::expand(attribute.into(), item.into()).into()
}

macro_rules! verbs {
    ($($verb:ident)*) => {
        $(
            /// verb
            #[proc_macro_attribute]
            pub fn $verb(_: TokenStream, item: TokenStream) -> TokenStream {
                stray::expand(stringify!($verb), item.into()).into()
            }
        )*
    };
}

verbs!(get post put patch delete head options route);
