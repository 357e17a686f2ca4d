//! What is read off the syntax tree of a file, in a form that outlives it.

use std::ops::RangeInclusive;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

#[derive(Default)]
pub(crate) struct Facts {
    /// The lines of items that only tests compile.
    pub(crate) tests: Vec<RangeInclusive<usize>>,
    /// The modules in files of their own that only tests compile.
    pub(crate) test_modules: Vec<String>,
    /// The paths of `use` trees, expanded.
    pub(crate) uses: Vec<(usize, Vec<String>)>,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) functions: Vec<Function>,
    /// The names of types, traits and modules.
    pub(crate) types: Vec<(usize, String)>,
    inside_foreign: bool,
}

pub(crate) struct Attribute {
    pub(crate) line: usize,
    /// Its path and what follows it, as tokens.
    pub(crate) text: String,
    /// Whether it stands on the `mod` line of a file.
    pub(crate) on_mod_line: bool,
}

pub(crate) struct Function {
    pub(crate) line: usize,
    pub(crate) name: String,
    /// From `fn` to the closing brace; 0 without a body.
    pub(crate) lines: usize,
    /// Whether the name was ours to choose: an implementation of a trait has to use the trait's.
    pub(crate) named_here: bool,
}

impl Facts {
    fn add_type(&mut self, ident: &syn::Ident) {
        self.types.push((ident.span().start().line, ident.to_string()));
    }

    fn add_function(&mut self, signature: &syn::Signature, block: Option<&syn::Block>) {
        let line = signature.fn_token.span.start().line;
        let lines = block.map_or(0, |block| block.brace_token.span.close().end().line - line + 1);
        let name = signature.ident.to_string();
        self.functions.push(Function { line, name, lines, named_here: !self.inside_foreign });
    }

    fn add_attribute(&mut self, attribute: &syn::Attribute, on_mod_line: bool) {
        let text = spelled(attribute);
        self.attributes.push(Attribute { line: attribute.span().start().line, text, on_mod_line });
    }

    fn expand(&mut self, tree: &syn::UseTree, mut path: Vec<String>) {
        match tree {
            syn::UseTree::Path(node) => {
                path.push(node.ident.to_string());
                self.expand(&node.tree, path);
            }
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.expand(item, path.clone())),
            syn::UseTree::Name(node) => self.leaf(&node.ident, path),
            syn::UseTree::Rename(node) => self.leaf(&node.ident, path),
            syn::UseTree::Glob(star) => self.uses.push((star.span().start().line, path)),
        }
    }

    fn leaf(&mut self, ident: &syn::Ident, mut path: Vec<String>) {
        path.push(ident.to_string());
        self.uses.push((ident.span().start().line, path));
    }
}

impl<'ast> Visit<'ast> for Facts {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if attributes(item).iter().any(is_for_tests) {
            self.tests.push(item.span().start().line..=item.span().end().line);
        }
        match item {
            syn::Item::Struct(item) => self.add_type(&item.ident),
            syn::Item::Enum(item) => self.add_type(&item.ident),
            syn::Item::Trait(item) => self.add_type(&item.ident),
            syn::Item::Type(item) => self.add_type(&item.ident),
            syn::Item::Mod(item) => self.add_type(&item.ident),
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let is_file = item.content.is_none();
        if is_file && item.attrs.iter().any(is_for_tests) {
            self.test_modules.push(item.ident.to_string());
        }
        item.attrs.iter().for_each(|attribute| self.add_attribute(attribute, is_file));
        for item in item.content.iter().flat_map(|(_, items)| items) {
            self.visit_item(item);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.inside_foreign = item.trait_.is_some();
        visit::visit_item_impl(self, item);
        self.inside_foreign = false;
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.add_function(&item.sig, Some(&item.block));
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.add_function(&item.sig, Some(&item.block));
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.add_function(&item.sig, item.default.as_ref());
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.expand(&item.tree, Vec::new());
        visit::visit_item_use(self, item);
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        self.add_attribute(attribute, false);
    }
}

fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Macro(item) => &item.attrs,
        _ => &[],
    }
}

/// `#[cfg(test)]`, alone or among other conditions that all must hold, and `#[test]`.
fn is_for_tests(attribute: &syn::Attribute) -> bool {
    let text = spelled(attribute);
    text == "test" || text == "cfg(test)" || text.starts_with("cfg(all(test")
}

fn spelled(attribute: &syn::Attribute) -> String {
    let name =
        |path: &syn::Path| path.segments.iter().map(|part| part.ident.to_string()).collect::<Vec<_>>().join("::");
    match &attribute.meta {
        syn::Meta::List(list) => format!("{}({})", name(&list.path), list.tokens.to_string().replace("all (", "all(")),
        syn::Meta::NameValue(pair) => name(&pair.path),
        syn::Meta::Path(path) => name(path),
    }
}
