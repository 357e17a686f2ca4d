//! Every option says how it is written.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

#[operations]
impl Greeting {
    #[get("/a", public, name)]
    async fn name(&self) {}

    #[get("/b", public, timeout = 2)]
    async fn timeout(&self) {}

    #[get("/c", public, tags = "a")]
    async fn tags(&self) {}

    #[get("/d", public, deprecated = true)]
    async fn deprecated(&self) {}

    #[get("/e", public, summary("x"))]
    async fn summary(&self) {}
}

fn main() {}
