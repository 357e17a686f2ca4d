//! Which calls something is for, as YAML says it: by method, path, header fields, query, peer, operation and mark.
//!
//! What one entry says must all hold; of a list of entries one is enough. A header field or parameter that is not there
//! fits nothing, whatever the operator, `not` included: only `present: false` asks for its absence. Of one that is there
//! several times one value is enough, but `not` must hold of all: a caller may add another.

use std::borrow::Cow;
use std::collections::BTreeMap;

use http::header::COOKIE;
use http::{HeaderName, Method};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::conf::BuildError;
use crate::conf::root::Pattern;
use crate::invocation::{Invocation, Mark, Network, convention};

mod custom;
mod operator;
mod target;
#[cfg(test)]
mod tests;
mod written;

pub use custom::{Comparison, Operator};
pub use operator::{Operators, Test};

use operator::Compiled;
use target::Target;

/// Which calls something is for. Everything an entry says must hold; of a list of entries one is enough.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum When {
    /// Calls for which all of this holds.
    All(Box<Entry>),
    /// Calls for which one of these holds.
    Any(Vec<Entry>),
}

/// What must all hold of a call.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[schemars(extend("x-narrows" = true))]
pub struct Entry {
    /// The methods, one of which it has: `[GET, HEAD]`.
    pub method: Vec<String>,
    /// Its path, as operations are found by it: a text it is, or operators such as `{ prefix: /api/ }`. `/%61pi` is
    /// `/api`, and so is `/api/` unless `routing.trailing-slash` is `strict`.
    pub path: Option<Test>,
    /// Its header fields: `{ x-tenant: gold }`, `{ user-agent: { contains: bot } }`. Of several fields of one name one
    /// is enough, but `not` must hold of all.
    #[schemars(extend("x-narrows" = true))]
    pub header: BTreeMap<String, Test>,
    /// The parameters of its query, decoded: `{ debug: { present: true } }`. Of several of one name one is enough,
    /// but `not` must hold of all.
    #[schemars(extend("x-narrows" = true))]
    pub query: BTreeMap<String, Test>,
    /// The networks, one of which its peer is in: `[10.0.0.0/8, unix]`.
    pub peer: Vec<Network>,
    /// The operations, one of which it leads to: `[greeting.*]`.
    #[schemars(extend("x-operations" = true))]
    pub operation: Vec<String>,
    /// The marks, one of which it has: what `marker` calls it. `none` is that of a call it has no word for.
    pub mark: Vec<String>,
}

/// What stands for the mark of a call that has none. No call may be called so.
pub const UNMARKED: &str = "none";

/// Tells which calls something is for.
pub struct Condition(Vec<Ready>);

struct Ready {
    method: Vec<Method>,
    path: Option<Target>,
    header: Vec<(HeaderName, Compiled)>,
    query: Vec<(String, Compiled)>,
    peer: Vec<Network>,
    operation: Vec<Pattern>,
    mark: Vec<String>,
}

impl When {
    /// Makes the condition.
    ///
    /// # Errors
    /// A method, header name, pattern of operations or expression that is none, with its key; a list of no entries.
    pub fn build(&self) -> Result<Condition, BuildError> {
        let ready = self.entries().map(|(at, entry)| entry.build().map_err(|error| error.below(&at)));
        let ready: Vec<_> = ready.collect::<Result<_, _>>()?;
        if ready.is_empty() {
            let error = BuildError::new("", "the list is empty, so that this is for no call");
            return Err(error.with_help("say which calls it is for: `{ method: [POST] }`; `{}` is all of them"));
        }
        Ok(Condition(ready))
    }

    /// The marks that its entries ask for, with the key of the entry, where one asks for some.
    pub fn marks(&self) -> impl Iterator<Item = (String, &[String])> {
        let marks = self.entries().map(|(at, entry)| (at, entry.mark.as_slice()));
        marks.filter(|(_, marks)| !marks.is_empty())
    }

    /// The entries, each with its key.
    fn entries(&self) -> impl Iterator<Item = (String, &Entry)> {
        let (entries, numbered) = match self {
            Self::All(entry) => (std::slice::from_ref(&**entry), false),
            Self::Any(entries) => (entries.as_slice(), true),
        };
        let key = move |at| if numbered { format!("[{at}]") } else { String::new() };
        entries.iter().enumerate().map(move |(at, entry)| (key(at), entry))
    }
}

impl Entry {
    fn build(&self) -> Result<Ready, BuildError> {
        Ok(Ready {
            method: each("method", &self.method, method)?,
            path: self
                .path
                .as_ref()
                .map(|test| Target::build(test).map_err(|error| error.below("path")))
                .transpose()?,
            header: self.header.iter().map(|(name, test)| header(name, test)).collect::<Result<_, _>>()?,
            query: self.query.iter().map(|(name, test)| parameter(name, test)).collect::<Result<_, _>>()?,
            peer: self.peer.clone(),
            operation: each("operation", &self.operation, pattern)?,
            mark: self.mark.clone(),
        })
    }
}

fn each<T>(key: &str, texts: &[String], read: fn(&str) -> Result<T, BuildError>) -> Result<Vec<T>, BuildError> {
    let numbered = texts.iter().enumerate();
    numbered.map(|(at, text)| read(text).map_err(|error| error.below(&format!("{key}[{at}]")))).collect()
}

/// Reads a method that calls are to have.
///
/// Methods are compared as they are written (RFC 9110 §9.1): those that are known have no small letters, those that
/// somebody invents may have.
///
/// # Errors
/// It is none, or a known one in small letters, which nobody sends.
pub(crate) fn method(text: &str) -> Result<Method, BuildError> {
    let wrong = |message: &str, help: String| BuildError::new("", format!("`{text}` {message}")).with_help(help);
    let upper = text.to_ascii_uppercase();
    match text.parse() {
        // A token, and none that anybody means.
        Ok(_) if text == "*" => Err(wrong("is no method", "leave the list out for all methods".to_owned())),
        Ok(_) if upper != text && convention::METHODS.contains(&&*upper) => {
            Err(wrong("has small letters, and that method has none", format!("write `{upper}`")))
        }
        Ok(method) => Ok(method),
        Err(_) => Err(wrong("is no method", "write a method such as `GET` or `POST`".to_owned())),
    }
}

fn pattern(text: &str) -> Result<Pattern, BuildError> {
    Pattern::parse(text).ok_or_else(|| {
        BuildError::new("", format!("`{text}` is no pattern of operations"))
            .with_help("write an operation, `greeting.hello`, or a pattern: `greeting.*`, `*.list`, `*`")
    })
}

fn header(name: &str, test: &Test) -> Result<(HeaderName, Compiled), BuildError> {
    let key = format!("header.{name}");
    let field = name.parse::<HeaderName>().map_err(|_| {
        BuildError::new(key.clone(), format!("`{name}` is not a header name"))
            .with_help("a name has letters, digits and dashes, such as `x-tenant`")
    })?;
    Ok((field, test.build().map_err(|error| error.below(&key))?))
}

fn parameter(name: &str, test: &Test) -> Result<(String, Compiled), BuildError> {
    let test = test.build().map_err(|error| error.below(&format!("query.{name}")))?;
    Ok((name.to_owned(), test))
}

impl Condition {
    /// Whether it holds of this call.
    pub fn holds(&self, invocation: &Invocation) -> bool {
        self.0.iter().any(|ready| ready.holds(invocation))
    }
}

impl Ready {
    fn holds(&self, invocation: &Invocation) -> bool {
        let any = |empty: bool, fits: bool| empty || fits;
        any(self.method.is_empty(), self.method.contains(invocation.method()))
            && self.path.as_ref().is_none_or(|path| path.holds(invocation))
            && any(self.peer.is_empty(), self.peer.iter().any(|network| network.holds(&invocation.call.peer)))
            && any(self.operation.is_empty(), self.leads(invocation))
            && any(self.mark.is_empty(), self.marked(invocation))
            && self.header.iter().all(|(name, test)| fits(invocation, name, test))
            && self.query.iter().all(|(name, test)| queried(invocation, name, test))
    }

    fn leads(&self, invocation: &Invocation) -> bool {
        let id = invocation.operation().map(|operation| operation.id.as_str());
        id.is_some_and(|id| self.operation.iter().any(|pattern| pattern.matches(id)))
    }

    fn marked(&self, invocation: &Invocation) -> bool {
        let mark = invocation.call.locals.get::<Mark>().map_or(UNMARKED, |Mark(mark)| mark);
        self.mark.iter().any(|one| one == mark)
    }
}

fn fits(invocation: &Invocation, name: &HeaderName, test: &Compiled) -> bool {
    match crumbs(invocation, name) {
        Some(cookie) => test.holds([cookie]),
        None => test.holds(texts(invocation, name)),
    }
}

/// HTTP/2 may send one `Cookie` in several fields (RFC 9113 §8.2.3).
fn crumbs(invocation: &Invocation, name: &HeaderName) -> Option<String> {
    let is_broken = *name == COOKIE && texts(invocation, name).nth(1).is_some();
    is_broken.then(|| texts(invocation, name).collect::<Vec<_>>().join("; "))
}

/// What is no UTF-8 is replaced, and not left out: it is there, and nobody passes a condition by with it.
fn texts<'a>(invocation: &'a Invocation, name: &HeaderName) -> impl Iterator<Item = Cow<'a, str>> {
    invocation.values(name).map(String::from_utf8_lossy)
}

fn queried(invocation: &Invocation, name: &str, test: &Compiled) -> bool {
    let query = invocation.uri().query().unwrap_or_default();
    let pairs = form_urlencoded::parse(query.as_bytes());
    test.holds(pairs.filter(|(key, _)| key == name).map(|(_, value)| value))
}
