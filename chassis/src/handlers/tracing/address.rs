//! An address as text, without asking for memory.

use std::fmt;
use std::net::IpAddr;

/// The longest is an IPv6 address that ends as an IPv4 address does.
const LONGEST: usize = 45;

/// The text of an address.
pub(super) struct Address {
    text: [u8; LONGEST],
    length: usize,
}

impl Address {
    pub(super) fn of(address: IpAddr) -> Self {
        let mut text = Self { text: [0; LONGEST], length: 0 };
        match address {
            IpAddr::V4(address) => text.octets(address.octets()),
            // It fits.
            IpAddr::V6(address) => _ = fmt::write(&mut text, format_args!("{address}")),
        }
        text
    }

    pub(super) fn as_str(&self) -> &str {
        self.text.get(..self.length).and_then(|text| str::from_utf8(text).ok()).unwrap_or_default()
    }

    /// Nearly every call has one, and formatting it as numbers are formatted takes as long as the rest of its span.
    fn octets(&mut self, octets: [u8; 4]) {
        for (place, octet) in octets.into_iter().enumerate() {
            if place > 0 {
                self.push(b'.');
            }
            if octet >= 100 {
                self.push(b'0' + octet / 100);
            }
            if octet >= 10 {
                self.push(b'0' + octet / 10 % 10);
            }
            self.push(b'0' + octet % 10);
        }
    }

    fn push(&mut self, byte: u8) {
        if let Some(place) = self.text.get_mut(self.length) {
            *place = byte;
            self.length += 1;
        }
    }
}

impl fmt::Write for Address {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        more.bytes().for_each(|byte| self.push(byte));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_as_the_standard_library_writes_it() {
        let text = |address: IpAddr| assert_eq!(Address::of(address).as_str(), address.to_string());
        (0..=255).for_each(|octet| text([octet, 255 - octet, 0, octet].into()));
        text("2001:db8::1".parse().unwrap());
        text("::ffff:192.168.100.200".parse().unwrap());
        let longest = "1111:2222:3333:4444:5555:6666:7777:8888";
        text(longest.parse().unwrap());
    }
}
