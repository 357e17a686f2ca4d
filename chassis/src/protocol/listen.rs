//! Where to listen, as configuration writes it: `host:port`, `:port`, `[::1]:port` or `unix:/path`.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::conf::value::{ValueError, from_text};

/// Where to listen.
///
/// A port of 0 lets the system choose one. The last colon separates the port, so that `::1:30100` is port 30100 of
/// `::1`; brackets (`[::1]:30100`, RFC 3986 §3.2.2) say the same without the doubt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// Every address of the machine, IPv4 and IPv6: `:8080`.
    All(u16),
    /// One address: `127.0.0.1:8080`, `[::1]:8080`; `0.0.0.0:8080` is every IPv4 address.
    Ip(SocketAddr),
    /// Every address a name stands for: `localhost:8080`.
    Name(String, u16),
    /// A Unix socket: `unix:/run/greeter.sock`.
    Unix(PathBuf),
}

impl Listen {
    /// Whether nobody can listen here while somebody listens there. Port 0 is never the same twice, and a name stands
    /// for itself: only `localhost` (RFC 6761 §6.3) is known to be the loopback addresses without asking for it.
    pub fn overlaps(&self, other: &Self) -> bool {
        match (self.port(), other.port()) {
            (Some(0), _) => false,
            (None, None) => self == other,
            (here, there) => here == there && self.shares_address(other),
        }
    }

    fn port(&self) -> Option<u16> {
        match self {
            Self::All(port) | Self::Name(_, port) => Some(*port),
            Self::Ip(address) => Some(address.port()),
            Self::Unix(_) => None,
        }
    }

    fn shares_address(&self, other: &Self) -> bool {
        let (here, there) = (self.addresses(), other.addresses());
        match (here.as_slice(), there.as_slice()) {
            ([], []) => self.to_string().eq_ignore_ascii_case(&other.to_string()),
            // Whatever the name stands for, it is an address of this machine.
            ([], known) | (known, []) => known.iter().any(IpAddr::is_unspecified),
            _ => here.iter().any(|one| there.iter().any(|other| covers(*one, *other) || covers(*other, *one))),
        }
    }

    /// The addresses it stands for as far as they are known without looking a name up.
    fn addresses(&self) -> Vec<IpAddr> {
        match self {
            Self::All(_) => vec![Ipv6Addr::UNSPECIFIED.into()],
            Self::Ip(address) => vec![address.ip().to_canonical()],
            Self::Name(name, _) if name.eq_ignore_ascii_case("localhost") => {
                vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
            }
            Self::Name(..) | Self::Unix(_) => Vec::new(),
        }
    }
}

/// Whether who listens on `one` hears what is sent to `other`: `[::]` hears both families.
fn covers(one: IpAddr, other: IpAddr) -> bool {
    one == other || (one.is_unspecified() && (one.is_ipv6() || other.is_ipv4()))
}

impl FromStr for Listen {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let text = text.trim();
        if let Some(path) = text.strip_prefix("unix:") {
            return unix(text, path);
        }
        if text.contains('/') {
            return Err(wrong(text, "is not an address", "write `host:port` without a scheme and a path"));
        }
        let Some((host, port)) = text.rsplit_once(':') else { return Err(without_port(text)) };
        let port = port.parse().map_err(|_| wrong(text, "has no port from 0 to 65535 after its last colon", HELP))?;
        host_and_port(text, host, port)
    }
}

const HELP: &str = "write `host:port`, `:port`, `[::1]:port` or `unix:/path`";

fn unix(text: &str, path: &str) -> Result<Listen, ValueError> {
    match path {
        "" => Err(wrong(text, "has no path", "write `unix:/run/greeter.sock`")),
        path => Ok(Listen::Unix(PathBuf::from(path))),
    }
}

fn host_and_port(text: &str, host: &str, port: u16) -> Result<Listen, ValueError> {
    match host {
        "" => Ok(Listen::All(port)),
        "*" => Err(wrong(text, "has a `*`", &format!("write `:{port}` for every address of the machine"))),
        host => match ip(host) {
            Some(ip) => Ok(Listen::Ip(SocketAddr::new(ip, port))),
            None if is_name(host) => Ok(Listen::Name(host.to_owned(), port)),
            None => Err(wrong(text, &format!("has neither an IP address nor a name in `{host}`"), HELP)),
        },
    }
}

fn ip(host: &str) -> Option<IpAddr> {
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    match bracketed {
        Some(host) => host.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => host.parse().ok(),
    }
}

/// Whether this can be a host name (RFC 1123 §2.1). One that ends in a number is a mistyped IPv4 address.
fn is_name(host: &str) -> bool {
    let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    host.trim_end_matches('.').split('.').all(is_label) && !last.bytes().all(|byte| byte.is_ascii_digit())
}

fn without_port(text: &str) -> ValueError {
    match text.parse::<u16>() {
        Ok(port) => wrong(text, "is a port without a colon", &format!("write `:{port}`")),
        Err(_) => wrong(text, "has no port", HELP),
    }
}

fn wrong(text: &str, what: &str, help: &str) -> ValueError {
    ValueError { message: format!("`{text}` {what}"), help: help.to_owned() }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(port) => write!(f, ":{port}"),
            Self::Ip(address) => address.fmt(f),
            Self::Name(name, port) => write!(f, "{name}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Serialize for Listen {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Listen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, "an address such as `127.0.0.1:8080`, `:8080` or `unix:/run/greeter.sock`")
    }
}

impl JsonSchema for Listen {
    fn schema_name() -> Cow<'static, str> {
        "Listen".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Where to listen: `host:port`, `:port` (every address), `[::1]:port` or `unix:/path`. Port 0 lets the system choose.",
            "type": "string",
            "format": "listen",
            "examples": [":8080", "127.0.0.1:8080", "[::1]:8080", "localhost:8080", "unix:/run/greeter.sock"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&str, &str>) {
        let read = text.parse::<Listen>().map(|listen| listen.to_string()).map_err(|error| error.to_string());
        assert_eq!(read, expected.map(str::to_owned).map_err(str::to_owned), "{text}");
    }

    #[test]
    fn the_last_colon_separates_the_port() {
        check("127.0.0.1:30110", Ok("127.0.0.1:30110"));
        check("[::1]:30100", Ok("[::1]:30100"));
        check("::1:30100", Ok("[::1]:30100"));
        check(":::8080", Ok("[::]:8080"));
    }

    #[test]
    fn every_address_a_name_and_a_unix_socket_can_be_said() {
        check(":8080", Ok(":8080"));
        check("localhost:8080", Ok("localhost:8080"));
        check("greeter.internal.:0", Ok("greeter.internal.:0"));
        check("unix:/run/greeter.sock", Ok("unix:/run/greeter.sock"));
    }

    #[test]
    fn what_is_wrong_is_said_with_a_remedy() {
        let help = "write `host:port`, `:port`, `[::1]:port` or `unix:/path`";
        check(
            "127.0.0.256:1",
            Err(&format!("`127.0.0.256:1` has neither an IP address nor a name in `127.0.0.256`: {help}")),
        );
        check("::1:301000", Err(&format!("`::1:301000` has no port from 0 to 65535 after its last colon: {help}")));
        check(
            "[127.0.0.1]:1",
            Err(&format!("`[127.0.0.1]:1` has neither an IP address nor a name in `[127.0.0.1]`: {help}")),
        );
        check("localhost", Err(&format!("`localhost` has no port: {help}")));
        check("8080", Err("`8080` is a port without a colon: write `:8080`"));
        check("*:8080", Err("`*:8080` has a `*`: write `:8080` for every address of the machine"));
        check("unix:", Err("`unix:` has no path: write `unix:/run/greeter.sock`"));
        check("http://a:1", Err("`http://a:1` is not an address: write `host:port` without a scheme and a path"));
    }

    #[test]
    fn wildcards_overlap_with_every_address_of_their_port_and_family() {
        let overlaps = |one: &str, other: &str| {
            let (one, other) = (one.parse::<Listen>().unwrap(), other.parse::<Listen>().unwrap());
            assert_eq!(one.overlaps(&other), other.overlaps(&one), "{one} {other}");
            one.overlaps(&other)
        };
        for (one, other) in [
            ("127.0.0.1:80", "127.0.0.1:80"),
            (":80", "127.0.0.1:80"),
            (":80", "[::1]:80"),
            (":80", "0.0.0.0:80"),
            ("[::]:80", "127.0.0.1:80"),
            ("0.0.0.0:80", "127.0.0.1:80"),
            ("[::ffff:127.0.0.1]:80", "127.0.0.1:80"),
            ("localhost:80", "127.0.0.1:80"),
            ("LOCALHOST:80", "[::1]:80"),
            ("greeter.internal:80", "Greeter.internal:80"),
            (":80", "greeter.internal:80"),
            ("unix:/run/a", "unix:/run/a"),
        ] {
            assert!(overlaps(one, other), "{one} {other}");
        }
        for (one, other) in [
            ("127.0.0.1:80", "127.0.0.1:81"),
            ("127.0.0.1:80", "127.0.0.2:80"),
            ("127.0.0.1:80", "[::1]:80"),
            ("0.0.0.0:80", "[::1]:80"),
            (":0", ":0"),
            ("127.0.0.1:0", "127.0.0.1:0"),
            ("greeter.internal:80", "127.0.0.1:80"),
            ("unix:/run/a", "unix:/run/b"),
            ("unix:/run/a", ":80"),
        ] {
            assert!(!overlaps(one, other), "{one} {other}");
        }
    }

    #[test]
    fn a_port_alone_is_told_apart_from_a_number() {
        let error = serde_json::from_str::<Listen>("8080").map_err(|error| error.to_string());
        assert!(error.is_err_and(|message| message.contains("write `:8080`")));
    }
}
