//! Checks that the argument which takes the path parameters and the path agree.

use quote::quote;
use syn::ext::IdentExt;
use syn::{Ident, LitStr, Member, Pat, Type};

use super::route::Route;
use super::takes::{self, Takes};
use crate::errors::Errors;
use crate::{names, plain};

/// Types that hold one value, whatever they hold it for.
const SINGLE: [&str; 17] = [
    "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize", "f32", "f64", "bool",
    "char", "String",
];

/// The path and the argument that takes its parameters.
struct Check<'a> {
    path: &'a LitStr,
    names: Vec<String>,
    takes: &'a Takes,
    errors: &'a mut Errors,
}

/// Checks an operation. Returns the argument whose type may name parameters too, which shows when the service starts.
pub(super) fn check(route: &Route, prefix: &[LitStr], takes: &[Takes], errors: &mut Errors) -> Option<usize> {
    let own: Vec<String> = route.template.as_ref()?.names().into_iter().map(str::to_owned).collect();
    let mut paths = takes.iter().enumerate().filter(|(_, takes)| plain::is("Path", &takes.ty));
    let Some((at, takes)) = paths.next() else {
        unused(&route.path, &own, errors);
        return None;
    };
    for (_, more) in paths {
        errors.at(&more.ty, "one `Path` argument takes all parameters: `Path((a, b)): Path<(A, B)>`");
    }
    let names: Vec<String> = prefix.iter().map(LitStr::value).chain(own).collect();
    let mut check = Check { path: &route.path, names, takes, errors };
    check.argument().then_some(at)
}

/// Every parameter is taken, or its name says that it is not.
fn unused(path: &LitStr, names: &[String], errors: &mut Errors) {
    let Some(name) = names.iter().find(|name| !name.starts_with('_')) else { return };
    let argument = example(names);
    let message = format!(
        "no argument takes `{name}` from the path: add {argument}, or call it `{{_{name}}}` if it is not needed"
    );
    errors.at(path, message);
}

/// The argument that takes all these.
fn example(names: &[String]) -> String {
    match names {
        [name] => format!("`Path({}): Path<…>`", rust(name)),
        names => {
            let (bindings, types): (Vec<_>, Vec<_>) = names.iter().map(|name| (rust(name), "…")).unzip();
            format!("`Path(({})): Path<({})>`", bindings.join(", "), types.join(", "))
        }
    }
}

impl Check<'_> {
    /// Whether the type may name parameters.
    fn argument(&mut self) -> bool {
        let Some(ty) = plain::inside("Path", &self.takes.ty) else {
            self.errors.at(&self.takes.ty, "say what the path parameters are: `Path<Type>`");
            return false;
        };
        if self.names.is_empty() {
            let (path, ty) = (self.path.value(), &self.takes.ty);
            let example = takes::binding(&self.takes.pattern).map_or("name".to_owned(), ToString::to_string);
            let slash = if path.ends_with('/') { "" } else { "/" };
            self.errors.at(ty, format!("the path `{path}` has no parameters to take: write it `{path}{slash}{{{example}}}`, or drop this argument"));
            return false;
        }
        match ty {
            Type::Tuple(tuple) => {
                self.count(ty, tuple.elems.len());
                self.tuple(tuple.elems.len());
                false
            }
            _ if SINGLE.iter().any(|single| plain::is(single, ty)) => {
                self.count(ty, 1);
                self.single();
                false
            }
            _ => {
                self.single();
                self.fields();
                plain::last_segment(ty).is_some()
            }
        }
    }

    /// As many values as parameters.
    fn count(&mut self, ty: &Type, count: usize) {
        let expected = self.names.len();
        if count == expected {
            return;
        }
        let (listed, example) = (names::list(&self.names), example(&self.names));
        let parameters = if expected == 1 { "one parameter".to_owned() } else { format!("{expected} parameters") };
        let message = format!("the path has {parameters}, {listed}, and this takes {count}: write {example}");
        self.errors.at(ty, message);
    }

    /// `Path(name)` with one parameter.
    fn single(&mut self) {
        let inner = inner(&self.takes.pattern);
        if let ([name], Some(Pat::Ident(binding))) = (&self.names[..], inner) {
            let name = name.clone();
            self.same(&binding.ident, &name);
        }
    }

    /// `Path((a, b))`, in the order of the path.
    fn tuple(&mut self, count: usize) {
        let Some(Pat::Tuple(tuple)) = inner(&self.takes.pattern) else { return };
        if tuple.elems.len() != self.names.len() || count != self.names.len() {
            return;
        }
        let bindings: Vec<_> = tuple.elems.iter().map(takes::binding).collect();
        let is_known = |binding: &&Ident| self.names.iter().any(|name| is(binding, name));
        let is_in_place = |(binding, name): (&Option<&Ident>, &String)| binding.is_none_or(|binding| is(binding, name));
        let all_known = bindings.iter().flatten().all(is_known);
        if all_known && !bindings.iter().zip(&self.names).all(is_in_place) {
            let names: Vec<_> = self.names.iter().map(|name| rust(name)).collect();
            let message = format!("parameters are taken in the order of the path: write `({})`", names.join(", "));
            self.errors.at(tuple, message);
            return;
        }
        for (binding, name) in bindings.into_iter().zip(self.names.clone()) {
            if let Some(binding) = binding {
                self.same(binding, &name);
            }
        }
    }

    /// `Path(Type { a, b })`, by name.
    fn fields(&mut self) {
        let Some(Pat::Struct(pattern)) = inner(&self.takes.pattern) else { return };
        for field in &pattern.fields {
            if let Member::Named(field) = &field.member
                && !self.names.iter().any(|name| field.unraw() == rust(name))
            {
                self.unknown(field);
            }
        }
    }

    /// A binding is called like the parameter it takes.
    fn same(&mut self, binding: &Ident, name: &str) {
        if !is(binding, name) {
            self.unknown(binding);
        }
    }

    fn unknown(&mut self, binding: &Ident) {
        let written = binding.unraw().to_string();
        let known: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let help = match names::nearest(&written, &known) {
            Some(near) => format!("did you mean `{}`?", rust(near)),
            None => format!("it has {}", names::list(&self.names)),
        };
        let path = self.path;
        // From the path to the binding, so that both are seen.
        let both = quote!(#path #binding);
        self.errors.at(both, format!("the path has no parameter `{written}`: {help}"));
    }
}

/// What stands in the parentheses of `Path(…)`.
fn inner(pattern: &Pat) -> Option<&Pat> {
    match pattern {
        Pat::TupleStruct(pattern) if pattern.elems.len() == 1 => pattern.elems.first(),
        _ => None,
    }
}

/// Whether a binding is called like a parameter, or like it after `_`.
fn is(binding: &Ident, name: &str) -> bool {
    let (written, expected) = (binding.unraw().to_string(), rust(name));
    written == expected || written.strip_prefix('_') == Some(&expected)
}

/// A parameter's name as Rust writes it.
fn rust(name: &str) -> String {
    name.replace(['-', '.'], "_")
}
