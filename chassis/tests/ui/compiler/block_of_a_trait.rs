//! `#[operations]` stands on the schema's own block.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;


#[operations]
impl Default for Greeting {
    fn default() -> Self {
        Self
    }
}

fn main() {}

//~ `#[operations]` stands on the schema's own `impl` block, not on that of a trait
//~ `Greeting` has no operations
//~ no `impl` block of this type is marked `#[operations]`
//~ put `#[operations]` on the `impl Greeting` block that holds its methods
