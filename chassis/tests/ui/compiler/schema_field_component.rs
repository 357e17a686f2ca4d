//! A field that is a component names something that can be started.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting {
    book: Component<Book>,
}

struct Book;

#[operations]
impl Greeting {
    #[get("/", public)]
    async fn hello(&self) {}
}

fn main() {}

//~ `Book` is not a component
//~ `Start` is not implemented for it
//~ mark the struct `#[component("name")]` and write `impl Start for Book`
