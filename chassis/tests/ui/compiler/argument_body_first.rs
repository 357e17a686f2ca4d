//! Only the last argument reads the body.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

#[operations]
impl Greeting {
    #[post("/a", public)]
    async fn ours(&self, Json(name): Json<String>, caller: Principal) {}

    #[post("/b", public)]
    async fn foreign(&self, body: Bytes, caller: Principal) {}

    #[post("/c", public)]
    async fn both(&self, body: Bytes, Json(name): Json<String>) {}
}

fn main() {}

//~ an argument that reads the body must be the last one
//~ this one reads the body, and others follow
//~ a body can be read once: move this argument to the end, and keep only one that reads the body
