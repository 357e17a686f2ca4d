//! `#[get]` alone does nothing.
#![allow(unused)]

use chassis::prelude::*;

struct Greeting;

impl Greeting {
    #[get("/", public)]
    async fn hello(&self) {}
}

#[delete("/", public)]
fn alone() {}

fn main() {}
