//! `#[handler("name")]`: a step that YAML can put into a chain.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{DeriveInput, Ident, LitStr, Path};

use crate::errors::Errors;
use crate::notes::{self, Note};
use crate::{docs, entry, krate, names, plain};

const OPTIONS: [&str; 8] = ["wrap", "requires", "provides", "before", "after", "repeatable", "preflight", "crate"];

/// What the attribute says.
#[derive(Default)]
struct Said {
    name: Option<String>,
    wrap: Option<Ident>,
    requires: Option<Vec<LitStr>>,
    provides: Option<Vec<LitStr>>,
    before: Option<Vec<LitStr>>,
    after: Option<Vec<LitStr>>,
    repeatable: Option<Ident>,
    preflight: Option<Ident>,
    krate: Option<Path>,
}

/// The code for `#[handler(attribute)] item`.
pub(crate) fn expand(attribute: TokenStream, item: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let said = Said::read(attribute, &mut errors);
    let model = errors.take(plain::item(item, "#[handler]"));
    if let Some(model) = &model {
        errors.take(plain::without_generics(&model.generics, "a handler"));
    }
    let code = model.filter(|_| errors.is_empty()).map(|model| said.code(&model));
    let errors = errors.into_tokens();
    quote!(#item #code #errors)
}

impl Said {
    fn read(attribute: TokenStream, errors: &mut Errors) -> Self {
        let (mut said, mut named) = (Self::default(), false);
        for note in notes::read(attribute, errors) {
            match note.word().cloned() {
                Some(word) => said.option(&word, note, errors),
                None if named => errors.at(note, "a handler has one name, and it is given already"),
                None => {
                    named = true;
                    said.name = errors.take(note.into_text().and_then(|text| names::checked(&text)));
                }
            }
        }
        if !named {
            errors.push(syn::Error::new(
                Span::call_site(),
                "say what the handler is called in YAML: `#[handler(\"name\")]`",
            ));
        }
        said.check(errors);
        said
    }

    fn option(&mut self, word: &Ident, note: Note, errors: &mut Errors) {
        match word.to_string().as_str() {
            "wrap" => flag(&mut self.wrap, word, note, errors),
            "repeatable" => flag(&mut self.repeatable, word, note, errors),
            "preflight" => flag(&mut self.preflight, word, note, errors),
            "requires" => texts(&mut self.requires, word, note, errors),
            "provides" => texts(&mut self.provides, word, note, errors),
            "before" => texts(&mut self.before, word, note, errors),
            "after" => texts(&mut self.after, word, note, errors),
            "crate" => {
                let path = errors.take(note.into_path());
                errors.once(&mut self.krate, word, path);
            }
            _ => errors.push(notes::unknown(word, "#[handler]", &OPTIONS)),
        }
    }

    fn check(&self, errors: &mut Errors) {
        if let (Some(_), Some(after)) = (&self.before, &self.after) {
            let message =
                "a handler stands `before(…)` others or `after(…)` others: keep one, and let those others say the rest";
            after.iter().take(1).for_each(|after| errors.at(after, message));
        }
        let required = self.requires.iter().flatten();
        for fact in required.filter(|fact| self.provides.iter().flatten().any(|provided| provided == *fact)) {
            let message =
                format!("this handler provides `{}` itself: it cannot require it of those before it", fact.value());
            errors.at(fact, message);
        }
    }

    fn code(&self, item: &DeriveInput) -> TokenStream {
        let ident = &item.ident;
        let krate = self.krate.clone().unwrap_or_else(krate::default);
        let said = entry::said(&krate, self.name.as_deref().unwrap_or_default(), &docs::text(&item.attrs), ident);
        let form = if self.wrap.is_some() { quote!(wrap) } else { quote!(hooks) };
        let (requires, provides) = (self.requires.iter().flatten(), self.provides.iter().flatten());
        let place = self.place(&krate);
        let (repeatable, preflight) = (self.repeatable.is_some(), self.preflight.is_some());
        let entry = entry::place(
            &krate,
            "CHASSIS_HANDLERS_V1",
            "HandlerEntry",
            &quote! {
                #krate::generated::#form::<#ident>(
                    #said,
                    #krate::generated::Stand {
                        requires: &[#(#requires),*],
                        provides: &[#(#provides),*],
                        place: #place,
                        repeatable: #repeatable,
                        preflight: #preflight,
                    },
                )
            },
        );
        quote!(const _: () = { #entry };)
    }

    fn place(&self, krate: &Path) -> TokenStream {
        match (&self.before, &self.after) {
            (Some(before), _) => quote!(#krate::catalog::Place::Before(&[#(#before),*])),
            (None, Some(after)) => quote!(#krate::catalog::Place::After(&[#(#after),*])),
            (None, None) => quote!(#krate::catalog::Place::Any),
        }
    }
}

fn flag(place: &mut Option<Ident>, word: &Ident, note: Note, errors: &mut Errors) {
    let flag = errors.take(note.into_flag());
    errors.once(place, word, flag);
}

fn texts(place: &mut Option<Vec<LitStr>>, word: &Ident, note: Note, errors: &mut Errors) {
    let texts = errors.take(note.into_texts());
    errors.once(place, word, texts);
}
