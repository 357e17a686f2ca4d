//! `#[schema]` stands on a struct.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
enum Greeting {}

#[schema("/farewells")]
impl Farewell {}

struct Farewell;

fn main() {}
