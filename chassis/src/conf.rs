//! Typed, strict configuration: where values come from, what they mean, and what is wrong with them.

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

pub use build::{BuildContext, BuildError, Configure, Files, Warnings, typed};
pub use compose::{Composed, Kind, Part};
pub use document::Document;
pub use problem::{ConfError, Problem};
pub use read::{Conf, Section};
pub use root::Root;
pub use source::Sources;
pub use value::{FileRef, Interval, Rate, Secret, Size, ValueError};
