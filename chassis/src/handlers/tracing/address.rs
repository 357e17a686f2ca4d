//! An address as text, where it stands in a span, without asking for memory.

use std::io::Write;
use std::net::IpAddr;

use crate::outbox::Writing;

/// The numbers of an IPv4 address as text, and how many digits they have: to format one as numbers are formatted takes as
/// long as the rest of a span.
static DECIMALS: [([u8; 3], u8); 256] = {
    let mut decimals = [([0; 3], 0); 256];
    let mut number = 0;
    while number < decimals.len() {
        let digits = [b'0' + (number / 100) as u8, b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8];
        decimals[number] = match number {
            0..10 => ([digits[2], 0, 0], 1),
            10..100 => ([digits[1], digits[2], 0], 2),
            _ => (digits, 3),
        };
        number += 1;
    }
    decimals
};

/// The longest is an IPv6 address that ends as an IPv4 address does.
const LONGEST: usize = 45;

/// Writes an address into a span.
pub(super) fn note(span: &mut Writing<'_>, name: &str, address: IpAddr) {
    let IpAddr::V4(address) = address else { return note_long(span, name, address) };
    let numbers = address.octets().map(|octet| DECIMALS[usize::from(octet)]);
    let length = numbers.iter().map(|(_, count)| usize::from(*count)).sum::<usize>() + 3;
    span.text_of(name, length, |text| {
        for (place, (digits, count)) in numbers.iter().enumerate() {
            if place > 0 {
                text.push(b'.');
            }
            text.extend_from_slice(&digits[..usize::from(*count)]);
        }
    });
}

fn note_long(span: &mut Writing<'_>, name: &str, address: IpAddr) {
    let mut text = [0; LONGEST];
    let mut rest = text.as_mut_slice();
    // It fits.
    let _ = write!(rest, "{address}");
    let length = LONGEST - rest.len();
    span.text_of(name, length, |bytes| bytes.extend_from_slice(&text[..length]));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_as_the_standard_library_writes_it() {
        let spans = |address: IpAddr| {
            let (mut written, mut expected) = (Vec::new(), Vec::new());
            note(&mut Writing::begin(&mut written), "client.address", address);
            Writing::begin(&mut expected).text("client.address", &address.to_string());
            assert_eq!(written, expected, "{address}");
        };
        (0..=255).for_each(|octet| spans([octet, 255 - octet, 0, octet].into()));
        spans("2001:db8::1".parse().unwrap());
        spans("::ffff:192.168.100.200".parse().unwrap());
        spans("1111:2222:3333:4444:5555:6666:7777:8888".parse().unwrap());
    }
}
