//! A schema has operations.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

fn main() {}

//~ `Greeting` has no operations
//~ no `impl` block of this type is marked `#[operations]`
//~ put `#[operations]` on the `impl Greeting` block that holds its methods
