//! A method that is an operation: what is known about it once its attribute and its signature are read.

use syn::{Attribute, Ident, ImplItemFn, ReceiverKind, Safety, Signature};

use super::returns::Returns;
use super::route::Route;
use super::takes::Takes;
use super::{Said, path};
use crate::errors::Errors;
use crate::{docs, names, plain};

/// An operation.
pub(super) struct Method {
    pub(super) ident: Ident,
    /// The last part of its id.
    pub(super) name: String,
    pub(super) route: Route,
    pub(super) summary: String,
    pub(super) deprecated: bool,
    pub(super) is_async: bool,
    pub(super) takes: Vec<Takes>,
    /// The argument whose type may take the path parameters by name.
    pub(super) by_name: Option<usize>,
    pub(super) returns: Returns,
    /// When it exists at all.
    pub(super) cfg: Vec<Attribute>,
}

impl Method {
    /// Reads a method with its attribute.
    pub(super) fn read(
        verb: &Ident,
        attribute: &Attribute,
        function: &mut ImplItemFn,
        said: &Said,
        errors: &mut Errors,
    ) -> Option<Self> {
        // What is generated calls the method, and that must not warn: the mark goes into the documents instead.
        let deprecated = !plain::strip(&mut function.attrs, "deprecated").is_empty();
        let (signature, attributes) = (&function.sig, &function.attrs);
        let route = Route::read(verb, attribute, errors);
        check(signature, errors);
        let takes = Takes::all(signature, errors);
        let route = route?;
        let by_name = path::check(&route, &said.prefix, &takes, errors);
        Some(Self {
            ident: signature.ident.clone(),
            name: route.name.clone().unwrap_or_else(|| names::kebab(&signature.ident.to_string())),
            summary: route.summary.clone().unwrap_or_else(|| docs::summary(attributes)),
            deprecated: route.deprecated || deprecated,
            is_async: signature.asyncness.is_some(),
            returns: Returns::of(signature),
            cfg: attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).cloned().collect(),
            takes,
            by_name,
            route,
        })
    }
}

/// Checks that anyone can call it on one shared instance.
fn check(signature: &Signature, errors: &mut Errors) {
    errors.take(receiver(signature));
    if signature.generics.type_params().next().is_some() || signature.generics.const_params().next().is_some() {
        let message = "an operation cannot be generic: a call does not say which types are meant";
        errors.at(&signature.generics, message);
    }
    if !matches!(signature.safety, Safety::Default) {
        errors.at(
            plain::beginning(&signature.safety),
            "an operation cannot be `unsafe`: callers cannot promise anything",
        );
    }
    if let Some(abi) = &signature.abi {
        errors.at(abi, "an operation is an ordinary method: it has no `extern`");
    }
}

fn receiver(signature: &Signature) -> syn::Result<()> {
    let Some(receiver) = signature.receiver() else {
        let message = "an operation takes `&self` first: it is called on an instance of the schema";
        return Err(syn::Error::new_spanned(&signature.ident, message));
    };
    let message = match &receiver.kind {
        ReceiverKind::Reference(_, _, None) => return Ok(()),
        ReceiverKind::Reference(_, _, Some(_)) => {
            "an operation takes `&self`: calls run side by side on one instance; keep what changes in a `Mutex` or an atomic"
        }
        _ => "an operation takes `&self`: one instance answers every call",
    };
    Err(syn::Error::new_spanned(receiver, message))
}
