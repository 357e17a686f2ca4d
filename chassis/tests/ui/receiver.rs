//! An operation takes `&self`.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

#[operations]
impl Greeting {
    #[get("/a", public)]
    async fn none() {}

    #[get("/b", public)]
    async fn unique(&mut self) {}

    #[get("/c", public)]
    async fn owned(self) {}

    #[get("/d", public)]
    async fn counted(self: std::sync::Arc<Self>) {}
}

fn main() {}
