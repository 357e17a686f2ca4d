//! What is wrong with `#[component]` is reported at once.
#![allow(unused)]

use chassis::prelude::*;

#[component("book", "more", name = "x")]
struct Book<T>(T);

#[component]
struct Nameless;

#[component("function")]
fn function() {}

fn main() {}
