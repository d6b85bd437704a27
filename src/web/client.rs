//! Who is at the other end: the client's address behind proxies that are trusted.

use super::headers;
use crate::transport::message::Headers;
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// What a peer on a Unix socket counts as, when it is asked whether it is trusted: it is on this machine.
const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The client's address. `X-Forwarded-For` is read from the right, for as long as the one who added an
/// entry is in `trusted`: everything left of that is whatever a stranger wrote. A v4-mapped IPv6
/// address counts as IPv4. `None`: the peer is on a Unix socket and names no client.
#[must_use]
pub fn address(peer: Option<IpAddr>, sent: &Headers, trusted: &[IpNet]) -> Option<IpAddr> {
    let mut client = peer;
    let hops: Vec<&str> =
        sent.all("x-forwarded-for").flat_map(|value| value.unwrap_or("").split(',')).collect();
    for hop in hops.into_iter().rev() {
        if !is_trusted(client, trusted) {
            break;
        }
        match parse_hop(headers::trim(hop)) {
            Some(address) => client = Some(address),
            None => break,
        }
    }
    client.map(|address| address.to_canonical())
}

/// Whether what a peer says of a request is believed, or a proxy's word on the way to it.
#[must_use]
pub fn is_trusted(peer: Option<IpAddr>, trusted: &[IpNet]) -> bool {
    let peer = peer.unwrap_or(LOCAL).to_canonical();
    trusted.iter().any(|network| network.contains(&peer))
}

/// Whether the peer is a proxy on this machine, and nobody is trusted to name the client.
#[must_use]
pub fn is_unknown_proxy(peer: Option<IpAddr>, headers: &Headers, trusted: &[IpNet]) -> bool {
    trusted.is_empty()
        && peer.unwrap_or(LOCAL).to_canonical().is_loopback()
        && headers.all("x-forwarded-for").next().is_some()
}

/// An address as proxies write it: plain, in brackets, or with a port.
fn parse_hop(hop: &str) -> Option<IpAddr> {
    let unbracketed = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']')).unwrap_or(hop);
    unbracketed.parse().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client_of(peer: Option<&str>, forwarded: &[&str]) -> Option<String> {
        let headers = forwarded.iter().map(|value| ("x-forwarded-for", *value)).collect();
        let trusted = ["10.0.0.0/8", "127.0.0.1/32", "2001:db8::/32"].map(|network| network.parse().unwrap());
        address(peer.map(|peer| peer.parse().unwrap()), &headers, &trusted).map(|address| address.to_string())
    }

    #[test]
    fn a_stranger_is_who_it_is_whatever_it_says() {
        assert_eq!(client_of(Some("203.0.113.9"), &["198.51.100.1"]).unwrap(), "203.0.113.9");
        assert_eq!(client_of(Some("::ffff:203.0.113.9"), &[]).unwrap(), "203.0.113.9");
    }

    #[test]
    fn the_first_stranger_from_the_right_is_the_client() {
        for (forwarded, client) in [
            (&["198.51.100.1"][..], "198.51.100.1"),
            (&["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
            (&["1.1.1.1", "198.51.100.1"], "198.51.100.1"),
            (&["1.1.1.1, 198.51.100.1,10.9.9.9"], "198.51.100.1"),
            (&["198.51.100.1", "2001:db8::1"], "198.51.100.1"),
            (&["198.51.100.1", "::ffff:10.2.2.2"], "198.51.100.1"),
            (&["198.51.100.1:5555"], "198.51.100.1"),
            (&["[2001:dead::1]:5555"], "2001:dead::1"),
            (&["[2001:dead::1]"], "2001:dead::1"),
            (&["10.1.1.1, 10.2.2.2"], "10.1.1.1"),
            (&["198.51.100.1, unknown"], "10.0.0.1"),
            (&[""], "10.0.0.1"),
            (&[], "10.0.0.1"),
        ] {
            assert_eq!(client_of(Some("10.0.0.1"), forwarded).unwrap(), client, "{forwarded:?}");
        }
    }

    #[test]
    fn a_proxy_on_this_machine_that_nobody_is_told_of_is_noticed() {
        let forwarded = || [("x-forwarded-for", "198.51.100.1")].into_iter().collect::<Headers>();
        let peer = |text: &str| Some(text.parse().unwrap());
        for peer in [None, peer("127.0.0.1"), peer("127.9.9.9"), peer("::1"), peer("::ffff:127.0.0.1")] {
            assert!(is_unknown_proxy(peer, &forwarded(), &[]), "{peer:?}");
            assert!(!is_unknown_proxy(peer, &[].into_iter().collect(), &[]), "{peer:?}");
            assert!(!is_unknown_proxy(peer, &forwarded(), &["10.0.0.0/8".parse().unwrap()]), "{peer:?}");
        }
        assert!(
            !is_unknown_proxy(peer("203.0.113.9"), &forwarded(), &[]),
            "a stranger may send what they like"
        );
    }

    #[test]
    fn a_unix_socket_counts_as_this_machine() {
        assert_eq!(client_of(None, &["198.51.100.1"]).unwrap(), "198.51.100.1");
        assert_eq!(client_of(None, &[]), None);
    }
}
