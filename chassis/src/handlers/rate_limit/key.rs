//! What a limit counts by: the caller's address, who it is, the operation, a header field, or nothing.

use std::borrow::Cow;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::net::IpAddr;
use std::str::FromStr;

use http::HeaderName;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::proxies::Proxies;
use crate::invocation::{Invocation, Peer};
use crate::principal::Principal;

/// What a limit counts by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Key {
    /// The caller's address.
    #[default]
    Peer,
    /// Who the caller proved to be; its address where that is not known.
    Principal,
    /// Nothing: all calls count together.
    Global,
    /// The operation.
    Operation,
    /// The value of a header field; the caller's address where it is absent.
    Header(HeaderName),
}

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "peer" => Ok(Self::Peer),
            "principal" => Ok(Self::Principal),
            "global" => Ok(Self::Global),
            "operation" => Ok(Self::Operation),
            _ => match text.strip_prefix("header:").map(str::trim) {
                Some(name) => name.parse().map(Self::Header).map_err(|_| format!("`{name}` is not a header name")),
                None => Err(format!(
                    "unknown key `{text}`: write `peer`, `principal`, `global`, `operation` or `header:NAME`"
                )),
            },
        }
    }
}

impl TryFrom<String> for Key {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.to_string()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Peer => f.write_str("peer"),
            Self::Principal => f.write_str("principal"),
            Self::Global => f.write_str("global"),
            Self::Operation => f.write_str("operation"),
            Self::Header(name) => write!(f, "header:{name}"),
        }
    }
}

impl JsonSchema for Key {
    fn schema_name() -> Cow<'static, str> {
        "RateLimitKey".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^(peer|principal|global|operation|header:.+)$",
            "examples": ["peer", "principal", "global", "operation", "header:X-Tenant"],
        })
    }
}

/// The digest that stands for a key in the table.
///
/// Two SipHash values under independent secret keys: callers cannot choose what collides, and among 100,000 keys two
/// meet by chance with a probability below 10⁻²⁸. So the text itself need not be kept or compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Name(pub(super) [u64; 2]);

impl Name {
    /// A number below `among`, evenly spread; each of the four choices depends on bits of its own.
    pub(super) fn spread(self, choice: usize, among: usize) -> usize {
        let bits = (self.0[choice / 2] >> (32 * (choice % 2))) & u64::from(u32::MAX);
        ((bits * among as u64) >> 32) as usize
    }
}

/// Finds the key of a call.
pub(super) struct Keys {
    pub(super) key: Key,
    pub(super) proxies: Proxies,
    /// How many leading bits of an IPv4 and of an IPv6 address tell callers apart.
    pub(super) prefixes: (u8, u8),
    secrets: [RandomState; 2],
}

impl Keys {
    pub(super) fn new(key: Key, proxies: Proxies, prefixes: (u8, u8)) -> Self {
        Self { key, proxies, prefixes, secrets: [RandomState::new(), RandomState::new()] }
    }

    /// The key of this call. Allocates nothing.
    pub(super) fn name(&self, invocation: &Invocation) -> Name {
        match &self.key {
            Key::Global => self.digest(b'g'),
            Key::Peer => self.peer(invocation),
            Key::Principal => match &invocation.call.principal {
                Some(principal) => self.principal(principal),
                None => self.peer(invocation),
            },
            Key::Operation => self.digest((b'o', invocation.operation().map(|operation| &operation.id))),
            Key::Header(name) => match invocation.headers().get(name) {
                Some(value) => self.digest((b'h', value.as_bytes())),
                None => self.peer(invocation),
            },
        }
    }

    fn principal(&self, principal: &Principal) -> Name {
        self.digest((b'p', &principal.identity().scheme, principal.subject()))
    }

    fn peer(&self, invocation: &Invocation) -> Name {
        match self.proxies.client(&invocation.call.peer, invocation.headers()) {
            Some(address) => self.digest((b'a', prefix(address, self.prefixes))),
            None => self.digest((b'l', invocation.call.peer == Peer::Unix)),
        }
    }

    fn digest(&self, key: impl Hash) -> Name {
        Name([self.secrets[0].hash_one(&key), self.secrets[1].hash_one(&key)])
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
    fn keys_are_read_as_they_are_written() {
        for text in ["peer", "principal", "global", "operation", "header:x-tenant"] {
            assert_eq!(text.parse::<Key>().map(|key| key.to_string()), Ok(text.to_owned()));
        }
        let unknown = "unknown key `user`: write `peer`, `principal`, `global`, `operation` or `header:NAME`";
        assert_eq!("user".parse::<Key>(), Err(unknown.to_owned()));
        assert_eq!("header:a b".parse::<Key>(), Err("`a b` is not a header name".to_owned()));
    }

    #[test]
    fn every_choice_spreads_over_the_whole_range() {
        let name = Name([u64::from(u32::MAX), 0x8000_0000_0000_0000]);
        assert_eq!([0, 1, 2, 3].map(|choice| name.spread(choice, 10)), [9, 0, 0, 5]);
    }
}
