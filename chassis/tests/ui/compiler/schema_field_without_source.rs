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

//~ this field of the schema cannot be filled: `Book` has no default
//~ neither `#[conf]`, nor a `Component<T>`, nor `Default`
//~ mark the field `#[conf]` to read it from YAML, `#[new(path)]` to call a function, or implement `Default` for `Book`
