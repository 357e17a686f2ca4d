//! Takes an order and answers with it.
fn main() {}
