//! What an operation returns, as its method writes it.

use proc_macro2::TokenStream;
use quote::quote;
use syn::visit::{self, Visit};
use syn::{Lifetime, Path, ReturnType, Signature, Type};

use crate::plain;

/// What it returns.
pub(super) enum Returns {
    /// A value.
    Value(Value),
    /// A `Result`; the error is unknown where an alias hides it.
    Result(Value, Option<Value>),
}

/// A value and its type, if code elsewhere can name it.
pub(super) enum Value {
    Nothing,
    Named(Box<Type>),
    Unnamed,
}

impl Returns {
    /// Reads the signature.
    pub(super) fn of(signature: &Signature) -> Self {
        let ReturnType::Type(_, ty) = &signature.output else { return Self::Value(Value::Nothing) };
        if !plain::is("Result", ty) {
            return Self::Value(Value::of(ty));
        }
        match plain::parameters("Result", ty)[..] {
            [value, error] => Self::Result(Value::of(value), Some(Value::of(error))),
            [value] => Self::Result(Value::of(value), None),
            _ => Self::Result(Value::Unnamed, None),
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
                let (answer, failure) = (value.answer(krate), failure(krate, error.as_ref()));
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
            _ => Self::Unnamed,
        }
    }

    /// The function that makes the reply. With the type in it, the compiler points there if it cannot be one.
    fn answer(&self, krate: &Path) -> TokenStream {
        match self {
            Self::Nothing => quote!(#krate::generated::done),
            Self::Named(ty) => quote!(#krate::generated::answer::<#ty, _>()),
            Self::Unnamed => quote!(#krate::generated::answer()),
        }
    }
}

fn failure(krate: &Path, error: Option<&Value>) -> TokenStream {
    match error {
        Some(Value::Named(ty)) => quote!(#krate::generated::failure::<#ty>()),
        _ => quote!(#krate::generated::fail),
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
