//! `#[component("name")]` and `#[operator("name")]`: what is known by its name, and says no more of itself.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::Path;

use crate::errors::Errors;
use crate::{docs, entry, krate, names, notes, plain};

/// Something that an attribute makes of a type.
pub(crate) struct Kind {
    /// The attribute, and the function that makes the entry.
    word: &'static str,
    /// The word in a sentence.
    noun: &'static str,
    slice: &'static str,
    entry: &'static str,
}

/// Something started before calls and stopped after them.
pub(crate) const COMPONENT: Kind =
    Kind { word: "component", noun: "a component", slice: "CHASSIS_COMPONENTS_V1", entry: "ComponentEntry" };

/// A way to compare texts in conditions.
pub(crate) const OPERATOR: Kind =
    Kind { word: "operator", noun: "an operator", slice: "CHASSIS_OPERATORS_V1", entry: "OperatorEntry" };

/// What the attribute says.
struct Said {
    name: Option<String>,
    krate: Path,
}

impl Kind {
    /// The code for `#[word(attribute)] item`.
    pub(crate) fn expand(&self, attribute: TokenStream, item: &TokenStream) -> TokenStream {
        let mut errors = Errors::default();
        let said = self.read(attribute, &mut errors);
        let model = errors.take(plain::item(item, &format!("#[{}]", self.word)));
        if let Some(model) = &model {
            errors.take(plain::without_generics(&model.generics, self.noun));
        }
        let code = model.filter(|_| errors.is_empty()).map(|model| {
            let (krate, ident, make) = (&said.krate, &model.ident, format_ident!("{}", self.word));
            let name = said.name.as_deref().unwrap_or_default();
            let said = entry::said(krate, name, &docs::text(&model.attrs), ident);
            let made = quote!(#krate::generated::#make::<#ident>(#said));
            let entry = entry::place(krate, self.slice, self.entry, &made);
            quote!(const _: () = { #entry };)
        });
        let errors = errors.into_tokens();
        quote!(#item #code #errors)
    }

    fn read(&self, attribute: TokenStream, errors: &mut Errors) -> Said {
        let (mut name, mut named, mut krate) = (None, false, None);
        for note in notes::read(attribute, errors) {
            match note.word().cloned() {
                None if named => errors.at(note, format!("{} has one name, and it is given already", self.noun)),
                None => {
                    named = true;
                    name = errors.take(note.into_text().and_then(|text| names::checked(&text)));
                }
                Some(word) if word == "crate" => {
                    let path = errors.take(note.into_path());
                    errors.once(&mut krate, &word, path);
                }
                Some(word) => errors.push(notes::unknown(&word, &format!("#[{}]", self.word), &["crate"])),
            }
        }
        if !named {
            let message = format!("say what the {0} is called in YAML: `#[{0}(\"name\")]`", self.word);
            errors.push(syn::Error::new(Span::call_site(), message));
        }
        Said { name, krate: krate.unwrap_or_else(krate::default) }
    }
}
