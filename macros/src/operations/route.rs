//! What `#[get("/path", access, options…)]` and its siblings say.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Ident, LitStr, Meta, Path};

use super::template::Template;
use super::timeout;
use crate::errors::Errors;
use crate::names;
use crate::notes::{self, Note};

/// The attributes that make a method an operation.
pub(crate) const VERBS: [&str; 8] = ["get", "post", "put", "patch", "delete", "head", "options", "route"];

const OPTIONS: [&str; 10] =
    ["public", "auth", "scopes", "roles", "name", "timeout", "chain", "tags", "deprecated", "summary"];

const ACCESS: [&str; 4] = ["public", "auth", "scopes", "roles"];

/// What it says.
pub(super) struct Route {
    /// The HTTP method.
    pub(super) method: String,
    pub(super) path: LitStr,
    /// The path, if it is one.
    pub(super) template: Option<Template>,
    pub(super) access: Access,
    pub(super) name: Option<String>,
    pub(super) timeout: Option<std::time::Duration>,
    pub(super) chain: Option<String>,
    pub(super) tags: Vec<LitStr>,
    pub(super) deprecated: bool,
    pub(super) summary: Option<String>,
}

/// Who may call it.
pub(super) enum Access {
    Public,
    Auth,
    Scopes(Vec<LitStr>),
    Roles(Vec<LitStr>),
}

#[derive(Default)]
struct Draft {
    texts: Vec<LitStr>,
    access: Option<(Ident, Access)>,
    name: Option<String>,
    timeout: Option<std::time::Duration>,
    chain: Option<String>,
    tags: Option<Vec<LitStr>>,
    deprecated: Option<Ident>,
    summary: Option<String>,
}

impl Route {
    /// Reads the attribute; `verb` is its name.
    pub(super) fn read(verb: &Ident, attribute: &Attribute, errors: &mut Errors) -> Option<Self> {
        if let Meta::NameValue(pair) = &attribute.meta {
            errors.at(pair, format!("write what this attribute says in parentheses: `#[{verb}(…)]`"));
            return None;
        }
        let mut draft = Draft::default();
        for note in notes::of(attribute, errors) {
            match (note.word().cloned(), note) {
                (Some(word), note) => draft.option(verb, &word, note, errors),
                (None, Note::Text(text)) => draft.texts.push(text),
                (None, _) => {}
            }
        }
        let access = draft.access.map(|(_, access)| access);
        if access.is_none() {
            let message = "say who may call this operation: `public`, `auth`, `scopes(\"…\")` or `roles(\"…\")`";
            errors.at(attribute, message);
        }
        let (method, path) = target(verb, attribute, draft.texts, errors)?;
        let template = errors.take(Template::parse(&path));
        Some(Self {
            method,
            path,
            template,
            access: access?,
            name: draft.name,
            timeout: draft.timeout,
            chain: draft.chain,
            tags: draft.tags.unwrap_or_default(),
            deprecated: draft.deprecated.is_some(),
            summary: draft.summary,
        })
    }

    /// What two operations that answer the same calls have in common.
    pub(super) fn shape(&self) -> Option<(String, String)> {
        Some((self.method.clone(), self.template.as_ref()?.shape()))
    }
}

impl Draft {
    fn option(&mut self, verb: &Ident, word: &Ident, note: Note, errors: &mut Errors) {
        let text = |note: Note, errors: &mut Errors| errors.take(note.into_text());
        match word.to_string().as_str() {
            "public" | "auth" | "scopes" | "roles" => self.access(word, note, errors),
            "name" => {
                let name = text(note, errors).and_then(|text| errors.take(names::checked(&text)));
                errors.once(&mut self.name, word, name);
            }
            "timeout" => {
                let timeout = text(note, errors).and_then(|text| errors.take(timeout::read(&text)));
                errors.once(&mut self.timeout, word, timeout);
            }
            "chain" => {
                let chain = text(note, errors).and_then(|text| errors.take(names::checked(&text)));
                errors.once(&mut self.chain, word, chain);
            }
            "tags" => {
                let tags = errors.take(note.into_texts());
                errors.once(&mut self.tags, word, tags);
            }
            "deprecated" => {
                let deprecated = errors.take(note.into_flag());
                errors.once(&mut self.deprecated, word, deprecated);
            }
            "summary" => {
                let summary = text(note, errors).map(|text| text.value());
                errors.once(&mut self.summary, word, summary);
            }
            other => {
                // Who may call was said, if with a slip of the pen.
                if names::nearest(other, &OPTIONS).is_some_and(|near| ACCESS.contains(&near)) {
                    self.access.get_or_insert((word.clone(), Access::Auth));
                }
                errors.push(notes::unknown(word, &format!("#[{verb}]"), &OPTIONS));
            }
        }
    }

    fn access(&mut self, word: &Ident, note: Note, errors: &mut Errors) {
        let access = match word.to_string().as_str() {
            "public" => note.into_flag().map(|_| Access::Public),
            "auth" => note.into_flag().map(|_| Access::Auth),
            "scopes" => note.into_texts().map(Access::Scopes),
            _ => note.into_texts().map(Access::Roles),
        };
        if let Some((other, _)) = &self.access {
            errors.at(word, format!("`{other}` says already who may call this operation: keep one of the two"));
        }
        // What is written wrongly still says that the author thought of it.
        let access = errors.take(access).unwrap_or(Access::Auth);
        self.access.get_or_insert((word.clone(), access));
    }
}

/// The HTTP method and the path.
fn target(verb: &Ident, attribute: &Attribute, texts: Vec<LitStr>, errors: &mut Errors) -> Option<(String, LitStr)> {
    let mut texts = texts.into_iter();
    let (method, example) = match verb == "route" {
        false => (Some(verb.to_string().to_uppercase()), format!("#[{verb}(\"/path\", …)]")),
        true => {
            let example = "#[route(\"PURGE\", \"/path\", …)]".to_owned();
            match texts.next() {
                Some(text) => (errors.take(method(&text)), example),
                None => {
                    errors.at(attribute, format!("say the HTTP method and the path: `{example}`"));
                    return None;
                }
            }
        }
    };
    let path = texts.next();
    if path.is_none() && method.is_some() {
        errors.at(attribute, format!("say the path: `{example}`"));
    }
    for more in texts {
        errors.at(more, "an operation has one path, and it is given already");
    }
    method.zip(path)
}

/// A method token (RFC 9110 §5.6.2, §9.1).
fn method(text: &LitStr) -> syn::Result<String> {
    let method = text.value();
    let wrong = |message| Err(syn::Error::new_spanned(text, message));
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    match method.as_str() {
        path if path.starts_with('/') => {
            wrong(format!("`#[route]` names the HTTP method first: `#[route(\"PURGE\", \"{path}\", …)]`"))
        }
        small if VERBS.contains(&small) => {
            wrong(format!("HTTP methods are written in capitals: `{}`", small.to_uppercase()))
        }
        token if !token.is_empty() && token.chars().all(is_token) => Ok(method),
        other => wrong(format!("`{other}` cannot be an HTTP method (RFC 9110 §9.1)")),
    }
}

impl Access {
    /// The value that says it.
    pub(super) fn code(&self, krate: &Path) -> TokenStream {
        let names =
            |names: &[LitStr]| quote!(::std::borrow::Cow::Borrowed(&[#(::std::borrow::Cow::Borrowed(#names)),*]));
        match self {
            Self::Public => quote!(#krate::operation::Access::Public),
            Self::Auth => quote!(#krate::operation::Access::Auth),
            Self::Scopes(scopes) => {
                let scopes = names(scopes);
                quote!(#krate::operation::Access::Scopes(#scopes))
            }
            Self::Roles(roles) => {
                let roles = names(roles);
                quote!(#krate::operation::Access::Roles(#roles))
            }
        }
    }
}
