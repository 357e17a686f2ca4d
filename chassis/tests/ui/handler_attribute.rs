//! What is wrong with `#[handler]` is reported at once.
#![allow(unused)]

use chassis::prelude::*;

#[handler("House Rules", "more", befor("auth"), before("a"), after("b"), requires(), provides = "x", wrap = true)]
struct Rules;

#[handler]
struct Nameless;

#[handler("circle", requires("trace"), provides("trace"))]
struct Circle;

#[handler("generic")]
struct Generic<T>(T);

#[handler("function")]
fn function() {}

fn main() {}
