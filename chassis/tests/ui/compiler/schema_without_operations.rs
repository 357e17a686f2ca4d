//! A schema has operations.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

fn main() {}
