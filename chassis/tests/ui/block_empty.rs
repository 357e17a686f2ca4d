//! A block that is marked has operations.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;


#[operations]
impl Greeting {
    fn greet(&self) {}
}

fn main() {}
