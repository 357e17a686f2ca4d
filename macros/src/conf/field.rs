//! A `#[conf(default = …, range(…))]` field: what its value is when YAML leaves it out, and what it may be.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::{Attribute, Expr, ExprLit, Ident, Lit, LitStr, Path, Type, parse_quote};

use super::range::{NUMBERS, Range};
use crate::errors::Errors;
use crate::notes::{self, Note};
use crate::{names, plain};

/// What is known about a field.
pub(crate) struct Field {
    pub(crate) ident: Ident,
    ty: Type,
    /// Tells the functions of this field from those of another variant's.
    suffix: String,
    default: Option<TokenStream>,
    range: Option<Range>,
}

impl Field {
    /// Takes `#[conf]` off a field and puts what serde and schemars need in its place.
    pub(crate) fn take(
        owner: &Ident,
        variant: Option<&Ident>,
        field: &mut syn::Field,
        errors: &mut Errors,
    ) -> Option<Self> {
        let attributes = plain::strip(&mut field.attrs, "conf");
        let ident = field.ident.clone()?;
        let variant = variant.map(|variant| names::snake(&variant.to_string()) + "_").unwrap_or_default();
        let suffix = format!("{variant}{}", ident.to_string().trim_start_matches("r#"));
        let mut model = Self { ident, ty: field.ty.clone(), suffix, default: None, range: None };
        for attribute in &attributes {
            model.read(attribute, errors);
        }
        field.attrs.extend(model.attributes(owner));
        Some(model)
    }

    fn read(&mut self, attribute: &Attribute, errors: &mut Errors) {
        for note in notes::of(attribute, errors) {
            match (note.word().cloned(), note) {
                (Some(word), Note::Value(_, value)) if word == "default" => {
                    errors.once(&mut self.default, &word, Some(value_of(&value)));
                }
                (Some(word), Note::Word(_)) if word == "default" => {
                    errors.once(&mut self.default, &word, Some(quote!(::core::default::Default::default())));
                }
                (Some(word), Note::List(_, range)) if word == "range" => {
                    let range = errors.take(Range::read(&word, &range));
                    errors.once(&mut self.range, &word, range);
                }
                (Some(word), _) if word == "default" => errors.at(&word, "write `default = value`"),
                (Some(word), _) if word == "range" => errors.at(&word, "write `range(1..=100)`"),
                (Some(word), _) => errors.push(notes::unknown(&word, "#[conf]", &["default", "range"])),
                (None, note) => errors.at(note, "write `#[conf(default = value, range(1..=100))]`"),
            }
        }
        if let (Some(range), Some(default)) = (&self.range, &self.default) {
            errors.take(range.holds(default));
        }
    }

    fn attributes(&self, owner: &Ident) -> Vec<Attribute> {
        let function = |ident: Ident| LitStr::new(&format!("{owner}::{ident}"), ident.span());
        let mut attributes = Vec::new();
        if self.default.is_some() {
            let default = function(self.default_function());
            attributes.push(parse_quote!(#[serde(default = #default)]));
        }
        let Some(range) = &self.range else { return attributes };
        let reader = function(self.reader());
        attributes.push(parse_quote!(#[serde(deserialize_with = #reader)]));
        if self.default.is_none() && plain::inside("Option", &self.ty).is_some() {
            // With a reader of its own a field is no longer optional because of its type.
            attributes.push(parse_quote!(#[serde(default)]));
        }
        attributes.extend(range.attributes(self.number()));
        attributes
    }

    /// The type, unless everybody knows that YAML can fill it.
    pub(crate) fn foreign(&self) -> Option<&Type> {
        let known = NUMBERS.iter().chain(&["bool", "char", "String"]);
        let is_known = known.into_iter().any(|name| plain::is(name, self.number()));
        (!is_known).then_some(&self.ty)
    }

    /// The type of the value, an `Option` around it removed.
    fn number(&self) -> &Type {
        plain::inside("Option", &self.ty).unwrap_or(&self.ty)
    }

    fn default_function(&self) -> Ident {
        format_ident!("__default_{}", self.suffix, span = self.ident.span())
    }

    fn reader(&self) -> Ident {
        format_ident!("__read_{}", self.suffix, span = self.ident.span())
    }

    /// The functions that the attributes name.
    pub(crate) fn functions(&self, krate: &Path) -> TokenStream {
        let ty = &self.ty;
        let default = self.default.as_ref().map(|value| {
            let function = self.default_function();
            quote!(fn #function() -> #ty { #value })
        });
        let reader = self.range.as_ref().map(|range| {
            let (function, words, number) = (self.reader(), range.words(), self.number());
            let read = match plain::inside("Option", ty) {
                Some(_) => quote!(within_option),
                None => quote!(within),
            };
            quote! {
                fn #function<'de, D: #krate::generated::serde::Deserializer<'de>>(
                    deserializer: D,
                ) -> ::core::result::Result<#ty, D::Error> {
                    #krate::generated::#read::<D, #number>(deserializer, #range, #words)
                }
            }
        });
        quote!(#default #reader)
    }

    /// The value without YAML; `None` where it is required.
    pub(crate) fn initial(&self) -> Option<TokenStream> {
        let function = self.default_function();
        match &self.default {
            Some(_) => Some(quote!(Self::#function())),
            None => plain::inside("Option", &self.ty).map(|_| quote!(::core::option::Option::None)),
        }
    }
}

/// The default as written; a text becomes whatever the field keeps texts in.
fn value_of(value: &Expr) -> TokenStream {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => quote!(::core::convert::Into::into(#text)),
        value => value.to_token_stream(),
    }
}
