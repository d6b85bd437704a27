//! What can be particular about a kind of provider, as data.

use crate::config::Provider;
use crate::oidc::discovery::{self, Metadata};
use crate::oidc::issuer::ExpectedIssuer;

/// How old a person's proof may be, in seconds (OpenID Connect Core §3.1.2.1).
const MAX_AGE: &str = "max_age";

/// See the module.
#[derive(Debug)]
pub struct Kind {
    /// Where its one server stands; empty where the configuration says it. An `issuer` of the configuration
    /// stands in its stead: a GitLab or a GitHub of one's own.
    pub home: &'static str,
    pub server: Server,
    /// What a sign-in needs.
    pub scopes: &'static [&'static str],
    /// Sent with every authorization request.
    pub parameters: &'static [(&'static str, &'static str)],
    /// Sent where the provider is to ask who it is even if it knows; empty where it can't be told to.
    pub fresh: &'static [(&'static str, &'static str)],
    pub person: Person,
    /// Whether userinfo is asked for what the ID token leaves open.
    pub asks_userinfo: bool,
    pub email: EmailRule,
    pub secret: SecretForm,
}

/// Where a kind's endpoints are known from.
#[derive(Clone, Copy, Debug)]
pub enum Server {
    /// OpenID Connect Discovery, below the issuer.
    Discovered,
    /// The same below a directory of the origin, the configuration's `tenant`.
    Tenant(fn(&str, &str) -> (String, ExpectedIssuer)),
    /// They have always been where they are; made from the server's origin.
    Fixed(fn(&str) -> Metadata),
}

/// Which document says who it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Person {
    IdToken,
    /// The same; the name comes once, through the browser.
    IdTokenOfApple,
    /// GitHub's user and their addresses.
    GithubUser,
    DiscordUser,
}

/// When an address counts as verified, and when the provider is the one to say so.
#[derive(Clone, Copy, Debug)]
pub struct EmailRule {
    /// The claim beside `email` that says it. Missing means no.
    pub flag: &'static str,
    /// What else than `true` means yes.
    pub texts: &'static [&'static str],
    pub authority: Authority,
}

/// For which addresses a provider's word is as good as a mail that arrived.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Authority {
    /// For all that its flag is true of: the provider has checked who owns the domain.
    Flag,
    /// Google's: gmail.com, and whose domain it hosts (`hd` in the token).
    HostedDomain,
    /// For those of the domains that the operator has named.
    AllowedDomains,
}

/// What stands in the file of the client's secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SecretForm {
    /// The secret, in the first line.
    Line,
    /// Apple's private key, which makes secrets.
    AppleKey,
}

impl EmailRule {
    /// OpenID Connect's own claim, a real `true`, for the domains that the operator has named.
    pub const STANDARD: Self =
        Self { flag: "email_verified", texts: &[], authority: Authority::AllowedDomains };
}

impl Kind {
    /// What OpenID Connect says, nothing added: the others differ from it in what they name.
    pub const STANDARD: Self = Self {
        home: "",
        server: Server::Discovered,
        scopes: &["openid", "email", "profile"],
        parameters: &[],
        // A minute, not zero: with zero some ask for ever, as any proof is older when they look.
        fresh: &[("prompt", "login"), (MAX_AGE, "60")],
        person: Person::IdToken,
        asks_userinfo: true,
        email: EmailRule::STANDARD,
        secret: SecretForm::Line,
    };

    /// Whether it says who somebody is by an ID token, which a nonce binds to the sign-in.
    #[must_use]
    pub const fn has_id_token(&self) -> bool {
        matches!(self.person, Person::IdToken | Person::IdTokenOfApple)
    }

    /// Whether it is told how old a proof may be at most, when it is to ask once more: then its ID token must
    /// say how old it is (OpenID Connect Core §3.1.2.1).
    #[must_use]
    pub fn limits_age(&self) -> bool {
        self.fresh.iter().any(|(name, _)| *name == MAX_AGE)
    }

    /// The provider's server: issuer, or origin.
    #[must_use]
    pub fn home<'a>(&'a self, provider: &'a Provider) -> &'a str {
        if provider.issuer.is_empty() { self.home } else { &provider.issuer }
    }

    /// The metadata of a provider that needs no discovery. `None`: it does.
    #[must_use]
    pub fn fixed(&self, provider: &Provider) -> Option<Metadata> {
        match self.server {
            Server::Fixed(metadata) => Some(metadata(self.home(provider).trim_end_matches('/'))),
            Server::Discovered | Server::Tenant(_) => None,
        }
    }

    /// Where the metadata stand, and whose they must be.
    #[must_use]
    pub fn discovery(&self, provider: &Provider) -> (String, ExpectedIssuer) {
        let home = self.home(provider);
        match self.server {
            Server::Tenant(discovery) => discovery(home, &provider.tenant),
            Server::Discovered | Server::Fixed(_) => {
                (discovery::address(home), ExpectedIssuer::Exactly(home.to_owned()))
            }
        }
    }
}
