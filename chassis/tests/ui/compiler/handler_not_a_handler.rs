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
