//! A timeout is a length of time.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

#[operations]
impl Greeting {
    #[get("/a", public, timeout = "2")]
    async fn unit(&self) {}

    #[get("/b", public, timeout = "soon")]
    async fn word(&self) {}

    #[get("/c", public, timeout = "0s")]
    async fn nothing(&self) {}
}

fn main() {}
