//! `#[operations]` stands on an `impl` block.
#![allow(unused)]

use chassis::prelude::*;

#[operations]
struct Greeting;

#[operations]
fn hello() {}

fn main() {}
