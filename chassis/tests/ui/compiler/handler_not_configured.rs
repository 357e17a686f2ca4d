//! A handler is made from configuration.
#![allow(unused)]

use chassis::prelude::*;

#[handler("rules")]
struct Rules;

impl Handler for Rules {}

fn main() {}

//~ `Rules` cannot be built from configuration
//~ `Configure` is not implemented for it
//~ write `impl Configure for Rules { type Conf = …; fn build(conf, context) -> … }`; `type Conf = ()` if it takes none
