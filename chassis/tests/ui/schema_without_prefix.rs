//! A schema says where it stands.
#![allow(unused)]

use chassis::prelude::*;

#[schema]
struct Greeting;

#[operations]
impl Greeting {
    #[get("/", public)]
    async fn hello(&self) {}
}

fn main() {}
