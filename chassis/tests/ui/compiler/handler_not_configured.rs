//! A handler is made from configuration.
#![allow(unused)]

use chassis::prelude::*;

#[handler("rules")]
struct Rules;

impl Handler for Rules {}

fn main() {}
