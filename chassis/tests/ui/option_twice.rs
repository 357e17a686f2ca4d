//! An option is given once.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

#[operations]
impl Greeting {
    #[get("/", public, name = "a", name = "b")]
    async fn hello(&self) {}
}

fn main() {}
