//! Scopes and roles are named, as texts.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

#[operations]
impl Greeting {
    #[get("/a", scopes)]
    async fn alone(&self) {}

    #[get("/b", scopes())]
    async fn empty(&self) {}

    #[get("/c", roles(admin))]
    async fn word(&self) {}

    #[get("/d", public("yes"))]
    async fn flag(&self) {}
}

fn main() {}
