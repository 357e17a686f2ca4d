//! `ip-allow`: from which addresses calls may come.
//!
//! What `deny` lists is refused, also where `allow` lists it. Once `allow` is there, whatever it does not list is
//! refused. Behind proxies that are trusted the address is the one they forward for; nobody else is believed. An
//! address is no proof of who calls: this keeps strangers away, it does not replace `auth`.

#![expect(unsafe_code, reason = "the entry of a handler stands in a section of the linker")]

use std::net::IpAddr;

use crate::conf::{BuildContext, BuildError, Configure};
use crate::fault::{Code, Fault};
use crate::handler::{Handler, Verdict};
use crate::invocation::{Invocation, Network, Peer, Proxies};
use crate::{conf, handler};

/// From where calls may come.
#[conf]
pub struct Conf {
    /// The networks calls may come from, and no others: `10.0.0.0/8`, `fd00::/8`, `192.0.2.7`, `unix` for Unix
    /// sockets. Without it they may come from everywhere; an empty list lets none in.
    pub allow: Option<Vec<Network>>,
    /// The networks calls may not come from, whatever `allow` says.
    #[conf(default)]
    pub deny: Vec<Network>,
    /// Addresses of proxies that are believed about who they forward for (`X-Forwarded-For`): `10.0.0.0/8`,
    /// `192.0.2.7`, `unix` for Unix sockets. Nobody is by default.
    #[conf(default)]
    pub trusted_proxies: Vec<Network>,
}

/// Refuses calls by the address they come from, with 403: what is denied, and what is not allowed where that is said.
/// It stands before `auth`, so that strangers cost no more than this.
#[handler("ip-allow", before("auth"))]
pub struct IpAllow {
    allow: Option<Vec<Network>>,
    deny: Vec<Network>,
    proxies: Proxies,
}

impl Configure for IpAllow {
    type Conf = Conf;

    fn build(conf: Conf, context: &BuildContext<'_>) -> Result<Self, BuildError> {
        if conf.allow.as_ref().is_some_and(Vec::is_empty) {
            let warning = BuildError::new("allow", "the list is empty: every call is refused");
            context.warnings.warn_at(warning.with_help("list who may call, or remove the key to let everyone"));
        }
        if conf.allow.is_none() && conf.deny.is_empty() {
            let warning = BuildError::new("", "neither `allow` nor `deny` says anything: every call passes");
            context.warnings.warn_at(warning.with_help("list who may call, or who may not"));
        }
        Ok(Self { allow: conf.allow, deny: conf.deny, proxies: Proxies(conf.trusted_proxies) })
    }
}

impl Handler for IpAllow {
    fn before(&self, invocation: &mut Invocation) -> Verdict {
        let origin = Origin::of(&self.proxies, invocation);
        if let Some(denied) = self.deny.iter().find(|network| origin.is_in(**network)) {
            return Verdict::Refuse(refusal(&origin).with_evidence("denied-by", denied.to_string()));
        }
        match &self.allow {
            Some(allow) if !allow.iter().any(|network| origin.is_in(*network)) => {
                let remedy = format!("Add {} to `allow` of `ip-allow`.", origin.text());
                Verdict::Refuse(refusal(&origin).with_evidence("allowed-networks", allow.len()).with_remedy(remedy))
            }
            _ => Verdict::Continue,
        }
    }
}

/// Where a call comes from: an address, or a peer that has none.
struct Origin {
    peer: Peer,
    address: Option<IpAddr>,
}

impl Origin {
    fn of(proxies: &Proxies, invocation: &Invocation) -> Self {
        let peer = invocation.call.peer;
        Self { peer, address: proxies.client(&peer, invocation.headers()) }
    }

    fn is_in(&self, network: Network) -> bool {
        match self.address {
            Some(address) => network.contains(address),
            None => network.holds(&self.peer),
        }
    }

    fn text(&self) -> String {
        self.address.map_or_else(|| self.peer.to_string(), |address| address.to_string())
    }
}

fn refusal(origin: &Origin) -> Fault {
    Fault::new(Code::PermissionDenied, "Calls may not come from this address.")
        .with_evidence("client", origin.text())
        .with_evidence("peer", origin.peer.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::clock::Clock;
    use crate::conf::fixture::built;
    use crate::conf::source::InMemory;
    use crate::conf::{Process, Warnings, typed};
    use crate::invocation::fixture;
    use crate::random::Random;

    fn from(peer: Peer, forwarded: &str) -> Invocation {
        let mut call = fixture::call(fixture::request("GET", "/"));
        if !forwarded.is_empty() {
            call.parts.headers.insert("x-forwarded-for", forwarded.parse().unwrap());
        }
        call.call.peer = peer;
        call
    }

    fn at(address: &str) -> Peer {
        Peer::Ip((address.parse::<IpAddr>().unwrap(), 1).into())
    }

    fn refused(conf: &Value, mut call: Invocation) -> Option<Fault> {
        match built::<IpAllow>(conf.clone()).unwrap().before(&mut call) {
            Verdict::Refuse(fault) => Some(fault),
            _ => None,
        }
    }

    fn check(conf: &Value, addresses: &[(&str, bool)]) {
        for (address, passes) in addresses {
            assert_eq!(refused(conf, from(at(address), "")).is_none(), *passes, "{address} of {conf}");
        }
    }

    fn warnings(conf: Value) -> Vec<BuildError> {
        let (random, files, warnings) = (Random::seeded(1), InMemory::default(), Warnings::default());
        let (clock, process) = (Clock::system(), &Process::default());
        let context = BuildContext { clock, random: &random, scope: None, files: &files, warnings: &warnings, process };
        IpAllow::build(typed(conf).unwrap(), &context).unwrap();
        warnings.all()
    }

    #[test]
    fn who_lets_everyone_or_nobody_in_is_warned() {
        let messages = |conf| warnings(conf).into_iter().map(|warning| warning.message).collect::<Vec<_>>();
        assert_eq!(messages(json!({})), ["neither `allow` nor `deny` says anything: every call passes"]);
        assert_eq!(messages(json!({ "allow": [] })), ["the list is empty: every call is refused"]);
        for said in [json!({ "allow": ["unix"] }), json!({ "deny": ["unix"] })] {
            assert_eq!(messages(said), [""; 0]);
        }
    }

    #[test]
    fn everyone_passes_unless_said() {
        check(&json!({}), &[("192.0.2.1", true), ("2001:db8::1", true)]);
    }

    #[test]
    fn once_some_are_allowed_all_others_are_not() {
        let conf = json!({ "allow": ["10.0.0.0/8", "2001:db8::/32"] });
        check(&conf, &[("10.1.2.3", true), ("::ffff:10.1.2.3", true), ("11.0.0.1", false), ("2001:db8::1", true)]);
        check(&json!({ "allow": [] }), &[("10.1.2.3", false)]);
    }

    #[test]
    fn what_is_denied_is_denied_even_where_it_is_allowed() {
        let conf = json!({ "allow": ["10.0.0.0/8"], "deny": ["10.0.0.7"] });
        check(&conf, &[("10.0.0.6", true), ("10.0.0.7", false)]);
        check(&json!({ "deny": ["10.0.0.0/8"] }), &[("10.0.0.6", false), ("11.0.0.6", true)]);
    }

    #[test]
    fn only_trusted_proxies_say_whom_they_forward_for() {
        let conf = json!({ "allow": ["192.0.2.0/24"], "trusted-proxies": ["10.0.0.0/8"] });
        assert!(refused(&conf, from(at("10.0.0.1"), "192.0.2.1")).is_none());
        assert!(refused(&conf, from(at("10.0.0.1"), "192.0.2.1, 198.51.100.1")).is_some());
        assert!(refused(&conf, from(at("198.51.100.1"), "192.0.2.1")).is_some());
    }

    #[test]
    fn a_unix_socket_is_a_network_of_its_own() {
        assert!(refused(&json!({ "allow": ["unix"] }), from(Peer::Unix, "")).is_none());
        assert!(refused(&json!({ "allow": ["10.0.0.0/8"] }), from(Peer::Unix, "")).is_some());
        assert!(refused(&json!({ "deny": ["unix"] }), from(Peer::Unix, "")).is_some());
    }

    #[test]
    fn a_refusal_shows_operators_which_address_and_which_list() {
        let fault = refused(&json!({ "allow": ["192.0.2.1"] }), from(at("10.0.0.7"), "")).unwrap();
        assert_eq!((fault.code(), fault.detail()), (Code::PermissionDenied, "Calls may not come from this address."));
        assert_eq!(fault.remedy(), Some("Add 10.0.0.7 to `allow` of `ip-allow`."));
        let fault = refused(&json!({ "deny": ["10.0.0.0/8"] }), from(at("10.0.0.7"), "")).unwrap();
        let evidence: Vec<_> = fault.evidence().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(evidence, ["client=\"10.0.0.7\"", "peer=\"10.0.0.7:1\"", "denied-by=\"10.0.0.0/8\""]);
    }
}
