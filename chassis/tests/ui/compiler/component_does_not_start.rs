//! A component can be started.
#![allow(unused)]

use chassis::prelude::*;

#[component("book")]
struct Book;

fn main() {}
