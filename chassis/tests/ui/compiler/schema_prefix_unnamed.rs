//! The parameters of a prefix are named where they are taken.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/users/{user}/posts")]
struct Greeting;

#[operations]
impl Greeting {
    #[get("/", public)]
    async fn hello(&self) {}
}

fn main() {}
