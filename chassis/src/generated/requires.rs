//! What is known about an argument, and what its type requires of the chain.

use std::borrow::Cow;
use std::marker::PhantomData;

use crate::argument::Requires;
use crate::operation::{Argument, Text};

/// What is known about an argument.
pub const fn argument(name: &'static str, ty: &'static str, requires: &'static [Text]) -> Argument {
    Argument { name: Text::Borrowed(name), ty: Text::Borrowed(ty), requires: Cow::Borrowed(requires) }
}

/// Asks about `T`. `Probe::<T>::FACTS` is the constant below where `T` requires something; otherwise the compiler
/// falls back to that of [`RequiresNothing`], because an inherent constant wins over one of a trait.
pub struct Probe<T>(PhantomData<T>);

impl<T: Requires> Probe<T> {
    /// What `T` requires.
    pub const FACTS: &'static [Text] = T::FACTS;
}

/// What every other type says.
pub trait RequiresNothing {
    /// Nothing.
    const FACTS: &'static [Text] = &[];
}

impl<T> RequiresNothing for Probe<T> {}
