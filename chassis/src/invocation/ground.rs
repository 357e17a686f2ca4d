//! What a call stands on while it runs.

use std::any::{Any, TypeId};

use super::Invocation;
use crate::fault::Fault;
use crate::operation::Operation;

/// What a call stands on and keeps alive: the snapshot it was matched in.
pub(crate) trait Ground: Send + Sync {
    /// The operation at this place of the table.
    fn operation(&self, target: u32) -> Option<&Operation>;
    /// The component of this type, as an `Arc<T>` behind `Any`.
    fn component(&self, id: TypeId) -> Option<&(dyn Any + Send + Sync)>;
    /// Counts a panic that was caught while this call ran.
    fn count_panic(&self);
    /// Whether a slash at the end of a path makes another path.
    fn is_strict(&self) -> bool {
        false
    }
    /// Whether calls in flight are being cut off, because the process ends.
    fn is_cut_off(&self) -> bool {
        false
    }
    /// Keeps a refusal that did not count: what a handler would have done.
    fn note_spared(&self, fault: &Fault, handler: &str, invocation: &Invocation) {
        let _ = (fault, handler, invocation);
    }
}
