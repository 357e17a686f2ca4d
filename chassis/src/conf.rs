//! Typed, strict configuration: where values come from, what they mean, and what is wrong with them.

mod build;
pub mod document;
#[cfg(test)]
pub(crate) mod fixture;
mod interpolate;
pub mod origin;
mod overlay;
pub mod path;
pub mod problem;
pub mod root;
mod scalar;
pub mod source;
mod suggest;
pub mod tree;
pub mod value;
pub mod yaml;

pub use build::{BuildContext, BuildError, Configure, Files, typed};
pub use document::Document;
pub use problem::{ConfError, Problem};
pub use root::Root;
pub use source::Sources;
pub use value::{FileRef, Interval, Rate, Secret, Size, ValueError};
