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
