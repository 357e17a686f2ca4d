//! `#[operations]`: an `impl` block whose methods, marked `#[get("/path", …)]` and the like, can be called from outside.

use std::collections::HashMap;

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{Attribute, Ident, ImplItem, ImplItemFn, ItemImpl, LitStr, Path, PathArguments};

use crate::errors::Errors;
use crate::notes;
use crate::{krate, plain};

mod code;
mod method;
mod path;
mod returns;
mod route;
mod takes;
pub(crate) mod template;
mod timeout;

use method::Method;
pub(crate) use route::VERBS;

/// What the attribute says.
#[derive(Default)]
pub(crate) struct Said {
    /// The path parameters of the schema's prefix.
    prefix: Vec<LitStr>,
    krate: Option<Path>,
}

/// The code for `#[operations(attribute)] item`.
pub(crate) fn expand(attribute: TokenStream, item: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let said = Said::read(attribute, &mut errors);
    let mut block: ItemImpl = match syn::parse2(item.clone()) {
        Ok(block) => block,
        Err(error) => {
            errors.push(not_a_block(item, error));
            let errors = errors.into_tokens();
            return quote!(#item #errors);
        }
    };
    errors.take(concrete(&block));
    let methods = methods(&mut block, &said, &mut errors);
    let code = code::operations(&said, &block, &methods, errors.is_empty());
    let errors = errors.into_tokens();
    quote!(#block #code #errors)
}

fn not_a_block(item: &TokenStream, error: syn::Error) -> syn::Error {
    let begins = item.clone().into_iter().any(|token| token.to_string() == "impl");
    match begins {
        true => error,
        false => {
            syn::Error::new_spanned(plain::beginning(item), "`#[operations]` stands on an `impl` block of a schema")
        }
    }
}

impl Said {
    fn read(attribute: TokenStream, errors: &mut Errors) -> Self {
        let (mut prefix, mut krate) = (None, None);
        for note in notes::read(attribute, errors) {
            match (note.word().cloned(), note) {
                (Some(word), note) if word == "prefix" => {
                    let names = errors.take(note.into_texts());
                    errors.once(&mut prefix, &word, names);
                }
                (Some(word), note) if word == "crate" => {
                    let path = errors.take(note.into_path());
                    errors.once(&mut krate, &word, path);
                }
                (Some(word), _) => errors.push(notes::unknown(&word, "#[operations]", &["prefix", "crate"])),
                (None, text) => errors.at(text, "the prefix stands in `#[schema(\"/prefix\")]`, on the struct"),
            }
        }
        Self { prefix: prefix.unwrap_or_default(), krate }
    }

    /// What chassis is called here.
    fn krate(&self) -> Path {
        self.krate.clone().unwrap_or_else(krate::default)
    }
}

/// Checks that the block belongs to one type.
fn concrete(block: &ItemImpl) -> syn::Result<()> {
    if let Some((path, _)) = &block.trait_ {
        let message = "`#[operations]` stands on the schema's own `impl` block, not on that of a trait";
        return Err(syn::Error::new_spanned(path, message));
    }
    plain::without_generics(&block.generics, "a schema")?;
    match plain::last_segment(&block.self_ty).map(|segment| &segment.arguments) {
        Some(PathArguments::None) => Ok(()),
        Some(_) => Err(syn::Error::new_spanned(&block.self_ty, plain::generic("a schema"))),
        None => Err(syn::Error::new_spanned(&block.self_ty, "a schema is a struct of your own")),
    }
}

/// The methods that are operations, their attributes taken off.
fn methods(block: &mut ItemImpl, said: &Said, errors: &mut Errors) -> Vec<Method> {
    let mut methods = Vec::new();
    let mut marked = false;
    for item in &mut block.items {
        let ImplItem::Fn(function) = item else { continue };
        let attributes = strip(function);
        marked |= !attributes.is_empty();
        methods.extend(
            one(&attributes, errors).and_then(|(verb, route)| Method::read(&verb, route, function, said, errors)),
        );
    }
    if !marked && block.trait_.is_none() {
        let message = "no method here is an operation: mark one, as with `#[get(\"/path\", public)]`";
        errors.at(&block.self_ty, message);
    }
    distinct(&methods, errors);
    methods
}

/// Takes the attributes that make a method an operation off it, each with its verb.
fn strip(function: &mut ImplItemFn) -> Vec<(Ident, Attribute)> {
    let verb = |attribute: &Attribute| {
        let last = attribute.path().segments.last()?;
        VERBS.iter().any(|verb| last.ident == verb).then(|| last.ident.clone())
    };
    let (taken, kept) =
        std::mem::take(&mut function.attrs).into_iter().partition(|attribute| verb(attribute).is_some());
    function.attrs = kept;
    let taken: Vec<Attribute> = taken;
    taken.into_iter().filter_map(|attribute| Some((verb(&attribute)?, attribute))).collect()
}

/// The only one of them.
fn one<'a>(attributes: &'a [(Ident, Attribute)], errors: &mut Errors) -> Option<(Ident, &'a Attribute)> {
    let [(verb, attribute), more @ ..] = attributes else { return None };
    for (_, other) in more {
        let message =
            "a method is one operation: for another path or HTTP method write another method that calls this one";
        errors.at(other, message);
    }
    Some((verb.clone(), attribute))
}

/// Checks that no two operations share a name or what they answer to. Where `cfg` chooses, both may stand here.
fn distinct(methods: &[Method], errors: &mut Errors) {
    let (mut names, mut routes) = (HashMap::new(), HashMap::new());
    for method in methods.iter().filter(|method| method.cfg.is_empty()) {
        if let Some(other) = names.insert(method.name.clone(), &method.ident) {
            let (name, other) = (&method.name, other.unraw());
            errors.at(
                &method.ident,
                format!(
                    "the operation `{name}` is there already: `{other}` has that name; say another with `name = \"…\"`"
                ),
            );
        }
        let Some(shape) = method.route.shape() else { continue };
        if let Some(other) = routes.insert(shape, &method.ident) {
            let (verb, path, other) = (&method.route.method, method.route.path.value(), other.unraw());
            errors.at(
                &method.route.path,
                format!("`{verb} {path}` is answered already: `{other}` matches the same calls"),
            );
        }
    }
}
