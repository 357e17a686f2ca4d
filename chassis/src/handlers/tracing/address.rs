//! An address as text, where it stands in a span: no memory is asked for, and nothing copied.

use std::net::IpAddr;

use crate::outbox::Writing;

/// The numbers of an IPv4 address as text, and how many digits they have: to format one as numbers are formatted takes as
/// long as the rest of a span.
const OCTETS: [([u8; 3], u8); 256] = octets();

const fn octets() -> [([u8; 3], u8); 256] {
    let mut octets = [([0; 3], 0); 256];
    let mut octet = 0;
    while octet < 256 {
        let digits = [b'0' + (octet / 100) as u8, b'0' + (octet / 10 % 10) as u8, b'0' + (octet % 10) as u8];
        octets[octet] = match octet {
            0..10 => ([digits[2], 0, 0], 1),
            10..100 => ([digits[1], digits[2], 0], 2),
            _ => (digits, 3),
        };
        octet += 1;
    }
    octets
}

/// Writes an address into a span.
pub(super) fn note(span: &mut Writing<'_>, name: &str, address: IpAddr) {
    let IpAddr::V4(address) = address else { return span.text(name, &address.to_string()) };
    let octets = address.octets().map(|octet| OCTETS[usize::from(octet)]);
    let length = octets.iter().map(|(_, digits)| usize::from(*digits)).sum::<usize>() + 3;
    span.text_of(name, length, |text| {
        for (place, (digits, count)) in octets.iter().enumerate() {
            if place > 0 {
                text.push(b'.');
            }
            text.extend_from_slice(&digits[..usize::from(*count)]);
        }
    });
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
        spans("1111:2222:3333:4444:5555:6666:7777:8888".parse().unwrap());
    }
}
