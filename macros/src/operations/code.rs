//! The code of `#[operations]`.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Ident, ItemImpl, LitStr, Path, Type};

use super::method::Method;
use super::takes::Takes;
use super::{Said, concrete};
use crate::{entry, krate, plain};

/// The list of operations. Where something is `wrong` it is empty, so that one mistake is not reported again wherever
/// the schema is used.
pub(super) fn operations(said: &Said, block: &ItemImpl, methods: &[Method], right: bool) -> TokenStream {
    if concrete(block).is_err() {
        return TokenStream::new();
    }
    let (krate, ty) = (said.krate(), &block.self_ty);
    let operations = methods.iter().filter(|_| right).map(|method| declared(&krate, ty, method));
    // Makes `Probe` answer for types that require nothing.
    let probe = methods.iter().any(|method| right && !method.takes.is_empty());
    let probe = probe.then(|| quote!(use #krate::generated::RequiresNothing as _;));
    let code = quote! {
        impl #krate::schema::Operations for #ty {
            const OPERATIONS: &'static [#krate::schema::Declared<Self>] = {
                #probe
                &[#(#operations),*]
            };
        }
    };
    let prefix = right.then(|| prefix(&krate, &said.prefix, ty));
    quote!(#code #prefix)
}

/// The check that the schema's prefix has the parameters that `#[operations]` names.
fn prefix(krate: &Path, names: &[LitStr], ty: &Type) -> TokenStream {
    let message = match names {
        [] => {
            "the prefix in `#[schema(\"…\")]` has path parameters: name them, in order, as in \
             `#[operations(prefix(\"user\"))]`"
        }
        _ => "`#[operations(prefix(\"…\"))]` names other path parameters than the prefix in `#[schema(\"…\")]` has",
    };
    quote! {
        const _: () = ::core::assert!(
            #krate::generated::has_parameters(<#ty as #krate::schema::Schema>::PREFIX, &[#(#names),*]),
            #message,
        );
    }
}

fn declared(krate: &Path, ty: &Type, method: &Method) -> TokenStream {
    let Method { name, route, summary, deprecated, cfg, .. } = method;
    let (verb, path, tags) = (&route.method, &route.path, &route.tags);
    let access = route.access.code(krate);
    let timeout = option(route.timeout.map(|timeout| {
        let millis = timeout.as_millis() as u64;
        quote!(::core::time::Duration::from_millis(#millis))
    }));
    let chain = option(route.chain.as_ref().map(|chain| quote!(#chain)));
    let arguments = method.takes.iter().map(|takes| argument(krate, takes));
    let by_name = option(method.by_name.and_then(|at| by_name(krate, &method.takes[at])));
    let location = entry::location(krate, &method.ident);
    let call = call(krate, ty, method);
    quote! {
        #(#cfg)*
        #krate::schema::Declared {
            name: #name,
            method: #verb,
            path: #path,
            access: #access,
            timeout: #timeout,
            chain: #chain,
            tags: &[#(#tags),*],
            deprecated: #deprecated,
            summary: #summary,
            arguments: &[#(#arguments),*],
            by_name: #by_name,
            location: #location,
            call: #call,
        }
    }
}

fn option(value: Option<TokenStream>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}

/// What is known about an argument.
fn argument(krate: &Path, takes: &Takes) -> TokenStream {
    let (ty, text) = (&takes.ty, takes.ty_text());
    let name = takes.name().map_or("_".to_owned(), ToString::to_string);
    quote!(#krate::generated::argument(#name, #text, #krate::generated::Probe::<#ty>::FACTS))
}

fn by_name(krate: &Path, takes: &Takes) -> Option<TokenStream> {
    let ty = plain::inside("Path", &takes.ty)?;
    Some(quote!(#krate::generated::fields::<#ty>))
}

/// Takes the arguments and calls the method.
fn call(krate: &Path, ty: &Type, method: &Method) -> TokenStream {
    let ident = &method.ident;
    let names: Vec<Ident> = method.takes.iter().enumerate().map(|(at, takes)| local(at, takes)).collect();
    let last = method.takes.len().saturating_sub(1);
    let taken = method.takes.iter().zip(&names).enumerate().map(|(at, (takes, name))| {
        let (ty, take) = (&takes.ty, take(krate, takes, if at == last { "last" } else { "part" }));
        quote!(let #name: #ty = #take;)
    });
    let is_async = method.is_async.then(|| quote!(.await));
    let output = quote!(#ty::#ident(schema, #(#names),*) #is_async);
    let reply = method.returns.code(krate, &output);
    let body = quote!(#(#taken)* ::core::result::Result::Ok(#reply));
    // Here the compiler points if the future cannot move between threads.
    let body = quote_spanned!(plain::pointing_at(ident.span())=> async move { #body });
    quote!(|schema, invocation| #krate::generated::call(#body))
}

/// Takes an argument. All of it stands at one place: then the compiler says once that the type is no argument.
fn take(krate: &Path, takes: &Takes, way: &str) -> TokenStream {
    let span = plain::pointing_at(takes.ty.span());
    let (krate, way) = (krate::at(krate, span), Ident::new(way, span));
    quote_spanned!(span=> #krate::generated::#way(invocation).await?)
}

/// The variable that holds an argument, called like it and out of the way of everything the user wrote.
fn local(at: usize, takes: &Takes) -> Ident {
    match takes.name() {
        Some(name) => Ident::new(&name.to_string(), Span::mixed_site().located_at(name.span())),
        None => format_ident!("argument{at}", span = Span::mixed_site()),
    }
}
