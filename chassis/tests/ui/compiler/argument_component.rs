//! A component that an operation takes can be started.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting;

#[operations]
impl Greeting {
    #[get("/", public)]
    async fn hello(&self, book: Component<Book>) {}
}

struct Book;

fn main() {}
