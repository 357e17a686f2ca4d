//! Two operations differ in name and in what they answer to.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

#[operations]
impl Greeting {
    #[get("/a", public, name = "hello")]
    async fn first(&self) {}

    #[get("/b", public)]
    async fn hello(&self) {}

    #[get("/c/{_name}", public)]
    async fn third(&self) {}

    #[get("/c//{_visitor}", public)]
    async fn fourth(&self) {}
}

fn main() {}
