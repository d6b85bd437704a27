//! Where a browser goes on to once somebody is signed in: a page of authd's, or an address that the
//! configuration lists. Nowhere else, so that no link to the sign-in page leads to a stranger.

use crate::config::Config;
use crate::domain::return_path;

/// Where a person without another wish goes.
pub const ACCOUNT: &str = "/auth/account";

/// Reads the path of one of authd's own pages, with or without a query. `None`: it is none, or could be read
/// as another address.
#[must_use]
pub fn own_page(text: &str) -> Option<String> {
    return_path::parse(text).filter(|path| path.starts_with("/auth/")).map(str::to_owned)
}

/// Reads an address that `redirects.allowed` lists, to the letter. `None`: it lists no such.
#[must_use]
pub fn listed(config: &Config, text: &str) -> Option<String> {
    config.redirects.allowed.iter().find(|allowed| *allowed == text).cloned()
}

/// The origin of an absolute URL that was checked when the configuration was read.
#[must_use]
pub fn origin(url: &str) -> Option<&str> {
    let host = url.find("://")? + 3;
    let end = url[host..].find(['/', '?', '#']).map_or(url.len(), |end| host + end);
    Some(&url[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_authds_is_gone_back_to_and_no_other() {
        assert_eq!(own_page("/auth/account?x=1").as_deref(), Some("/auth/account?x=1"));
        for bad in ["/page", "/auth", "//auth/", "https://evil.example/auth/", "/auth/\\evil.example"] {
            assert_eq!(own_page(bad), None, "{bad}");
        }
        assert_eq!(origin("https://wiki.example.com:8443/a?b"), Some("https://wiki.example.com:8443"));
        assert_eq!(origin("https://wiki.example.com"), Some("https://wiki.example.com"));
    }
}
