//! `#[operations]` stands on the block of a struct that has a name.
#![allow(unused)]

use chassis::prelude::*;

#[operations]
impl (u8, u8) {
    #[get("/", public)]
    async fn hello(&self) {}
}

#[operations]
impl [u8] {
    #[get("/", public)]
    async fn hello(&self) {}
}

fn main() {}

//~ a schema is a struct of your own
