//! A schema has one block of operations.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;


#[operations]
impl Greeting {
    #[get("/a", public)]
    async fn hello(&self) {}
}

#[operations]
impl Greeting {
    #[get("/b", public)]
    async fn goodbye(&self) {}
}

fn main() {}
