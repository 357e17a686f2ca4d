//! Small questions about items and types as they are written.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::{Attribute, DeriveInput, GenericArgument, Generics, PathArguments, PathSegment, Type};

/// A struct or enum.
pub(crate) fn item(item: &TokenStream, attribute: &str) -> syn::Result<DeriveInput> {
    let model = syn::parse2::<DeriveInput>(item.clone());
    model.map_err(|_| syn::Error::new_spanned(beginning(item), format!("`{attribute}` stands on a struct or an enum")))
}

/// Refuses parameters: an entry in a catalog is one type.
pub(crate) fn without_generics(generics: &Generics, what: &str) -> syn::Result<()> {
    match generics.params.is_empty() {
        true => Ok(()),
        false => Err(syn::Error::new_spanned(generics, generic(what))),
    }
}

/// Why a catalog has no room for something generic.
pub(crate) fn generic(what: &str) -> String {
    format!("{what} cannot be generic: it is listed by name at start-up, and a name stands for one concrete type")
}

/// A place for generated tokens: the compiler points at `span` if it finds something wrong with them, and still knows
/// that nobody wrote them.
pub(crate) fn pointing_at(span: Span) -> Span {
    Span::call_site().located_at(span)
}

/// Takes the attributes of this name off.
pub(crate) fn strip(attributes: &mut Vec<Attribute>, name: &str) -> Vec<Attribute> {
    let (taken, kept) = std::mem::take(attributes).into_iter().partition(|attribute| attribute.path().is_ident(name));
    *attributes = kept;
    taken
}

/// The first token, to point at an item without underlining all of it.
pub(crate) fn beginning(item: impl ToTokens) -> TokenStream {
    item.to_token_stream().into_iter().take(1).collect()
}

/// The last segment of a type that is a path.
pub(crate) fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match ty {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last(),
        Type::Paren(paren) => last_segment(&paren.elem),
        Type::Group(group) => last_segment(&group.elem),
        _ => None,
    }
}

/// Whether a type is called `name`.
pub(crate) fn is(name: &str, ty: &Type) -> bool {
    last_segment(ty).is_some_and(|segment| segment.ident == name)
}

/// The types between the angle brackets of a type called `name`; none where it is not called that.
pub(crate) fn parameters<'a>(name: &str, ty: &'a Type) -> Vec<&'a Type> {
    let Some(segment) = last_segment(ty).filter(|segment| segment.ident == name) else { return Vec::new() };
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return Vec::new() };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    types.collect()
}

/// The `T` of a type that is called `name<T>`.
pub(crate) fn inside<'a>(name: &str, ty: &'a Type) -> Option<&'a Type> {
    parameters(name, ty).first().copied()
}
