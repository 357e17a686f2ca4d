//! Writes JSON into memory that the answer can own, with as few allocations as there can be.

use std::cell::Cell;
use std::mem;

use axum::body::Bytes;
use serde::Serialize;

/// A longer answer takes the memory it was written into along, in bytes: it would be slow to copy.
const LONG: usize = 16 << 10;

thread_local! {
    // Has grown to what the answers of this thread need.
    static SHEET: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The JSON of a value. One that is not long is one allocation of exactly its size.
pub(super) fn write(value: &impl Serialize) -> serde_json::Result<Bytes> {
    // One that is written in the middle of another begins on a new sheet.
    let mut sheet = SHEET.take();
    let written = serde_json::to_writer(&mut sheet, value);
    let document = match sheet.len() {
        0..=LONG => Bytes::copy_from_slice(&sheet),
        _ => Bytes::from(mem::take(&mut sheet)),
    };
    sheet.clear();
    SHEET.set(sheet);
    written.map(|()| document)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde::Serializer;

    use super::*;

    proptest! {
        #[test]
        fn any_length_is_written_whole_whatever_was_written_before(
            documents in prop::collection::vec(prop::collection::vec("[a-z]{0,900}", 0..40), 1..4),
        ) {
            for words in documents {
                let written = write(&words).unwrap();
                prop_assert_eq!(serde_json::from_slice::<Vec<String>>(&written).unwrap(), words);
                let kept = SHEET.take();
                prop_assert!(kept.is_empty() && kept.capacity() <= 2 * LONG);
                SHEET.set(kept);
            }
        }
    }

    #[test]
    fn nothing_is_left_of_what_could_not_be_written() {
        assert!(write(&("begun", BTreeMap::from([((1, 2), 3)]))).is_err());
        assert_eq!(write(&7).unwrap(), "7");
    }

    #[test]
    fn a_value_may_write_another_while_it_is_written() {
        struct Outer;
        impl Serialize for Outer {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let inner = write(&[1, 2]).unwrap();
                serializer.serialize_str(str::from_utf8(&inner).unwrap())
            }
        }
        assert_eq!(write(&("a", Outer)).unwrap(), r#"["a","[1,2]"]"#);
    }
}
