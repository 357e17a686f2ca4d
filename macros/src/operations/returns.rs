//! What an operation returns, as its method writes it.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Lifetime, Path, ReturnType, Signature, Type};

use crate::{krate, plain};

/// What holds a value that is sent as a document.
const DOCUMENTS: [&str; 3] = ["Json", "Created", "Accepted"];

/// What it returns.
pub(super) enum Returns {
    /// A value.
    Value(Value),
    /// A `Result`, its value and its error, which an alias may hide.
    Result(Value, Value),
}

/// A value and its type, if code elsewhere can name it.
pub(super) enum Value {
    Nothing,
    Named(Box<Type>),
    /// Where the compiler should point.
    Unnamed(Span),
}

impl Returns {
    /// Reads the signature.
    pub(super) fn of(signature: &Signature) -> Self {
        let ReturnType::Type(_, ty) = &signature.output else { return Self::Value(Value::Nothing) };
        if !plain::is("Result", ty) {
            return Self::Value(Value::of(ty));
        }
        match plain::parameters("Result", ty)[..] {
            [value, error] => Self::Result(Value::of(value), Value::of(error)),
            [value] => Self::Result(Value::of(value), Value::Unnamed(plain::pointing_at(ty.span()))),
            _ => {
                let unnamed = || Value::Unnamed(plain::pointing_at(ty.span()));
                Self::Result(unnamed(), unnamed())
            }
        }
    }

    /// The reply, made from `output`.
    pub(super) fn code(&self, krate: &Path, output: &TokenStream) -> TokenStream {
        match self {
            Self::Value(value) => {
                let answer = value.answer(krate);
                quote!(#answer(#output))
            }
            Self::Result(value, error) => {
                let (answer, failure) = (value.answer(krate), error.failure(krate));
                quote! {
                    match #output {
                        ::core::result::Result::Ok(value) => #answer(value),
                        ::core::result::Result::Err(error) => #failure(error),
                    }
                }
            }
        }
    }
}

impl Value {
    fn of(ty: &Type) -> Self {
        match ty {
            Type::Tuple(tuple) if tuple.elems.is_empty() => Self::Nothing,
            ty if is_named(ty) => Self::Named(Box::new(ty.clone())),
            _ => Self::Unnamed(plain::pointing_at(ty.span())),
        }
    }

    /// The function that makes the reply. With the type in it, the compiler points there if it cannot be one.
    fn answer(&self, krate: &Path) -> TokenStream {
        match self {
            Self::Nothing => quote!(#krate::generated::done),
            Self::Named(ty) if DOCUMENTS.iter().any(|name| plain::inside(name, ty).is_some()) => {
                quote!(#krate::generated::document::<#ty>())
            }
            Self::Named(ty) => quote!(#krate::generated::answer::<#ty, _>()),
            Self::Unnamed(span) => {
                let krate = krate::at(krate, *span);
                quote_spanned!(*span=> #krate::generated::answer())
            }
        }
    }

    /// The function that makes the reply of an error.
    fn failure(&self, krate: &Path) -> TokenStream {
        match self {
            Self::Named(ty) => quote!(#krate::generated::failure::<#ty>()),
            Self::Nothing => quote!(#krate::generated::failure::<()>()),
            Self::Unnamed(span) => {
                let krate = krate::at(krate, *span);
                quote_spanned!(*span=> #krate::generated::failure())
            }
        }
    }
}

/// Whether a type means the same outside the signature: it has no `impl Trait`, no `_` and no lifetime of the method.
fn is_named(ty: &Type) -> bool {
    let mut search = Search { found: false };
    search.visit_type(ty);
    !search.found
}

struct Search {
    found: bool,
}

impl<'ast> Visit<'ast> for Search {
    fn visit_type(&mut self, ty: &'ast Type) {
        self.found |= matches!(ty, Type::ImplTrait(_) | Type::Infer(_) | Type::Never(_));
        visit::visit_type(self, ty);
    }

    fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
        self.found |= lifetime.ident != "static" && lifetime.ident != "_";
    }
}
