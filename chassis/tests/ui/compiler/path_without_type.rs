//! `Path` says what it takes.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

#[operations]
impl Greeting {
    #[get("/{name}", public)]
    async fn hello(&self, path: Path) {}
}

fn main() {}

//~ say what the path parameters are: `Path<Type>`
