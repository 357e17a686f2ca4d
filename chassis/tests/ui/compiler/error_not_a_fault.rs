//! An error becomes a Fault.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

#[operations]
impl Greeting {
    #[get("/", public)]
    async fn hello(&self) -> Result<Json<String>, Oops> {
        Err(Oops)
    }
}

struct Oops;

fn main() {}

//~ `Oops` does not become a `Fault`
//~ an operation that fails answers with a Fault, and this is not one
//~ write `impl From<Oops> for Fault` and choose the `Code` and what callers may read
