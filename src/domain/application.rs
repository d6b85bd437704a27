//! Applications behind the gate: where they stand, and who may use them.

use super::access::Standing;
use super::role::{RoleName, is_word};
use super::time::Timestamp;
use super::url::Url;
use super::user::User;
use std::fmt;

/// Spelled as a role's name is: `[a-z0-9][a-z0-9._-]*`, at most 64 bytes long.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AppName(String);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InvalidAppName;

impl InvalidAppName {
    pub const MESSAGE: &'static str = "an application's name has lower-case letters, digits, `.`, `_` and `-`, begins with a letter or digit, and is at most 64 long";
}

impl AppName {
    /// Reads a name.
    ///
    /// # Errors
    /// [`InvalidAppName`].
    pub fn parse(text: &str) -> Result<Self, InvalidAppName> {
        if is_word(text) { Ok(Self(text.to_owned())) } else { Err(InvalidAppName) }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AppName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An origin (RFC 6454 §6.2) that an application can have: https, or http on this machine, as a browser
/// spells it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AppOrigin(String);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InvalidAppOrigin;

impl InvalidAppOrigin {
    pub const MESSAGE: &'static str = "an application's url is https, ends after the host and port, and nothing else, such as https://wiki.example.com; http is for this machine alone";
}

impl AppOrigin {
    /// The longest, in bytes: a host's name has 253 at most.
    pub const MAX_BYTES: usize = 300;

    /// Reads an origin, with or without the slash after it.
    ///
    /// # Errors
    /// [`InvalidAppOrigin`].
    pub fn parse(text: &str) -> Result<Self, InvalidAppOrigin> {
        if text.len() > Self::MAX_BYTES {
            return Err(InvalidAppOrigin);
        }
        let url = Url::parse(text).map_err(|_| InvalidAppOrigin)?;
        if url.is_private() && matches!(url.rest, "" | "/") {
            Ok(Self(url.origin()))
        } else {
            Err(InvalidAppOrigin)
        }
    }

    /// This origin, and the one of the same host and port by the other scheme.
    #[must_use]
    pub fn by_any_scheme(&self) -> [Self; 2] {
        let (_, authority) = self.0.split_once("://").unwrap_or_default();
        AskedHost::parse(authority).map_or_else(|| [self.clone(), self.clone()], |host| host.origins)
    }

    /// The host, without scheme and port.
    #[must_use]
    pub fn host(&self) -> &str {
        let (_, authority) = self.0.split_once("://").unwrap_or_default();
        host_of(authority)
    }

    /// The origin as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AppOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An authority without its port. The colons of an IPv6 address stand in brackets.
fn host_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => host,
        _ => authority,
    }
}

/// The host that a proxy was asked for, as a client wrote it in `Host`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AskedHost {
    /// What an application there can have: by https, and by http. Which of the two a request came by must not
    /// decide whether an application's rule counts.
    pub origins: [AppOrigin; 2],
    /// Without its port.
    pub host: String,
}

impl AskedHost {
    /// Reads a host with or without a port. `None`: that is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = text.split_at(host_of(text).len());
        // The root of the DNS may be spelled, and means nothing.
        let host = host.strip_suffix('.').unwrap_or(host);
        let origin = |scheme: &str| {
            let whole = format!("{scheme}://{host}{port}");
            let url = Url::parse(&whole).ok().filter(|url| url.rest.is_empty())?;
            Some(AppOrigin(url.origin()))
        };
        let origins = [origin("https")?, origin("http")?];
        let host = origins[0].host().to_owned();
        Some(Self { origins, host })
    }
}

/// Who may use an application, of those who are signed in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Allow {
    Everyone,
    /// Whoever has one of these, sorted and each once. None of them: nobody, as when the last was deleted.
    Roles(Vec<RoleName>),
}

impl Allow {
    /// One of these roles is enough.
    #[must_use]
    pub fn roles(mut roles: Vec<RoleName>) -> Self {
        roles.sort();
        roles.dedup();
        Self::Roles(roles)
    }
}

/// An application that a proxy stands before, and asks authd about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Application {
    pub name: AppName,
    pub origin: AppOrigin,
    pub allow: Allow,
    pub created_at: Timestamp,
}

/// What must hold for somebody to use an application.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Demand {
    /// The account is not disabled.
    Enabled,
    /// The account has a second factor, where it must have one.
    SecondFactor,
    /// Nothing: whoever is signed in.
    SignedIn,
    /// One of these roles.
    OneOf(Vec<RoleName>),
}

impl Demand {
    /// The demand's name, as programs read it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::SecondFactor => "second_factor",
            Self::SignedIn => "signed_in",
            Self::OneOf(_) => "one_of_roles",
        }
    }
}

/// A demand, and whether it is met.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    pub demand: Demand,
    pub met: bool,
}

/// All that was asked of an account for an application, in that order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Judgement(pub Vec<Finding>);

impl Judgement {
    /// Whether the account may use the application.
    #[must_use]
    pub fn allows(&self) -> bool {
        self.0.iter().all(|finding| finding.met)
    }
}

impl Application {
    /// Judges whether an account may use it: for each request that a proxy asks about, and for an operator
    /// who wants to know why.
    #[must_use]
    pub fn judge(&self, account: &User, standing: Standing) -> Judgement {
        let rule = match &self.allow {
            Allow::Everyone => Finding { demand: Demand::SignedIn, met: true },
            Allow::Roles(roles) => {
                let met = roles.iter().any(|role| account.roles.contains(role));
                Finding { demand: Demand::OneOf(roles.clone()), met }
            }
        };
        Judgement(vec![
            Finding { demand: Demand::Enabled, met: account.disabled_at.is_none() },
            Finding { demand: Demand::SecondFactor, met: standing == Standing::Full },
            rule,
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn origin(text: &str) -> Option<String> {
        AppOrigin::parse(text).ok().map(|origin| origin.to_string())
    }

    #[test]
    fn an_origin_has_one_spelling() {
        for (text, spelled) in [
            ("https://wiki.example.com", "https://wiki.example.com"),
            ("HTTPS://Wiki.Example.com:443/", "https://wiki.example.com"),
            ("https://wiki.example.com:8443", "https://wiki.example.com:8443"),
            ("http://localhost:9000", "http://localhost:9000"),
        ] {
            assert_eq!(origin(text).as_deref(), Some(spelled), "{text}");
        }
        for text in [
            "wiki.example.com",
            "http://wiki.example.com",
            "https://wiki.example.com/page",
            "https://wiki.example.com?x",
            "https://ann@wiki.example.com",
            "https://*.example.com",
            "",
        ] {
            assert_eq!(origin(text), None, "{text}");
        }
    }

    #[test]
    fn a_host_is_found_however_it_is_spelled() {
        let wiki = AppOrigin::parse("https://wiki.example.com").unwrap();
        for text in ["wiki.example.com", "WIKI.example.com", "wiki.example.com.", "wiki.example.com.:443"] {
            let asked = AskedHost::parse(text).unwrap();
            assert!(asked.origins.contains(&wiki) && asked.host == wiki.host(), "{text}");
        }
        for text in ["wiki.example.com:80", "wiki.example.com:8443"] {
            let asked = AskedHost::parse(text).unwrap();
            assert!(!asked.origins.contains(&wiki) && asked.host == wiki.host(), "{text}");
        }
        assert_eq!(AskedHost::parse("[::0001]:9000").unwrap().host, "[::1]");
        for text in ["", "wiki.example.com/", "a b", "x@wiki.example.com", "wiki.example.com:0", "..", "a\\b"]
        {
            assert_eq!(AskedHost::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_an_origin_is_its_own_spelling(text in "(?i)https?://[a-z0-9.:/@\\[\\]-]{0,40}") {
            if let Ok(origin) = AppOrigin::parse(&text) {
                prop_assert_eq!(AppOrigin::parse(origin.as_str()), Ok(origin));
            }
        }
    }
}
