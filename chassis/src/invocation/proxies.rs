//! Networks, and who a call really comes from when it came through proxies that are trusted to say so.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use http::{HeaderMap, HeaderName};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::Peer;

/// How many bits stand before an IPv4 address that is written as an IPv6 one.
const MAPPED: u8 = 96;

static FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Where peers are: `10.0.0.0/8`, `fd00::/8`, `192.0.2.7`, or `unix` for whatever connects over a Unix socket.
///
/// An IPv4 address that is written as an IPv6 one (RFC 4291 §2.5.5.2) is the IPv4 address, as it is with peers: no
/// network of IPv6 holds it, `::/0` neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Network {
    /// A process on this machine, over a Unix socket.
    Unix,
    /// The addresses that share their first bits with this one.
    Addresses(IpAddr, u8),
}

impl Network {
    /// Whether a peer is there.
    pub fn holds(self, peer: &Peer) -> bool {
        match peer {
            Peer::Unix => self == Self::Unix,
            Peer::Ip(_) | Peer::Local => peer.ip().is_some_and(|address| self.contains(address)),
        }
    }

    /// Whether an address is among its addresses.
    pub fn contains(self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::Addresses(IpAddr::V4(network), length), IpAddr::V4(address)) => {
                (network.to_bits() ^ address.to_bits()).leading_zeros() >= u32::from(length)
            }
            (Self::Addresses(IpAddr::V6(network), length), IpAddr::V6(address)) => {
                (network.to_bits() ^ address.to_bits()).leading_zeros() >= u32::from(length)
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "unix" {
            return Ok(Self::Unix);
        }
        let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
        let malformed = || format!("`{text}` is not a network: write `10.0.0.0/8`, `fd00::/8`, `192.0.2.7` or `unix`");
        let address = address.parse::<IpAddr>().map_err(|_| malformed())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let length = length.map_or(Ok(most), str::parse::<u8>).map_err(|_| malformed())?;
        if length > most {
            return Err(format!("`{text}` has a prefix longer than {most} bits: write `/0` to `/{most}`"));
        }
        match (address, address.to_canonical()) {
            (IpAddr::V6(_), IpAddr::V4(mapped)) => match length.checked_sub(MAPPED) {
                Some(length) => Ok(Self::Addresses(mapped.into(), length)),
                // Above 32 nobody can have meant the prefix of an address of IPv4.
                None if length > 32 => Err(format!(
                    "`{text}` is an address of IPv4 and a prefix that is too short for one: it begins at /{MAPPED}"
                )),
                None => Err(format!(
                    "`{text}` is an address of IPv4 and a prefix that is too short for one: write `{mapped}/{length}`"
                )),
            },
            (address, _) => Ok(Self::Addresses(address, length)),
        }
    }
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix => f.write_str("unix"),
            Self::Addresses(address, length) => write!(f, "{address}/{length}"),
        }
    }
}

impl JsonSchema for Network {
    fn schema_name() -> Cow<'static, str> {
        "Network".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "examples": ["10.0.0.0/8", "fd00::/8", "192.0.2.7", "unix"] })
    }
}

/// The proxies that are trusted to say who they forward for.
#[derive(Clone, Debug, Default)]
pub struct Proxies(pub Vec<Network>);

impl Proxies {
    /// The address a call comes from: the peer's, or the first one that `X-Forwarded-For` names, read from right to
    /// left, that is no trusted proxy. What is no address ends the reading: nothing left of it can be believed.
    #[inline]
    pub fn client(&self, peer: &Peer, headers: &HeaderMap) -> Option<IpAddr> {
        let direct = peer.ip();
        if !self.trust(peer) {
            return direct;
        }
        let mut client = direct;
        for value in headers.get_all(&FORWARDED_FOR).iter().rev() {
            let Ok(hops) = value.to_str() else { return client };
            for hop in hops.rsplit(',') {
                let Some(address) = parse(hop.trim()) else { return client };
                client = Some(address);
                if !self.contain(address) {
                    return client;
                }
            }
        }
        client
    }

    fn trust(&self, peer: &Peer) -> bool {
        self.0.iter().any(|network| network.holds(peer))
    }

    fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}

/// An address as proxies write it: bare, with a port, or in brackets.
fn parse(hop: &str) -> Option<IpAddr> {
    let bare = || hop.parse::<IpAddr>().ok();
    let with_port = || hop.parse::<SocketAddr>().ok().map(|address| address.ip());
    let bracketed = || hop.strip_prefix('[')?.strip_suffix(']')?.parse::<IpAddr>().ok().filter(IpAddr::is_ipv6);
    bare().or_else(with_port).or_else(bracketed).map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests;
