//! Where a request comes from, as throttling counts it: an IPv4 address, or the /64 that an IPv6
//! host can choose its addresses from. A v4-mapped address counts as IPv4.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Network {
    V4(Ipv4Addr),
    /// The first 64 bits.
    V6(u64),
    /// No address: a Unix socket, or the command line.
    Local,
}

impl Network {
    /// The network of an address. `None`: the caller has no address.
    #[must_use]
    pub fn of(ip: Option<IpAddr>) -> Self {
        match ip.map(|ip| ip.to_canonical()) {
            None => Self::Local,
            Some(IpAddr::V4(v4)) => Self::V4(v4),
            Some(IpAddr::V6(v6)) => {
                let [a, b, c, d, ..] = v6.segments();
                Self::V6(u64::from(a) << 48 | u64::from(b) << 32 | u64::from(c) << 16 | u64::from(d))
            }
        }
    }
}

/// `192.0.2.7`, `2001:db8:1:2::/64`, `local`: stable, because the database compares it.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(v4) => write!(f, "{v4}"),
            Self::V6(prefix) => write!(f, "{}/64", Ipv6Addr::from(u128::from(*prefix) << 64)),
            Self::Local => f.write_str("local"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_host_is_one_network_however_it_spells_itself() {
        let of = |text: &str| Network::of(Some(text.parse().unwrap())).to_string();
        assert_eq!(of("192.0.2.7"), "192.0.2.7");
        assert_eq!(of("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(of("2001:db8:1:2:ffff::1"), "2001:db8:1:2::/64");
        assert_eq!(of("2001:db8:1:2::2"), of("2001:DB8:1:2:3:4:5:6"));
        assert_ne!(of("2001:db8:1:3::2"), of("2001:db8:1:2::2"));
        assert_eq!(Network::of(None).to_string(), "local");
    }
}
