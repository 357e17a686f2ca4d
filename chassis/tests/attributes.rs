//! Proves that what the attributes write compiles wherever a service may put it, and says what its author said.

#![forbid(unsafe_code)]
#![deny(warnings, clippy::all)]

#[path = "attributes/bare.rs"]
mod bare;
#[path = "attributes/shapes.rs"]
mod shapes;
#[path = "attributes/templates.rs"]
mod templates;
