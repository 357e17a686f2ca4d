//! A method is one operation.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

#[operations]
impl Greeting {
    #[get("/a", public)]
    #[post("/b", public)]
    async fn hello(&self) {}
}

fn main() {}
