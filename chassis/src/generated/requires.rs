//! Asks a type whether it requires anything of the chain.

use std::marker::PhantomData;

use crate::argument::Requires;
use crate::operation::Text;

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
