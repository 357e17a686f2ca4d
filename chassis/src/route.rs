//! Which operation answers a method and a path: one immutable table, made from path templates.
//!
//! # Templates
//!
//! A template begins with a slash; what stands between two slashes is a segment.
//!
//! | segment | matches | captures |
//! |---|---|---|
//! | `users`, `resources:run` | this text | |
//! | `{id}` | any segment that is not empty | `id` |
//! | `{id:[0-9]+}` | a segment that the [expression](https://docs.rs/regex/latest/regex/#syntax) matches as a whole | `id` |
//! | `{id}.json`, `v{major}`, `pre{x}post` | a segment with this text at its ends and something between | the middle |
//! | `{id}:cancel` | the same: what other routers call a custom verb | `id` |
//! | `{id:[0-9]+}.json` | both | the middle |
//! | `{rest:*}` | one or more segments, to the end of the path or to the segments that follow | all of them |
//! | `{:[a-z]+}`, `{:*}` | as above | nothing |
//!
//! * A name has letters, digits, `_`, `-` and `.`, and is used once in a template. Braces within an expression nest;
//!   one in a character class or behind a backslash is text.
//! * An expression is anchored, with or without `^` and `$`, and is matched against the value with its escapes
//!   undone: `[^.]+` refuses `%2E`.
//! * Slashes that are doubled count once, so that a prefix may end in one and a path begin with one.
//! * Text may be written as it is read (`hello world`) or as it is sent (`hello%20world`).
//! * A segment has one parameter, a template one tail.
//!
//! # Paths
//!
//! A path is cut at its slashes as it was sent, and values are decoded after that: `%2F` never cuts a segment.
//! Text is compared as RFC 3986 §6.2.2 says: `%61` is `a`, while an escaped delimiter such as `%3A` is no delimiter.
//! Nothing else is normalised: doubled slashes and dot segments match no text and no parameter. A tail takes them as
//! they are, but never begins with a slash. One slash at the end is insignificant unless [`TrailingSlash::Strict`]
//! is set; a tail may be empty when it is there (`/files/` for `/files/{rest:*}`), and then only. Without it the path
//! is nobody's: `/files` is not taken by a less specific tail such as `/{rest:*}` either.
//!
//! # Precedence
//!
//! Segment by segment, from the left: text, then the longest text around a parameter, then an expression, then a
//! parameter, then a tail (the more segments follow it, the sooner). Of two expressions at one place the one declared
//! first is tried first; where they share a value and the first does not match less than the other, the table says so
//! ([`Table::ambiguous`]). Of two texts of the same length around a parameter, the one with more before it comes first.
//! What leads nowhere is taken back, and the next is tried. A template that fits and lacks the method does not end the
//! search: a less specific one that has it answers. Two routes of one method whose templates
//! differ in names only are an error.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::invocation::Params;
use crate::operation::Text;

pub mod template;

mod ambiguity;
mod build;
mod draft;
mod error;
mod escape;
mod expression;
mod layout;
mod methods;
mod path;
mod radix;
mod search;
mod shape;
mod tree;
mod word;

pub(crate) use escape::comparable;

pub use error::{Ambiguous, RouteError, Shadowed};
pub use methods::Allow;

use escape::Spelling;
use methods::Methods;
use path::Path;
use search::Search;
use template::TemplateError;
use tree::Tree;

/// A method and a path template that lead to an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The method, as it is sent: `GET`; `*` for any.
    pub method: Text,
    /// The path template.
    pub template: String,
    /// What [`Found::Route`] gives back.
    pub target: u32,
    /// Where it is declared, for people: the id and place of an operation.
    pub place: String,
}

/// How paths are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Conf {
    /// What a slash at the end of a path means.
    pub trailing_slash: TrailingSlash,
}

/// What a slash at the end of a path means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TrailingSlash {
    /// Nothing: `/users/` is `/users`, in paths and in templates.
    #[default]
    Ignore,
    /// Another path: `/users/` is matched by a template that ends in a slash, or by a tail.
    Strict,
}

/// The routes of one listener, ready to be searched. It never changes: to add a route, build another.
#[derive(Debug)]
pub struct Table {
    conf: Conf,
    tree: Tree,
    methods: Methods,
    shadowed: Vec<Shadowed>,
    ambiguous: Vec<Ambiguous>,
}

/// What a method and a path lead to.
#[derive(Clone, Debug)]
pub enum Found<'t> {
    /// To this target.
    Route {
        /// The target of the [`Route`].
        target: u32,
        /// What was captured, in the order of [`parameters`].
        params: Params,
    },
    /// An OPTIONS call for a path that has operations, none of them for OPTIONS (RFC 9110 §9.3.7).
    Options {
        /// The methods there are; for the target `*` those of the whole table.
        allow: Allow<'t>,
    },
    /// To operations of other methods.
    MethodNotAllowed {
        /// The methods there are.
        allow: Allow<'t>,
    },
    /// To nothing.
    NotFound,
    /// Nowhere: the path has a `%` that two hexadecimal digits do not follow, or a NUL, escaped or not.
    Malformed,
}

impl Table {
    /// Makes a table.
    ///
    /// # Errors
    /// Everything that is wrong with any of the routes.
    pub fn build(routes: impl IntoIterator<Item = Route>, conf: Conf) -> Result<Self, Vec<RouteError>> {
        let routes: Vec<_> = routes.into_iter().collect();
        build::table(&routes, conf)
    }

    /// What a call leads to. `path` is as it was sent, without a query; it may be anything.
    ///
    /// Nothing is allocated for up to six captures, unless the path has both escapes and more than 1,024 bytes, or
    /// the method is refused.
    pub fn find(&self, method: &Method, path: &str) -> Found<'_> {
        match Spelling::of(path.as_bytes()) {
            Spelling::Plain => self.find_in(method, path.as_bytes(), None),
            Spelling::Escaped => self.find_escaped(method, path.as_bytes()),
            Spelling::Malformed => Found::Malformed,
        }
    }

    #[cold]
    fn find_escaped(&self, method: &Method, raw: &[u8]) -> Found<'_> {
        let (mut few, mut many) = ([0; 1024], Vec::new());
        let buffer = match few.get_mut(..raw.len()) {
            Some(few) => few,
            None => {
                many.resize(raw.len(), 0);
                &mut many
            }
        };
        let len = buffer.iter_mut().zip(escape::canonical(raw)).map(|(to, byte)| *to = byte).count();
        self.find_in(method, &buffer[..len], Some(raw))
    }

    /// What the canonical form of a path leads to.
    #[inline]
    fn find_in(&self, method: &Method, text: &[u8], raw: Option<&[u8]>) -> Found<'_> {
        let mut room = [0; 8];
        let Some(path) = Path::new(text, raw, self.conf.trailing_slash, &mut room) else {
            return self.find_relative(method, text);
        };
        let wanted = self.methods.wanted(method);
        let (mut chosen, mut fits, mut params) = (0, false, Params::default());
        let search = Search::new(&self.tree, &path, &mut params, |arrivals| {
            fits = true;
            wanted.choose(arrivals).inspect(|target| chosen = *target).is_some()
        });
        match search.run() {
            true => Found::Route { target: chosen, params },
            false if fits => self.refuse(method, &path),
            false => Found::NotFound,
        }
    }

    /// RFC 9110 §9.3.7: OPTIONS may ask about the server as a whole.
    #[cold]
    fn find_relative(&self, method: &Method, text: &[u8]) -> Found<'_> {
        match text {
            b"*" if *method == Method::OPTIONS => Found::Options { allow: Allow::all(&self.methods) },
            _ => Found::NotFound,
        }
    }

    /// The path is known, the method is not.
    #[cold]
    fn refuse(&self, method: &Method, path: &Path<'_>) -> Found<'_> {
        let (mut allow, mut params) = (Allow::default(), Params::default());
        let search = Search::new(&self.tree, path, &mut params, |arrivals| {
            allow.extend(&self.methods, arrivals);
            false
        });
        search.run();
        if *method == Method::OPTIONS { Found::Options { allow } } else { Found::MethodNotAllowed { allow } }
    }

    /// Whether a slash at the end makes another path.
    pub(crate) fn is_strict(&self) -> bool {
        self.conf.trailing_slash == TrailingSlash::Strict
    }

    /// Routes that are never reached, though that is no error.
    pub fn shadowed(&self) -> &[Shadowed] {
        &self.shadowed
    }

    /// Routes that share a path with another, and only their order decides which of them answers.
    pub fn ambiguous(&self) -> &[Ambiguous] {
        &self.ambiguous
    }

    /// What is odd about the routes and no error, in words.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        self.shadowed.iter().map(ToString::to_string).chain(self.ambiguous.iter().map(ToString::to_string))
    }
}

/// The names of a template's parameters, in the order their values are captured.
///
/// # Errors
/// Everything that is wrong with the template.
pub fn parameters(template: &str) -> Result<Vec<String>, Vec<TemplateError>> {
    Ok(template::parse(template)?.parameters().map(str::to_owned).collect())
}
