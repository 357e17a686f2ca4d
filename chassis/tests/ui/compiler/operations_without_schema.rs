//! Operations belong to a schema.
#![allow(unused)]

use chassis::prelude::*;

struct Greeting;

#[operations]
impl Greeting {
    #[get("/", public)]
    async fn hello(&self) {}
}

fn main() {}

//~ `Greeting` is not a schema
//~ not marked `#[schema("/prefix")]`
//~ put `#[schema("/prefix")]` on the struct
