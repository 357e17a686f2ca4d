//! Typed, strict configuration: where values come from, what they mean, and what is wrong with them.
//!
//! # From text to parts
//!
//! 1. [`Sources`] says where configuration is to be read from. [`Document::load`] reads it: what the program says
//!    itself, then YAML files, then the environment, then `--set`. Later ones win; maps are merged, everything else is
//!    replaced. Every value and every key remembers its [`Origin`].
//! 2. [`Composed`] is the JSON Schema of everything that may be said: what chassis reads ([`Root`]) and the
//!    [`Part`] of each handler, schema, component and protocol that was linked in. It also writes the reference
//!    ([`Composed::reference`]), so that a key, its type, its default and its comment are said once.
//! 3. [`Document::check`] walks document and schema side by side and reports everything that is wrong at once, as a
//!    [`ConfError`]: file, line, column, key, the line itself, and what to do about it. Nothing is built before it
//!    passes.
//! 4. [`Conf`] hands out what passed: [`Conf::root`] typed, and for each part a [`Section`] whose
//!    [`value`](Section::value) goes into the part's own type. What the part then finds wrong goes back through
//!    [`Section::problem`], which puts it at its line.
//!
//! ```
//! use chassis::conf::{Composed, Document, Sources};
//!
//! # fn main() -> Result<(), chassis::conf::ConfError> {
//! let sources = Sources { sets: vec!["drain.delay=1s".to_owned()], ..Sources::default() };
//! let document = Document::load(&sources)?;
//! let conf = document.check(Composed::new(&[]), &[], &sources.disk())?;
//! assert_eq!(conf.root.drain.delay.to_string(), "1s");
//! assert_eq!(conf.origin("drain.delay").map(ToString::to_string).as_deref(), Some("--set drain.delay"));
//!
//! let sources = Sources { sets: vec!["drain.dealy=1s".to_owned()], ..Sources::default() };
//! let error = Document::load(&sources)?.check(Composed::new(&[]), &[], &sources.disk()).unwrap_err();
//! assert!(error.to_string().contains("did you mean `delay`?"));
//! # Ok(())
//! # }
//! ```
//!
//! # What a value can look like
//!
//! A key without a value is as if it was not there; laid over a scalar or a list of an earlier source it takes it back
//! to its default. `null` or `~`, written out, takes a map back, too. `${NAME}` and `${NAME||default}` stand for environment variables in YAML files; an unquoted value is
//! read again after that, so that `${PORT}` can be a number. The environment says `CHASSIS__LOG__LEVEL` for
//! `log.level`, `CHASSIS__HANDLERS__RATE_LIMIT__BURST` for `handlers.rate-limit.burst`. A [`Secret`] is written as
//! `file:/path` or `env:NAME` and is read after the check, because only the schema knows that it is one; it is hidden
//! in every line that is shown. Where a file cannot be read, nothing is shown that may be a value. A relative [`FileRef`] is relative to the file that says it.
//!
//! Only [`source`] reads files and the environment; everything else is a function of what it read.

mod broken;
mod build;
mod check;
pub mod compose;
pub mod document;
mod emit;
#[cfg(test)]
pub(crate) mod fixture;
mod interpolate;
pub mod listing;
pub mod origin;
mod overlay;
pub mod path;
pub mod problem;
pub mod read;
mod reference;
pub mod root;
mod scalar;
pub mod source;
pub(crate) mod suggest;
pub mod tree;
pub mod value;
pub mod yaml;

pub use build::{BuildContext, BuildError, Configure, Files, Process, Requirement, Warnings, typed};
pub use check::{Known, Reviewed};
pub use compose::{Composed, Kind, Part, Tombstone};
pub use document::Document;
pub use origin::Origin;
pub use problem::{ConfError, Problem};
pub use read::{Conf, Section};
pub use root::Root;
pub use source::Sources;
pub use value::{FileRef, Interval, Rate, Secret, Share, Size, ValueError};
