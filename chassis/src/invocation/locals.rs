//! What handlers leave in a call for each other, one value of each type.

use std::any::{Any, TypeId};

/// Values by type. Holds nothing on the heap until the first is set.
#[derive(Default)]
pub struct Locals(Vec<(TypeId, Box<dyn Any + Send + Sync>)>);

impl Locals {
    /// Leaves a value, and returns the one of the same type that was there. A guard left here, such as a permit,
    /// is dropped with the call.
    pub fn set<T: Send + Sync + 'static>(&mut self, value: T) -> Option<T> {
        let former = self.take();
        self.0.push((TypeId::of::<T>(), Box::new(value)));
        former
    }

    /// The value of type `T`.
    pub fn get<T: 'static>(&self) -> Option<&T> {
        let (_, value) = self.0.iter().find(|(id, _)| *id == TypeId::of::<T>())?;
        value.downcast_ref()
    }

    /// The value of type `T`, to change it.
    pub fn get_mut<T: 'static>(&mut self) -> Option<&mut T> {
        let (_, value) = self.0.iter_mut().find(|(id, _)| *id == TypeId::of::<T>())?;
        value.downcast_mut()
    }

    /// Takes the value of type `T` away.
    pub fn take<T: 'static>(&mut self) -> Option<T> {
        let at = self.0.iter().position(|(id, _)| *id == TypeId::of::<T>())?;
        self.0.swap_remove(at).1.downcast().ok().map(|value| *value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_of_each_type_is_kept() {
        let mut locals = Locals::default();
        assert_eq!(locals.set(1_u8), None);
        assert_eq!(locals.set("a"), None);
        assert_eq!(locals.set(2_u8), Some(1));
        assert_eq!(locals.get::<u8>(), Some(&2));
        assert_eq!(locals.take::<&str>(), Some("a"));
        assert_eq!(locals.get::<&str>(), None);
    }
}
