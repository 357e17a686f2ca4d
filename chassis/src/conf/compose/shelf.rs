//! Where the schema of the configuration lies while a service serves. Nobody looks at it then, but for those who mount
//! operations, and as text it is a sixth of what it is as a tree.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::{Composed, Kind, Tombstone};
use crate::lock::locked;

/// Where the schema lies.
#[derive(Debug)]
pub(crate) struct Shelf(Mutex<Kept>);

#[derive(Debug)]
enum Kept {
    Open(Arc<Composed>),
    Away(Text),
}

#[derive(Debug)]
struct Text {
    schema: Box<[u8]>,
    names: BTreeMap<Kind, Vec<String>>,
    tombstones: Vec<Tombstone>,
}

impl Shelf {
    pub(crate) fn new(composed: Composed) -> Self {
        Self(Mutex::new(Kept::Open(Arc::new(composed))))
    }

    /// The schema, which stays open until it is put away.
    pub(crate) fn open(&self) -> Arc<Composed> {
        let mut kept = locked(&self.0);
        let open = match &*kept {
            Kept::Open(composed) => Arc::clone(composed),
            Kept::Away(text) => Arc::new(text.read()),
        };
        *kept = Kept::Open(Arc::clone(&open));
        open
    }

    /// Nobody looks at it for a while.
    pub(crate) fn put_away(&self) {
        let mut kept = locked(&self.0);
        let text = match &*kept {
            Kept::Open(composed) => Text::of(composed),
            Kept::Away(_) => None,
        };
        if let Some(text) = text {
            *kept = Kept::Away(text);
        }
    }
}

impl Text {
    fn of(composed: &Composed) -> Option<Self> {
        let schema = serde_json::to_vec(&composed.schema).ok()?.into_boxed_slice();
        Some(Self { schema, names: composed.names.clone(), tombstones: composed.tombstones.clone() })
    }

    fn read(&self) -> Composed {
        // What was written from a value is read as that value.
        let schema = serde_json::from_slice(&self.schema).unwrap_or(Value::Null);
        Composed { schema, names: self.names.clone(), tombstones: self.tombstones.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conf::compose::sample;

    #[test]
    fn what_was_put_away_is_what_is_taken_out() {
        let composed = sample::composed();
        let shelf = Shelf::new(composed.clone());
        for _ in 0..2 {
            shelf.put_away();
            shelf.put_away();
            assert!(matches!(&*locked(&shelf.0), Kept::Away(_)));
            let open = shelf.open();
            assert!(Arc::ptr_eq(&open, &shelf.open()));
            assert_eq!((&open.schema, &open.names), (&composed.schema, &composed.names));
            assert_eq!(open.tombstones.len(), composed.tombstones.len());
        }
    }
}
