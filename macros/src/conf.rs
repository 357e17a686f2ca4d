//! `#[conf]`: a struct or enum that YAML fills.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::{Attribute, Fields, Ident, Item, Path, Token};

use crate::errors::Errors;
use crate::{krate, notes, plain};

mod field;
mod range;

use field::Field;

/// The code for `#[conf(attribute)] item`.
pub(crate) fn expand(attribute: TokenStream, item: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let krate = options(attribute, &mut errors);
    let code = match syn::parse2(item.clone()) {
        Ok(item) => conf(&krate, item, &mut errors),
        Err(error) => {
            errors.push(error);
            item.clone()
        }
    };
    let errors = errors.into_tokens();
    quote!(#code #errors)
}

fn options(attribute: TokenStream, errors: &mut Errors) -> Path {
    let mut krate = None;
    for note in notes::read(attribute, errors) {
        match note.word() {
            Some(word) if word == "crate" => krate = errors.take(note.into_path()),
            _ => errors.at(note, "on a type `#[conf]` takes no options: `default` and `range` stand on its fields"),
        }
    }
    krate.unwrap_or_else(krate::default)
}

/// The item with what serde and schemars need, and the functions that its fields call. The type that `#[schema]`
/// collects its fields in goes through here too.
pub(crate) fn conf(krate: &Path, mut item: Item, errors: &mut Errors) -> TokenStream {
    let (owner, fields) = match &mut item {
        Item::Struct(item) => {
            errors.take(plain::without_generics(&item.generics, "a conf"));
            (item.ident.clone(), of_struct(&item.ident, &mut item.fields, errors))
        }
        Item::Enum(item) => {
            errors.take(plain::without_generics(&item.generics, "a conf"));
            let variants = item.variants.iter_mut();
            let fields = variants.flat_map(|variant| {
                let place = Some(&variant.ident);
                variant.fields.iter_mut().map(move |field| (place, field))
            });
            let owner = &item.ident;
            (owner.clone(), fields.filter_map(|(variant, field)| Field::take(owner, variant, field, errors)).collect())
        }
        other => {
            errors.at(plain::beginning(&*other), "`#[conf]` stands on a struct or an enum");
            return other.to_token_stream();
        }
    };
    let derives = derives(krate, &item);
    let functions = fields.iter().map(|field| field.functions(krate));
    let default = default(&item, &fields);
    quote! {
        #derives
        #item
        impl #owner { #(#functions)* }
        #default
    }
}

fn of_struct(owner: &Ident, fields: &mut Fields, errors: &mut Errors) -> Vec<Field> {
    if let Fields::Unnamed(_) = fields {
        errors.at(owner, "the values of a conf have names in YAML: write `struct Name { field: Type }`");
    }
    fields.iter_mut().filter_map(|field| Field::take(owner, None, field, errors)).collect()
}

/// The derives that the user did not write, and the attributes that make them strict.
fn derives(krate: &Path, item: &Item) -> TokenStream {
    let attributes = match item {
        Item::Struct(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        _ => return TokenStream::new(),
    };
    let wanted = [
        ("Clone", quote!(::core::clone::Clone)),
        ("Debug", quote!(::core::fmt::Debug)),
        ("Serialize", quote!(#krate::generated::serde::Serialize)),
        ("Deserialize", quote!(#krate::generated::serde::Deserialize)),
        ("JsonSchema", quote!(#krate::generated::schemars::JsonSchema)),
    ];
    let written = derived(attributes);
    let derives = wanted.iter().filter(|(name, _)| !written.iter().any(|had| had == name)).map(|(_, path)| path);
    let (serde, schemars) = (krate::text(krate, "generated::serde"), krate::text(krate, "generated::schemars"));
    let fields = matches!(item, Item::Enum(_)).then(|| quote!(rename_all_fields = "kebab-case",));
    quote! {
        #[derive(#(#derives),*)]
        #[serde(crate = #serde, rename_all = "kebab-case", #fields deny_unknown_fields)]
        #[schemars(crate = #schemars)]
    }
}

/// The names of the traits that are derived already.
fn derived(attributes: &[Attribute]) -> Vec<Ident> {
    let paths = attributes.iter().filter(|attribute| attribute.path().is_ident("derive"));
    let paths = paths.filter_map(|derive| derive.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated).ok());
    paths.flatten().filter_map(|path| path.segments.last().map(|segment| segment.ident.clone())).collect()
}

/// `Default`, where every field has one and the user did not write it.
fn default(item: &Item, fields: &[Field]) -> Option<TokenStream> {
    let Item::Struct(item) = item else { return None };
    if derived(&item.attrs).iter().any(|name| name == "Default") {
        return None;
    }
    let (owner, names) = (&item.ident, fields.iter().map(|field| &field.ident));
    let values = fields.iter().map(Field::initial).collect::<Option<Vec<_>>>()?;
    Some(quote! {
        impl ::core::default::Default for #owner {
            fn default() -> Self {
                Self { #(#names: #values),* }
            }
        }
    })
}
