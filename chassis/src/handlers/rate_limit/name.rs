//! Which key a call has, as the fixed-size name that the table knows it by.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::net::IpAddr;

use super::key::{By, Key};
use super::policy::Conf;
use crate::invocation::{Invocation, Mark, Peer, Proxies};
use crate::principal::Principal;
use crate::random::folded;

/// What stands for a key in the table.
///
/// An address is kept whole. A text is kept as two SipHash values under independent secret keys: callers cannot choose
/// what collides, and among 100,000 keys two meet by chance with a probability below 10⁻²⁸.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Name {
    /// Where it belongs: a keyed hash, so that callers cannot crowd one place.
    pub(super) place: u64,
    /// What tells it from all others.
    pub(super) exact: [u64; 2],
}

impl Name {
    /// A number below `among`, evenly spread; each of the four choices is led by bits of its own.
    pub(super) fn spread(self, choice: u32, among: usize) -> usize {
        let bits = self.place.rotate_left(16 * choice) >> 32;
        ((bits * among as u64) >> 32) as usize
    }
}

/// Makes a name of what a call is counted by.
pub(super) trait Naming {
    /// What stands for a key.
    type Name;

    /// The name of a text of this kind, written in parts.
    fn text<const N: usize>(&self, kind: &str, parts: [&[u8]; N]) -> Self::Name;

    /// The name of the leading bits of an address.
    fn address(&self, bits: u128) -> Self::Name;

    /// All of these as one.
    fn together(&self, parts: impl Iterator<Item = Self::Name>) -> Self::Name;
}

/// Finds the key of a call.
pub(super) struct Keys<N = Seeds> {
    keys: Vec<Key>,
    proxies: Proxies,
    /// How many leading bits of an IPv4 and of an IPv6 address tell callers apart.
    prefixes: (u8, u8),
    naming: N,
}

impl<N: Naming> Keys<N> {
    pub(super) fn new(by: &By, conf: &Conf, naming: N) -> Self {
        let (proxies, prefixes) = (Proxies(conf.trusted_proxies.clone()), (conf.ipv4_prefix, conf.ipv6_prefix));
        Self { keys: by.0.clone(), proxies, prefixes, naming }
    }

    /// The key of this call. In memory it allocates nothing, unless a path parameter is percent-encoded.
    #[inline]
    pub(super) fn name(&self, invocation: &Invocation) -> N::Name {
        match self.keys.as_slice() {
            [Key::Peer] => self.peer(invocation),
            [key] => self.of(key, invocation),
            keys => self.naming.together(keys.iter().map(|key| self.of(key, invocation))),
        }
    }

    /// What makes its names.
    pub(super) fn naming(&self) -> &N {
        &self.naming
    }

    fn of(&self, key: &Key, invocation: &Invocation) -> N::Name {
        match key {
            Key::Global => self.naming.text("global", []),
            Key::Peer => self.peer(invocation),
            Key::Principal => match &invocation.call.principal {
                Some(principal) => self.principal(principal),
                None => self.peer(invocation),
            },
            Key::Operation => match invocation.operation() {
                Some(operation) => self.naming.text("operation", [operation.id.as_bytes()]),
                None => self.naming.text("unmatched", []),
            },
            Key::Mark => match invocation.call.locals.get::<Mark>() {
                Some(Mark(mark)) => self.naming.text("mark", [mark.as_bytes()]),
                None => self.naming.text("unmarked", []),
            },
            // A proxy that adds to what is there adds behind it.
            Key::Header(name) => match invocation.values(name).next_back() {
                Some(value) => self.naming.text("header", [value]),
                None => self.peer(invocation),
            },
            // Decoded: one value has many spellings, and each would have a bucket of its own.
            Key::Param(name) => match invocation.param(name) {
                Some(value) => self.naming.text("param", [value.as_bytes()]),
                None => self.peer(invocation),
            },
        }
    }

    fn principal(&self, principal: &Principal) -> N::Name {
        let identity = principal.identity();
        // No byte of a text keeps scheme and subject apart.
        self.naming.text("principal", [identity.scheme.as_bytes(), &[u8::MAX], identity.subject.as_bytes()])
    }

    #[inline]
    fn peer(&self, invocation: &Invocation) -> N::Name {
        match self.proxies.client(&invocation.call.peer, invocation.headers()) {
            Some(address) => self.naming.address(prefix(address, self.prefixes)),
            None if invocation.call.peer == Peer::Unix => self.naming.text("unix", []),
            None => self.naming.text("local", []),
        }
    }
}

/// Makes names that hold within this process, for its table.
pub(super) struct Seeds {
    secrets: [RandomState; 2],
    /// What the place of an address is made with.
    spreads: [u64; 2],
    /// Makes of an address what equals no digest but by chance, and never the name of an empty slot.
    disguise: u128,
}

impl Seeds {
    pub(super) fn new() -> Self {
        let secrets = [RandomState::new(), RandomState::new()];
        let disguise = u128::from(secrets[0].hash_one(0)) << 64 | u128::from(secrets[1].hash_one(0));
        let spreads = [secrets[0].hash_one(1), secrets[1].hash_one(1)];
        Self { secrets, spreads, disguise }
    }

    /// Where an address belongs. Two multiplications with secret numbers do, as in wyhash: what tells addresses apart is
    /// the address itself, and this runs on every call.
    fn place(&self, address: u128) -> u64 {
        let [high, low] = [(address >> 64) as u64 ^ self.spreads[0], address as u64 ^ self.spreads[1]];
        folded(folded(high, low) ^ self.spreads[0], self.spreads[1])
    }
}

impl Naming for Seeds {
    type Name = Name;

    fn text<const N: usize>(&self, kind: &str, parts: [&[u8]; N]) -> Name {
        let exact = [0, 1].map(|half| {
            let mut hasher = self.secrets[half].build_hasher();
            parts.iter().for_each(|part| hasher.write(part));
            hasher.write(kind.as_bytes());
            hasher.finish()
        });
        Name { place: exact[0], exact }
    }

    fn address(&self, bits: u128) -> Name {
        let exact = bits ^ self.disguise;
        Name { place: self.place(bits), exact: [(exact >> 64) as u64, exact as u64] }
    }

    /// Every part has the same length, so no two lists of parts are written alike.
    fn together(&self, parts: impl Iterator<Item = Name>) -> Name {
        let mut hashers = [0, 1].map(|half| self.secrets[half].build_hasher());
        for part in parts.map(|name| name.exact) {
            hashers.iter_mut().for_each(|hasher| part.iter().for_each(|half| hasher.write_u64(*half)));
        }
        let exact = hashers.map(|hasher| hasher.finish());
        Name { place: exact[0], exact }
    }
}

/// The leading bits of an address. An IPv4 one is written as IPv6 (RFC 4291 §2.5.5.2), which no other address equals.
fn prefix(address: IpAddr, (v4, v6): (u8, u8)) -> u128 {
    let (bits, length) = match address {
        IpAddr::V4(address) => (u128::from(address.to_ipv6_mapped()), 96 + u32::from(v4)),
        IpAddr::V6(address) => (u128::from(address), u32::from(v6)),
    };
    bits & u128::MAX.checked_shl(128 - length).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(one: &str, other: &str) -> bool {
        let [one, other] = [one, other].map(|text| prefix(text.parse::<IpAddr>().unwrap(), (32, 64)));
        one == other
    }

    #[test]
    fn one_ipv6_network_is_one_caller() {
        assert!(same("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"));
        assert!(!same("2001:db8:1:2::1", "2001:db8:1:3::1"));
        assert!(!same("192.0.2.1", "192.0.2.2"));
        assert!(!same("::1", "0.0.0.0"));
    }

    #[test]
    fn prefixes_may_be_as_short_and_as_long_as_addresses() {
        let address = "2001:db8::1".parse::<IpAddr>().unwrap();
        assert_eq!(prefix(address, (32, 0)), 0);
        assert_eq!(prefix(address, (32, 128)), 0x2001_0db8_0000_0000_0000_0000_0000_0001);
        let address = "192.0.2.9".parse::<IpAddr>().unwrap();
        assert_eq!(prefix(address, (24, 64)), 0xffff_c000_0200);
    }

    #[test]
    fn every_choice_spreads_over_the_whole_range() {
        let name = Name { place: 0x0000_4000_8000_ffff, exact: [0, 0] };
        assert_eq!([0, 1, 2, 3].map(|choice| name.spread(choice, 10)), [0, 2, 5, 9]);
        assert_eq!([0, 1, 2, 3].map(|choice| name.spread(choice, 1)), [0; 4]);
    }
}
