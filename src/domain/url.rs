//! URLs as operators write them: http and https, absolute, with a host in one spelling.
//!
//! A link in a mail and the comparison of an `Origin` header both depend on the exact text, so a host
//! is folded to what a browser sends (lower case, IDNA, no default port) and odd forms are refused.

use std::net::{IpAddr, Ipv6Addr};

/// A checked URL. The parts before `rest` are in their one spelling, `rest` is as it was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Url<'a> {
    https: bool,
    host: String,
    port: Option<u16>,
    /// Path, query and fragment, with their first character; empty when there are none.
    pub rest: &'a str,
}

impl<'a> Url<'a> {
    /// Reads an absolute URL with http or https.
    ///
    /// # Errors
    /// What is wrong with the text, for people: it follows the name of the key.
    pub fn parse(text: &'a str) -> Result<Self, &'static str> {
        if text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\') {
            return Err("must be a URL without spaces, control characters or `\\`");
        }
        let (scheme, after) =
            text.split_once("://").ok_or("must be a whole URL such as https://auth.example.com")?;
        let https = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err("must begin with https:// (or http://)"),
        };
        let end = after.find(['/', '?', '#']).unwrap_or(after.len());
        let (authority, rest) = after.split_at(end);
        if !rest.is_ascii() {
            return Err("must have characters outside ASCII percent-encoded after the host");
        }
        let (host, port) = split_authority(authority)?;
        let port = port.filter(|port| *port != if https { 443 } else { 80 });
        Ok(Self { https, host: host_name(host)?, port, rest })
    }

    /// Scheme, host and port as a browser writes an origin (RFC 6454 §6.2).
    #[must_use]
    pub fn origin(&self) -> String {
        let scheme = if self.https { "https" } else { "http" };
        match self.port {
            Some(port) => format!("{scheme}://{}:{port}", self.host),
            None => format!("{scheme}://{}", self.host),
        }
    }

    /// The host: an address (an IPv6 one in brackets), or a name in ASCII, lower case.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether nobody on the way can read what is sent there: https, or this machine itself.
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.https || is_loopback(&self.host)
    }
}

/// Whether a host name or address (an IPv6 one with or without its brackets) is this machine itself.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

/// The one spelling of a host: an address, or a name in IDNA's ASCII form, lower case.
///
/// # Errors
/// What is wrong with it, for people.
pub fn host_name(text: &str) -> Result<String, &'static str> {
    if let Some(bare) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        let address: Ipv6Addr = bare.parse().map_err(|_| "must have an IPv6 address between [ and ]")?;
        return Ok(format!("[{address}]"));
    }
    if let Ok(address) = text.parse::<std::net::Ipv4Addr>() {
        return Ok(address.to_string());
    }
    let name = idna::domain_to_ascii_strict(text).map_err(|_| "must have a host such as auth.example.com")?;
    // Browsers read `127.1` and `0x7f.1` as IPv4 addresses: refuse a last label that begins with a digit.
    let last = name.rsplit('.').next().unwrap_or_default();
    if last.is_empty() || last.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("must have a host such as auth.example.com or 192.0.2.1");
    }
    Ok(name)
}

fn split_authority(authority: &str) -> Result<(&str, Option<u16>), &'static str> {
    if authority.contains('@') {
        return Err("must not carry a user name or password");
    }
    let port_at = match authority.rfind(':') {
        Some(at) if !authority[at..].contains(']') => at,
        _ => return Ok((authority, None)),
    };
    let digits = &authority[port_at + 1..];
    if !digits.bytes().all(|c| c.is_ascii_digit()) {
        return Err("must have a port between 1 and 65535 after the `:`");
    }
    match digits.parse() {
        Ok(port) if port > 0 => Ok((&authority[..port_at], Some(port))),
        _ => Err("must have a port between 1 and 65535 after the `:`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Option<String> {
        Url::parse(text).ok().map(|url| url.origin())
    }

    #[test]
    fn an_origin_is_spelled_as_a_browser_sends_it() {
        assert_eq!(origin("HTTPS://Auth.Example.COM:443/x").as_deref(), Some("https://auth.example.com"));
        assert_eq!(origin("http://[::0001]:80").as_deref(), Some("http://[::1]"));
        assert_eq!(
            origin("https://bücher.example:8443").as_deref(),
            Some("https://xn--bcher-kva.example:8443")
        );
    }

    #[test]
    fn odd_hosts_are_refused() {
        for text in [
            "",
            "example.com",
            "//example.com",
            "ftp://example.com",
            "javascript://x/%0aalert(1)",
            "https://",
            "https://a b",
            "https://ann@example.com",
            "https://example.com:0",
            "https://example.com:+80",
            "https://example.com:99999",
            "https://127.1",
            "https://0x7f.1",
            "https://[::1",
            "https://a\\b.example",
            "https://example.com.",
            "https://exa\nmple.com",
            "https://example.com/ü",
        ] {
            assert_eq!(origin(text), None, "{text:?}");
        }
    }

    #[test]
    fn loopback_is_this_machine_alone() {
        for host in
            ["localhost", "auth.localhost", "127.0.0.1", "127.9.9.9", "[::1]", "::1", "::ffff:127.0.0.1"]
        {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["localhost.example", "128.0.0.1", "0.0.0.0", "notlocalhost", "[2001:db8::1]", ""] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
