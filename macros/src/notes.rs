//! What stands between the parentheses of an attribute: texts, words, `word = value` and `word(…)`.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, ExprPath, Ident, Lit, LitStr, Meta, Path, Token, parenthesized};

use crate::errors::Errors;
use crate::names;

/// One of them.
pub(crate) enum Note {
    Text(LitStr),
    Word(Ident),
    Value(Ident, Expr),
    List(Ident, TokenStream),
}

/// The notes of an attribute. What cannot be read is reported, and the rest is read on.
pub(crate) fn read(tokens: TokenStream, errors: &mut Errors) -> Vec<Note> {
    let notes = |input: ParseStream<'_>| {
        let mut notes = Vec::new();
        while !input.is_empty() {
            notes.extend(errors.take(note(input).and_then(|note| ended(input).map(|()| note))));
            skip_to_comma(input);
        }
        Ok(notes)
    };
    // Every error is taken inside; what is left over is none.
    notes.parse2(tokens).unwrap_or_default()
}

/// The notes of an attribute that stands on a method or field.
pub(crate) fn of(attribute: &Attribute, errors: &mut Errors) -> Vec<Note> {
    match &attribute.meta {
        Meta::List(list) => read(list.tokens.clone(), errors),
        Meta::Path(_) => Vec::new(),
        Meta::NameValue(pair) => {
            errors.at(pair, "write what this attribute says in parentheses");
            Vec::new()
        }
    }
}

fn note(input: ParseStream<'_>) -> syn::Result<Note> {
    if input.peek(LitStr) {
        return input.parse().map(Note::Text);
    }
    if !input.peek(Ident::peek_any) {
        return Err(input.error("expected a text in quotes, a word, `word = value` or `word(…)`"));
    }
    let word = Ident::parse_any(input)?;
    if input.peek(Token![=]) {
        input.parse::<Token![=]>()?;
        return Ok(Note::Value(word, input.parse()?));
    }
    if input.peek(syn::token::Paren) {
        let content;
        parenthesized!(content in input);
        return Ok(Note::List(word, content.parse()?));
    }
    Ok(Note::Word(word))
}

fn ended(input: ParseStream<'_>) -> syn::Result<()> {
    if input.is_empty() || input.peek(Token![,]) { Ok(()) } else { Err(input.error("expected `,`")) }
}

fn skip_to_comma(input: ParseStream<'_>) {
    while !input.is_empty() && input.parse::<Token![,]>().is_err() {
        if input.parse::<TokenTree>().is_err() {
            return;
        }
    }
}

impl Note {
    /// The word it begins with.
    pub(crate) fn word(&self) -> Option<&Ident> {
        match self {
            Self::Text(_) => None,
            Self::Word(word) | Self::Value(word, _) | Self::List(word, _) => Some(word),
        }
    }

    /// `word = "text"`.
    pub(crate) fn into_text(self) -> syn::Result<LitStr> {
        match self {
            Self::Value(_, Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) => Ok(text),
            Self::Text(text) => Ok(text),
            Self::Value(word, value) => Err(syn::Error::new_spanned(value, text_expected(&word))),
            Self::Word(word) | Self::List(word, _) => Err(syn::Error::new_spanned(&word, text_expected(&word))),
        }
    }

    /// `word("text", …)`, at least one.
    pub(crate) fn into_texts(self) -> syn::Result<Vec<LitStr>> {
        match self {
            Self::List(word, tokens) => texts(&word, tokens),
            Self::Text(text) => Ok(vec![text]),
            Self::Word(word) | Self::Value(word, _) => {
                Err(syn::Error::new_spanned(&word, format!("write `{word}(\"…\")`")))
            }
        }
    }

    /// The word alone.
    pub(crate) fn into_flag(self) -> syn::Result<Ident> {
        match self {
            Self::Word(word) => Ok(word),
            Self::Value(word, _) | Self::List(word, _) => {
                Err(syn::Error::new_spanned(&word, format!("`{word}` stands alone: it takes no value")))
            }
            Self::Text(text) => Err(syn::Error::new_spanned(text, "expected a word")),
        }
    }

    /// `crate = path`, from the root of the crates unless it says otherwise.
    pub(crate) fn into_path(self) -> syn::Result<Path> {
        match self {
            Self::Value(_, Expr::Path(ExprPath { mut path, .. })) => {
                let relative = path
                    .segments
                    .first()
                    .is_some_and(|first| ["crate", "self", "super"].iter().any(|word| first.ident == word));
                if !relative {
                    path.leading_colon.get_or_insert_default();
                }
                Ok(path)
            }
            other => {
                Err(syn::Error::new_spanned(other, "write `crate = name`, the name that chassis has in `Cargo.toml`"))
            }
        }
    }
}

impl ToTokens for Note {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Text(text) => text.to_tokens(tokens),
            Self::Word(word) | Self::Value(word, _) | Self::List(word, _) => word.to_tokens(tokens),
        }
    }
}

fn text_expected(word: &Ident) -> String {
    format!("write `{word} = \"…\"`, a text in quotes")
}

fn texts(word: &Ident, tokens: TokenStream) -> syn::Result<Vec<LitStr>> {
    let texts = Punctuated::<LitStr, Token![,]>::parse_terminated.parse2(tokens);
    let texts = texts
        .map_err(|error| syn::Error::new(error.span(), format!("write `{word}(\"…\", \"…\")`, texts in quotes")))?;
    match texts.is_empty() {
        true => Err(syn::Error::new_spanned(word, format!("`{word}()` names nothing: write `{word}(\"…\")`"))),
        false => Ok(texts.into_iter().collect()),
    }
}

/// The report on a word that means nothing here; `known` are those that do.
pub(crate) fn unknown(word: &Ident, attribute: &str, known: &[&str]) -> syn::Error {
    let help = match names::nearest(&word.to_string(), known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it takes {}", names::list(known)),
    };
    syn::Error::new_spanned(word, format!("`{attribute}` has no option `{word}`: {help}"))
}
