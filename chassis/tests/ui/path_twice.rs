//! An operation has one path.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

#[operations]
impl Greeting {
    #[get("/a", "/b", public)]
    async fn hello(&self) {}
}

fn main() {}
