//! `#[schema("/prefix")]`: a struct whose methods can be called from outside.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Ident, ItemStruct, LitStr, Path, parse_quote};

use crate::errors::Errors;
use crate::operations::template::Template;
use crate::{conf, docs, entry, krate, names, notes, plain};

mod field;

use field::Field;

const OPTIONS: [&str; 2] = ["name", "crate"];

/// What the attribute says.
struct Said {
    prefix: String,
    name: Option<String>,
    krate: Path,
}

/// The code for `#[schema(attribute)] item`.
pub(crate) fn expand(attribute: TokenStream, item: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let said = read(attribute, &mut errors);
    let mut item: ItemStruct = match syn::parse2(item.clone()) {
        Ok(item) => item,
        Err(_) => {
            errors.at(
                plain::beginning(item),
                "`#[schema]` stands on a struct; the methods go into an `impl` block marked `#[operations]`",
            );
            let errors = errors.into_tokens();
            return quote!(#item #errors);
        }
    };
    errors.take(plain::without_generics(&item.generics, "a schema"));
    let fields = Field::all(&mut item, &mut errors);
    let conf = format_ident!("ConfOf{}", item.ident);
    let conf_code = conf_code(&said.krate, &conf, &fields, &mut errors);
    let schema = Schema { said, doc: docs::text(&item.attrs), ident: item.ident.clone(), fields, conf, conf_code };
    let code = if errors.is_empty() { schema.code() } else { schema.stub(&item) };
    let errors = errors.into_tokens();
    quote!(#item #code #errors)
}

fn read(attribute: TokenStream, errors: &mut Errors) -> Said {
    let (mut prefix, mut name, mut krate) = (None, None, None);
    for note in notes::read(attribute, errors) {
        match (note.word().cloned(), note) {
            (None, note) if prefix.is_none() => prefix = errors.take(note.into_text()),
            (None, note) => errors.at(note, "a schema has one prefix, and it is given already"),
            (Some(word), note) if word == "name" => {
                let text = note.into_text().and_then(|text| names::checked(&text));
                let text = errors.take(text);
                errors.once(&mut name, &word, text);
            }
            (Some(word), note) if word == "crate" => {
                let path = errors.take(note.into_path());
                errors.once(&mut krate, &word, path);
            }
            (Some(word), _) => errors.push(notes::unknown(&word, "#[schema]", &OPTIONS)),
        }
    }
    let prefix = match prefix {
        Some(prefix) => errors.take(prefix_of(&prefix)),
        None => {
            errors.push(syn::Error::new(
                proc_macro2::Span::call_site(),
                "say which path the operations stand below: `#[schema(\"/prefix\")]`",
            ));
            None
        }
    };
    Said { prefix: prefix.unwrap_or_default(), name, krate: krate.unwrap_or_else(krate::default) }
}

fn prefix_of(text: &LitStr) -> syn::Result<String> {
    Template::parse(text).map(|_| text.value())
}

struct Schema {
    said: Said,
    ident: Ident,
    doc: String,
    fields: Vec<Field>,
    conf: Ident,
    conf_code: TokenStream,
}

/// The type that reads the fields marked `#[conf]`.
fn conf_code(krate: &Path, ident: &Ident, fields: &[Field], errors: &mut Errors) -> TokenStream {
    let fields = fields.iter().filter_map(Field::conf);
    conf::conf(krate, parse_quote!(struct #ident { #(#fields),* }), errors)
}

impl Schema {
    fn name(&self) -> String {
        self.said.name.clone().unwrap_or_else(|| names::kebab(&self.ident.to_string()))
    }

    fn code(&self) -> TokenStream {
        let Self { said: Said { krate, .. }, ident, conf, conf_code, .. } = self;
        let implementation = self.implementation();
        let said = entry::said(krate, &self.name(), &self.doc, ident);
        let fields = self.fields.iter().map(|field| (&field.ident, field.value(krate)));
        let fields = fields.map(|(name, value)| quote!(#name: #value));
        let entry = entry::place(
            krate,
            "CHASSIS_SCHEMAS_V1",
            "SchemaEntry",
            &quote! {
                #krate::generated::schema::<#ident, #conf>(#said, |conf, starting| {
                    ::std::boxed::Box::pin(async move {
                        let conf: #conf = #krate::generated::read(conf)?;
                        let schema = #ident { #(#fields),* };
                        ::core::result::Result::Ok(#krate::schema::mount(::std::sync::Arc::new(schema)))
                    })
                })
            },
        );
        quote! {
            #implementation
            const _: () = {
                // What the derives expect of a prelude, for a module that has none.
                use ::core::{convert::From as _, convert::Into as _, default::Default as _, option::Option::Some};
                use ::std::{borrow::ToOwned as _, string::ToString as _};
                #conf_code
                #entry
            };
        }
    }

    fn implementation(&self) -> TokenStream {
        let (krate, ident, name, prefix) = (&self.said.krate, &self.ident, self.name(), &self.said.prefix);
        quote! {
            impl #krate::schema::Schema for #ident {
                const NAME: &'static str = #name;
                const PREFIX: &'static str = #prefix;
            }
        }
    }

    /// What keeps one mistake here from being reported again wherever the schema is used.
    fn stub(&self, item: &ItemStruct) -> TokenStream {
        if item.generics.params.is_empty() { self.implementation() } else { TokenStream::new() }
    }
}
