//! A generic block has no operations.
#![allow(unused)]

use chassis::prelude::*;

struct Greeting<T>(T);

#[operations]
impl<T> Greeting<T> {
    #[get("/", public)]
    async fn hello(&self) {}
}

struct Farewell<T>(T);

#[operations]
impl Farewell<u8> {
    #[get("/", public)]
    async fn goodbye(&self) {}
}

fn main() {}
