//! The wire format of protocol buffers, as far as it is written by hand: numbers of fields up to 15.

/// The kinds of fields.
pub(super) const VARINT: u8 = 0;
pub(super) const FIXED64: u8 = 1;
pub(super) const BYTES: u8 = 2;
pub(super) const FIXED32: u8 = 5;

/// What stands before the value of a field.
pub(super) const fn tag(field: u8, kind: u8) -> u8 {
    field << 3 | kind
}

/// How many bytes a number takes.
pub(super) const fn size(number: usize) -> usize {
    ((number | 1).ilog2() / 7 + 1) as usize
}

/// How many bytes a field of so many bytes takes, with its tag and its length.
pub(super) const fn length(bytes: usize) -> usize {
    1 + size(bytes) + bytes
}

/// Writes a number, seven bits a byte, the lowest first.
#[inline]
pub(super) fn varint(to: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

/// Writes a field of bytes or text.
#[inline]
pub(super) fn bytes(to: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    to.push(tag(field, BYTES));
    varint(to, bytes.len());
    to.extend_from_slice(bytes);
}

/// Writes a field that is a message, whose length is known when it is there.
pub(super) fn nested(to: &mut Vec<u8>, field: u8, write: impl FnOnce(&mut Vec<u8>)) {
    to.extend_from_slice(&[tag(field, BYTES), 0, 0]);
    let begin = to.len();
    write(to);
    let long = to.len() - begin;
    let mut place = Vec::new();
    match to.get_mut(begin - 2..begin) {
        // So is nearly every span.
        Some(two) if size(long) == 2 => two.copy_from_slice(&[long as u8 | 0x80, (long >> 7) as u8]),
        _ => {
            varint(&mut place, long);
            to.splice(begin - 2..begin, place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(&mut bytes);
        bytes
    }

    #[test]
    fn a_number_takes_seven_bits_a_byte() {
        for number in [0, 1, 127, 128, 300, 16_383, 16_384, usize::MAX] {
            assert_eq!(written(|bytes| varint(bytes, number)).len(), size(number), "{number}");
        }
        assert_eq!(written(|bytes| varint(bytes, 300)), [0xac, 0x02]);
        assert_eq!(written(|to| bytes(to, 1, b"abc")).len(), length(3));
    }

    #[test]
    fn a_message_stands_behind_its_length_however_long_it_is() {
        for long in [0, 1, 127, 128, 16_383, 16_384, 100_000] {
            let message = vec![7; long];
            let expected = written(|to| bytes(to, 2, &message));
            assert_eq!(written(|to| nested(to, 2, |to| to.extend_from_slice(&message))), expected, "{long}");
        }
    }
}
