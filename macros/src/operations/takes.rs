//! An argument of an operation, as its method writes it.

use quote::ToTokens;
use syn::{FnArg, Ident, Pat, PatType, Signature, Type};

use crate::errors::Errors;

/// An argument.
pub(super) struct Takes {
    pub(super) pattern: Pat,
    pub(super) ty: Type,
}

impl Takes {
    /// Every argument but `self`.
    pub(super) fn all(signature: &Signature, errors: &mut Errors) -> Vec<Self> {
        let typed = signature.inputs.iter().filter_map(|argument| match argument {
            FnArg::Typed(typed) => Some(typed),
            FnArg::Receiver(_) => None,
        });
        typed.filter_map(|typed| errors.take(Self::of(typed))).collect()
    }

    fn of(argument: &PatType) -> syn::Result<Self> {
        let ty = &*argument.ty;
        let message = match ty {
            Type::Reference(_) => "arguments are taken out of the call, and the method owns them: leave out the `&`",
            Type::ImplTrait(_) => "name the type of this argument: the call is read into it",
            _ => return Ok(Self { pattern: (*argument.pat).clone(), ty: ty.clone() }),
        };
        Err(syn::Error::new_spanned(ty, message))
    }

    /// Its name: the one binding of its pattern.
    pub(super) fn name(&self) -> Option<&Ident> {
        binding(&self.pattern)
    }

    /// Its type as text.
    pub(super) fn ty_text(&self) -> String {
        let text = self.ty.to_token_stream().to_string();
        ["< ", " <", " >", ":: ", " ::", "& ", " ,", "( ", " )"]
            .iter()
            .fold(text, |text, spaced| text.replace(spaced, spaced.trim()))
    }
}

/// The name that a pattern binds, also inside one pair of parentheses as in `Path(name)`.
pub(super) fn binding(pattern: &Pat) -> Option<&Ident> {
    match pattern {
        Pat::Ident(pattern) if pattern.subpat.is_none() => Some(&pattern.ident),
        Pat::TupleStruct(pattern) if pattern.elems.len() == 1 => pattern.elems.first().and_then(binding),
        Pat::Paren(pattern) => binding(&pattern.pat),
        Pat::Type(pattern) => binding(&pattern.pat),
        _ => None,
    }
}
