//! An unknown option is an error that lists or suggests.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

#[operations]
impl Greeting {
    #[get("/a", public, timeot = "2s")]
    async fn near(&self) {}

    #[get("/b", public, colour = "red")]
    async fn far(&self) {}
}

fn main() {}
