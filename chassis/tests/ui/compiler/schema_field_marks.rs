//! A field says once and clearly where its value comes from.
#![allow(unused)]

use chassis::prelude::*;

#[schema("/greetings")]
struct Greeting {
    #[conf]
    #[new(String::new)]
    both: String,
    #[new]
    nothing: String,
    component: Component,
}

#[operations]
impl Greeting {
    #[get("/", public)]
    async fn hello(&self) {}
}

fn main() {}

//~ a field is either `#[conf]` or `#[new(…)]`: both say where its value comes from
//~ write `#[new(path::to::function)]`, a function without arguments
//~ say which component: `Component<Type>`
