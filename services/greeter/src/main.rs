//! Greets visitors: a schema with four operations, the component that remembers them, and a handler of its own.

#![forbid(unsafe_code)]

mod book;
mod greeting;
mod house_rules;
#[cfg(test)]
mod tests;

chassis::main!();
