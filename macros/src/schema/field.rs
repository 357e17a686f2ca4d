//! A field of a schema and where its value comes from.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Fields, Ident, ItemStruct, Path, Type};

use crate::errors::Errors;
use crate::plain;

/// A field.
pub(super) struct Field {
    pub(super) ident: Ident,
    source: Source,
}

enum Source {
    /// YAML: the field as the conf of this schema has it, attributes included.
    Conf(Box<syn::Field>),
    /// The component of this type.
    Component(Type),
    /// A function without arguments.
    New(Path),
    /// `Default`.
    Fresh(Type),
}

impl Field {
    /// The fields of a schema, their attributes taken off.
    pub(super) fn all(item: &mut ItemStruct, errors: &mut Errors) -> Vec<Self> {
        if let Fields::Unnamed(_) = item.fields {
            errors.at(&item.ident, "a schema has named fields: write `struct Name { field: Type }`");
        }
        item.fields.iter_mut().filter_map(|field| Self::of(field, errors)).collect()
    }

    fn of(field: &mut syn::Field, errors: &mut Errors) -> Option<Self> {
        let conf = plain::strip(&mut field.attrs, "conf");
        let new = plain::strip(&mut field.attrs, "new");
        let ident = field.ident.clone()?;
        let source = match (conf.first(), new.first()) {
            (Some(_), Some(new)) => {
                errors.at(new, "a field is either `#[conf]` or `#[new(…)]`: both say where its value comes from");
                return None;
            }
            (Some(_), None) => Source::Conf(Box::new(of_conf(field, conf))),
            (None, Some(new)) => Source::New(errors.take(constructor(new))?),
            (None, None) => errors.take(by_type(&field.ty))?,
        };
        Some(Self { ident, source })
    }

    /// The field as the conf of this schema has it.
    pub(super) fn conf(&self) -> Option<&syn::Field> {
        match &self.source {
            Source::Conf(field) => Some(field),
            _ => None,
        }
    }

    /// The value, as an expression where `conf` and `starting` are known.
    pub(super) fn value(&self, krate: &Path) -> TokenStream {
        let ident = &self.ident;
        match &self.source {
            Source::Conf(_) => quote!(conf.#ident),
            // All of it stands at one place: then the compiler says once that the type is no component.
            Source::Component(ty) => {
                quote_spanned!(plain::pointing_at(ty.span())=> starting.component().await?)
            }
            Source::New(path) => quote!(#path()),
            Source::Fresh(ty) => quote!(#krate::generated::fresh::<#ty>()),
        }
    }
}

/// Moves what only the configuration understands from the field to its copy there, and copies the documentation.
fn of_conf(field: &mut syn::Field, conf: Vec<Attribute>) -> syn::Field {
    let moved = ["serde", "schemars"].map(|name| plain::strip(&mut field.attrs, name));
    let mut copy = field.clone();
    copy.attrs.retain(|attribute| attribute.path().is_ident("doc"));
    copy.attrs.extend(moved.into_iter().flatten().chain(conf));
    copy.vis = syn::Visibility::Inherited;
    copy
}

fn constructor(new: &Attribute) -> syn::Result<Path> {
    new.parse_args()
        .map_err(|_| syn::Error::new_spanned(new, "write `#[new(path::to::function)]`, a function without arguments"))
}

fn by_type(ty: &Type) -> syn::Result<Source> {
    if !plain::is("Component", ty) {
        return Ok(Source::Fresh(ty.clone()));
    }
    match plain::inside("Component", ty) {
        Some(component) => Ok(Source::Component(component.clone())),
        None => Err(syn::Error::new_spanned(ty, "say which component: `Component<Type>`")),
    }
}
