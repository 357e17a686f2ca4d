//! A schema is one type.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting<T>(T);

fn main() {}
