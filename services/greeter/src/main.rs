//! Greets visitors.
fn main() {}
