//! A handler implements `Handler`.
#![allow(unused)]

use chassis::prelude::*;

#[handler("rules")]
struct Rules;

impl Configure for Rules {
    type Conf = ();

    fn build((): (), _: &BuildContext<'_>) -> Result<Self, BuildError> {
        Ok(Self)
    }
}

fn main() {}

//~ `Rules` is not a handler
//~ neither `before` nor `after` is implemented for it
//~ write `impl Handler for Rules`, or `impl Wrap for Rules` together with `#[handler("name", wrap)]`
