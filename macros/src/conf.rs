//! `#[conf]`: a struct or enum that YAML fills.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::{Attribute, Fields, Generics, Ident, Item, ItemEnum, ItemStruct, Path, Token};

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
    let fields = match &mut item {
        Item::Struct(item) => of_struct(item, errors),
        Item::Enum(item) => of_enum(item, errors),
        other => {
            errors.at(plain::beginning(&*other), "`#[conf]` stands on a struct or an enum");
            return other.to_token_stream();
        }
    };
    let derives = derives(krate, &item);
    let Some((owner, fields)) = fields else { return quote!(#derives #item) };
    let (values, functions) = (values(krate, &fields), fields.iter().map(|field| field.functions(krate)));
    let functions: TokenStream = functions.collect();
    let functions = (!functions.is_empty()).then(|| quote!(impl #owner { #functions }));
    let default = default(&item, &fields);
    quote!(#values #derives #item #functions #default)
}

/// The fields of a struct, or `None` if it cannot be a conf.
fn of_struct(item: &mut ItemStruct, errors: &mut Errors) -> Option<(Ident, Vec<Field>)> {
    let message = match &item.fields {
        Fields::Named(_) => None,
        Fields::Unnamed(_) => Some("the values of a conf have names in YAML: write `struct Name { field: Type }`"),
        Fields::Unit => Some("this conf holds nothing: where nothing is configured, use `()`"),
    };
    let owner = item.ident.clone();
    let shape = message.map(|message| errors.at(&owner, message));
    let concrete = errors.take(concrete(&item.generics));
    let fields = item.fields.iter_mut().filter_map(|field| Field::take(&owner, None, field, errors)).collect();
    (shape.is_none() && concrete.is_some()).then_some((owner, fields))
}

/// The fields of all variants of an enum, or `None` if it cannot be a conf.
fn of_enum(item: &mut ItemEnum, errors: &mut Errors) -> Option<(Ident, Vec<Field>)> {
    let owner = item.ident.clone();
    let concrete = errors.take(concrete(&item.generics));
    let mut fields = Vec::new();
    for variant in &mut item.variants {
        let (place, of_variant) = (&variant.ident, variant.fields.iter_mut());
        fields.extend(of_variant.filter_map(|field| Field::take(&owner, Some(place), field, errors)));
    }
    concrete.map(|()| (owner, fields))
}

fn concrete(generics: &Generics) -> syn::Result<()> {
    match generics.params.is_empty() {
        true => Ok(()),
        false => {
            Err(syn::Error::new_spanned(generics, "a conf cannot be generic: YAML does not say which type is meant"))
        }
    }
}

/// The check that YAML can fill every field: it says what to do, where the derives only say what is missing.
fn values(krate: &Path, fields: &[Field]) -> Option<TokenStream> {
    let types: Vec<_> = fields.iter().filter_map(Field::foreign).collect();
    (!types.is_empty()).then(|| quote!(const _: () = { #(#krate::generated::conf_value::<#types>();)* };))
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
