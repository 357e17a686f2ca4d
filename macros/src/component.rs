//! `#[component("name")]`: something started before calls and stopped after them.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::Path;

use crate::errors::Errors;
use crate::{docs, entry, krate, names, notes, plain};

/// What the attribute says.
struct Said {
    name: Option<String>,
    krate: Path,
}

/// The code for `#[component(attribute)] item`.
pub(crate) fn expand(attribute: TokenStream, item: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let said = read(attribute, &mut errors);
    let model = errors.take(plain::item(item, "#[component]"));
    if let Some(model) = &model {
        errors.take(plain::without_generics(&model.generics, "a component"));
    }
    let code = model.filter(|_| errors.is_empty()).map(|model| {
        let (krate, ident) = (&said.krate, &model.ident);
        let name = said.name.as_deref().unwrap_or_default();
        let said = entry::said(krate, name, &docs::text(&model.attrs), ident);
        let component = quote!(#krate::generated::component::<#ident>(#said));
        let entry = entry::place(krate, "CHASSIS_COMPONENTS_V1", "ComponentEntry", &component);
        quote!(const _: () = { #entry };)
    });
    let errors = errors.into_tokens();
    quote!(#item #code #errors)
}

fn read(attribute: TokenStream, errors: &mut Errors) -> Said {
    let (mut name, mut named, mut krate) = (None, false, None);
    for note in notes::read(attribute, errors) {
        match note.word().cloned() {
            None if named => errors.at(note, "a component has one name, and it is given already"),
            None => {
                named = true;
                name = errors.take(note.into_text().and_then(|text| names::checked(&text)));
            }
            Some(word) if word == "crate" => {
                let path = errors.take(note.into_path());
                errors.once(&mut krate, &word, path);
            }
            Some(word) => errors.push(notes::unknown(&word, "#[component]", &["crate"])),
        }
    }
    if !named {
        let message = "say what the component is called in YAML: `#[component(\"name\")]`";
        errors.push(syn::Error::new(Span::call_site(), message));
    }
    Said { name, krate: krate.unwrap_or_else(krate::default) }
}
