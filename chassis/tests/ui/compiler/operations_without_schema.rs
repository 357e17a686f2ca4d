//! Operations belong to a schema.
#![allow(unused)]

use chassis::prelude::*;

struct Greeting;

#[operations]
impl Greeting {
    #[get("/", public)]
    async fn hello(&self) {}
}

fn main() {}
