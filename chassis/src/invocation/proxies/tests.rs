//! Who a call comes from, however its caller pretends.

use http::HeaderValue;
use proptest::prelude::*;

use super::*;

fn proxies(texts: &[&str]) -> Proxies {
    Proxies(texts.iter().map(|text| text.parse().unwrap()).collect())
}

fn client(peer: Peer, lines: &[&str]) -> Option<String> {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(&FORWARDED_FOR, HeaderValue::from_bytes(line.as_bytes()).unwrap());
    }
    proxies(&["10.0.0.0/8", "fd00::/8", "unix"]).client(&peer, &headers).map(|address| address.to_string())
}

fn ip(text: &str) -> Peer {
    Peer::Ip(SocketAddr::new(text.parse().unwrap(), 1))
}

fn check(peer: &str, lines: &[&str], expected: &str) {
    assert_eq!(client(ip(peer), lines).as_deref(), Some(expected), "{peer} {lines:?}");
}

#[test]
fn an_untrusted_peer_is_not_asked_who_it_forwards_for() {
    check("192.0.2.1", &["198.51.100.7"], "192.0.2.1");
    check("192.0.2.1", &[], "192.0.2.1");
}

#[test]
fn the_first_hop_from_the_right_that_is_not_trusted_is_the_caller() {
    check("10.1.1.1", &["198.51.100.7"], "198.51.100.7");
    check("10.1.1.1", &["203.0.113.9, 198.51.100.7, 10.2.2.2"], "198.51.100.7");
    check("10.1.1.1", &["203.0.113.9", "198.51.100.7", "10.2.2.2"], "198.51.100.7");
    check("10.1.1.1", &["10.3.3.3, 10.2.2.2"], "10.3.3.3");
    check("10.1.1.1", &[], "10.1.1.1");
}

#[test]
fn what_is_no_address_ends_the_walk_at_the_last_that_is_known() {
    check("10.1.1.1", &["198.51.100.7, unknown"], "10.1.1.1");
    check("10.1.1.1", &["198.51.100.7, unknown, 10.2.2.2"], "10.2.2.2");
    check("10.1.1.1", &["198.51.100.7,"], "10.1.1.1");
    check("10.1.1.1", &["198.51.100.7, \u{e9}"], "10.1.1.1");
    check("10.1.1.1", &["198.51.100.7", ""], "10.1.1.1");
}

#[test]
fn addresses_are_read_as_proxies_write_them() {
    check("10.1.1.1", &["198.51.100.7:4711"], "198.51.100.7");
    check("10.1.1.1", &["[2001:db8::1]:4711"], "2001:db8::1");
    check("10.1.1.1", &["[2001:db8::1]"], "2001:db8::1");
    check("10.1.1.1", &["2001:db8::1"], "2001:db8::1");
    check("10.1.1.1", &["::ffff:198.51.100.7"], "198.51.100.7");
    check("10.1.1.1", &["[198.51.100.7]"], "10.1.1.1");
    check("::ffff:10.1.1.1", &["198.51.100.7"], "198.51.100.7");
    check("fd00::1", &["198.51.100.7"], "198.51.100.7");
}

#[test]
fn a_unix_socket_is_trusted_only_when_it_is_listed() {
    assert_eq!(client(Peer::Unix, &["198.51.100.7"]).as_deref(), Some("198.51.100.7"));
    assert_eq!(client(Peer::Unix, &["unknown"]), None);
    assert_eq!(client(Peer::Local, &["198.51.100.7"]), None);
}

#[test]
fn networks_say_what_is_wrong_with_them() {
    let read = |text: &str| text.parse::<Network>().map(|network| network.to_string());
    assert_eq!(read("10.0.0.0/8").as_deref(), Ok("10.0.0.0/8"));
    assert_eq!(read("192.0.2.7").as_deref(), Ok("192.0.2.7/32"));
    assert_eq!(read("::/0").as_deref(), Ok("::/0"));
    assert_eq!(read("unix").as_deref(), Ok("unix"));
    assert_eq!(read("::ffff:192.0.2.7").as_deref(), Ok("192.0.2.7/32"));
    assert_eq!(read("::ffff:10.0.0.0/104").as_deref(), Ok("10.0.0.0/8"));
    assert_eq!(read("::ffff:0:0/96").as_deref(), Ok("0.0.0.0/0"));
    let short = "`::ffff:10.0.0.0/8` is an address of IPv4 and a prefix that is too short for one: write `10.0.0.0/8`";
    assert_eq!(read("::ffff:10.0.0.0/8"), Err(short.to_owned()));
    assert!(read("::ffff:0:0/95").is_err());
    assert_eq!(
        read("10.0.0.0/33"),
        Err("`10.0.0.0/33` has a prefix longer than 32 bits: write `/0` to `/32`".to_owned())
    );
    let malformed = "`proxy` is not a network: write `10.0.0.0/8`, `fd00::/8`, `192.0.2.7` or `unix`";
    assert_eq!(read("proxy"), Err(malformed.to_owned()));
}

#[test]
fn an_address_of_ipv4_is_one_however_it_is_written() {
    let network = |text: &str| text.parse::<Network>().unwrap();
    for peer in ["127.0.0.1", "::ffff:127.0.0.1"] {
        assert!(network("::ffff:127.0.0.1").holds(&ip(peer)), "{peer}");
        assert!(network("::ffff:127.0.0.0/104").holds(&ip(peer)), "{peer}");
        assert!(network("127.0.0.0/8").holds(&ip(peer)), "{peer}");
        assert!(!network("::/0").holds(&ip(peer)), "{peer}");
    }
    assert!(!network("::ffff:0:0/96").holds(&ip("::1")));
}

fn hop() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<[u8; 4]>().prop_map(|bytes| IpAddr::from(bytes).to_string()),
        any::<[u8; 3]>().prop_map(|[b, c, d]| format!("10.{b}.{c}.{d}")),
        "[ -~]{0,12}".prop_filter("a comma is two hops", |text| !text.contains(',')),
    ]
}

proptest! {
    /// Whatever a caller puts to the left of its own address, which the proxy appended, changes nothing.
    #[test]
    fn what_an_untrusted_hop_claims_is_never_believed(claims in proptest::collection::vec(hop(), 0..6), own: [u8; 4]) {
        let own = IpAddr::from(own);
        prop_assume!(!proxies(&["10.0.0.0/8"]).contain(own));
        let mut hops = claims;
        hops.push(own.to_string());
        hops.push("10.9.9.9".to_owned());
        prop_assert_eq!(client(ip("10.1.1.1"), &[&hops.join(", ")]), Some(own.to_string()));
    }

    /// Nothing but an address that was listed, or the peer, is ever the caller.
    #[test]
    fn the_caller_is_one_of_the_hops(hops in proptest::collection::vec(hop(), 0..6)) {
        let found = client(ip("10.1.1.1"), &[&hops.join(",")]).unwrap();
        prop_assert!(found == "10.1.1.1" || hops.iter().any(|hop| parse(hop.trim()).is_some_and(|ip| ip.to_string() == found)));
    }
}
