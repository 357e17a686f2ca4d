//! `#[route]` names the HTTP method first.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

#[operations]
impl Greeting {
    #[route("/a", public)]
    async fn path(&self) {}

    #[route("PURGE", public)]
    async fn method(&self) {}

    #[route("get", "/b", public)]
    async fn small(&self) {}

    #[route("A B", "/c", public)]
    async fn token(&self) {}

    #[route(public)]
    async fn neither(&self) {}
}

fn main() {}
