//! Typed, strict configuration: where values come from, what they mean, and what is wrong with them.

mod build;
pub mod value;

pub use build::{BuildContext, BuildError, Configure, typed};
pub use value::{FileRef, Interval, Rate, Secret, Size, ValueError};
