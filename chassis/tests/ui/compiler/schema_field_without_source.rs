//! Something fills every field.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting {
    book: Book,
}

struct Book;

#[operations]
impl Greeting {
    #[get("/", public)]
    async fn hello(&self) {}
}

fn main() {}
