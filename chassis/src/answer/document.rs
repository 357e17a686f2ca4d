//! Writes JSON into memory that the answer can own, with as few allocations as there can be.

use std::io::{self, Write};

use axum::body::Bytes;
use serde::Serialize;

/// How much fits on the stack, in bytes. Most answers do.
const INLINE: usize = 512;

/// The JSON of a value. A small one is one allocation of exactly its size.
pub(super) fn write(value: &impl Serialize) -> serde_json::Result<Bytes> {
    let mut sheet = Sheet { inline: [0; INLINE], len: 0, more: Vec::new() };
    serde_json::to_writer(&mut sheet, value)?;
    Ok(sheet.into_bytes())
}

/// Bytes that move to the heap when the stack no longer holds them.
struct Sheet {
    inline: [u8; INLINE],
    len: usize,
    more: Vec<u8>,
}

impl Sheet {
    fn into_bytes(self) -> Bytes {
        if self.more.is_empty() { Bytes::copy_from_slice(&self.inline[..self.len]) } else { Bytes::from(self.more) }
    }

    fn spill(&mut self, bytes: &[u8]) {
        if self.more.is_empty() {
            self.more.reserve(4 * INLINE + bytes.len());
            self.more.extend_from_slice(&self.inline[..self.len]);
        }
        self.more.extend_from_slice(bytes);
    }
}

impl Write for Sheet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let end = self.len + bytes.len();
        match self.inline.get_mut(self.len..end) {
            Some(room) if self.more.is_empty() => {
                room.copy_from_slice(bytes);
                self.len = end;
            }
            _ => self.spill(bytes),
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_length_is_written_whole(words in prop::collection::vec("[a-z]{0,90}", 0..40)) {
            let written = write(&words).unwrap();
            prop_assert_eq!(serde_json::from_slice::<Vec<String>>(&written).unwrap(), words);
        }
    }

    #[test]
    fn the_stack_is_filled_to_its_last_byte() {
        for len in [INLINE - 3, INLINE - 2, INLINE - 1] {
            let text = "x".repeat(len);
            assert_eq!(write(&text).unwrap(), format!("\"{text}\""));
        }
    }
}
