//! `crate` is given the name that chassis has here.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings", crate = "chassis")]
struct Greeting;

#[operations(crate)]
impl Greeting {
    #[get("/", public)]
    async fn hello(&self) {}
}

#[handler("rules", crate("chassis"))]
struct Rules;

#[component("book", crate = 1)]
struct Book;

#[conf(crate = "chassis")]
struct Settings {
    /// How much.
    size: u8,
}

fn main() {}
