//! The real client of other people's web servers, over ureq: directly, through no proxy of the environment.
//!
//! Of the addresses that a name resolves to, those that may not be reached are taken out before anything
//! connects, in the one resolution that there is: a name that leads elsewhere the second time (DNS rebinding)
//! has no second time.

use super::http_client::{
    Authorization, HttpClient, HttpResponse, NoAnswer, OutboundRequest, Reach, read, tls,
};
use super::public_address::is_public;
use crate::domain::url::Url;
use data_encoding::BASE64;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Error};

/// The longest that one request may take, from the name's look-up to the last byte.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The most of an answer that is read, in bytes; one that is longer is none.
pub const LONGEST: u64 = 256 * 1024;

/// See the module.
#[derive(Debug)]
pub struct WebClient {
    public: Agent,
    anywhere: Agent,
}

impl WebClient {
    /// Makes a client; certificates are those that this machine trusts.
    #[must_use]
    pub fn new() -> Self {
        Self { public: agent(Reach::Public), anywhere: agent(Reach::Anywhere) }
    }
}

impl Default for WebClient {
    fn default() -> Self {
        Self::new()
    }
}

impl HttpClient for WebClient {
    fn send(&self, request: &OutboundRequest) -> Result<HttpResponse, NoAnswer> {
        let url = Url::parse(&request.url).map_err(|why| NoAnswer::Failed(format!("its URL {why}")))?;
        if !url.is_private() {
            return Err(NoAnswer::Forbidden("its URL must begin with https://"));
        }
        let agent = match request.reach {
            Reach::Public => &self.public,
            Reach::Anywhere => &self.anywhere,
        };
        let patience = Some(request.patience.min(PATIENCE));
        let authorization = request.authorization.as_ref().map(header);
        let answer = match &request.form {
            None => {
                let mut asked = agent.get(&request.url).config().timeout_global(patience).build();
                if let Some(value) = authorization {
                    asked = asked.header("authorization", value);
                }
                asked.call()
            }
            Some(form) => {
                let mut asked = agent.post(&request.url).config().timeout_global(patience).build();
                if let Some(value) = authorization {
                    asked = asked.header("authorization", value);
                }
                asked.content_type("application/x-www-form-urlencoded").send(form.expose().as_str())
            }
        };
        answer.and_then(|mut answer| read(&mut answer, LONGEST)).map_err(|error| no_answer(&error))
    }
}

fn header(authorization: &Authorization) -> String {
    match authorization {
        Authorization::Basic { user, password } => {
            format!("Basic {}", BASE64.encode(format!("{user}:{}", password.expose()).as_bytes()))
        }
        Authorization::Bearer(token) => format!("Bearer {}", token.expose()),
    }
}

/// Connections are not kept: one that the other side has closed meanwhile would cost somebody their sign-in.
fn agent(reach: Reach) -> Agent {
    let config = Agent::config_builder()
        .tls_config(tls())
        .proxy(None)
        .max_redirects(0)
        .http_status_as_error(false)
        .max_idle_connections(0)
        .max_idle_connections_per_host(0)
        .max_response_header_size(32 * 1024)
        .user_agent("authd")
        .accept("application/json")
        .build();
    Agent::with_parts(
        config,
        DefaultConnector::default(),
        Allowed { reach, system: DefaultResolver::default() },
    )
}

/// The system's resolver, without the addresses that may not be reached.
#[derive(Debug)]
struct Allowed {
    reach: Reach,
    system: DefaultResolver,
}

impl Allowed {
    /// What goes unencrypted stays on this machine, whatever its name resolves to.
    fn allows(&self, is_encrypted: bool, address: IpAddr) -> bool {
        (is_encrypted || address.to_canonical().is_loopback())
            && (self.reach == Reach::Anywhere || is_public(address))
    }
}

impl Resolver for Allowed {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let is_encrypted = uri.scheme_str() == Some("https");
        let mut allowed = self.empty();
        for address in &self.system.resolve(uri, config, timeout)? {
            if self.allows(is_encrypted, address.ip()) {
                allowed.push(*address);
            }
        }
        if allowed.is_empty() { Err(Error::Other(Box::new(NotPublic))) } else { Ok(allowed) }
    }
}

/// All addresses of a name, or the address itself, may not be reached.
#[derive(Debug)]
struct NotPublic;

impl fmt::Display for NotPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it leads to a private address, which allow_private would allow")
    }
}

impl std::error::Error for NotPublic {}

fn no_answer(error: &Error) -> NoAnswer {
    match error {
        Error::Other(inner) if inner.is::<NotPublic>() => {
            NoAnswer::Forbidden("it leads to a private address, which allow_private would allow")
        }
        Error::Timeout(_) => NoAnswer::TooLate,
        Error::BodyExceedsLimit(_) | Error::LargeResponseHeader(..) => NoAnswer::TooLong,
        Error::Io(inner) => match inner.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
            Some(error) => no_answer(error),
            None => NoAnswer::Failed(inner.to_string()),
        },
        error => NoAnswer::Failed(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_encrypted_stays_here_whatever_a_name_resolves_to() {
        let allows = |reach, is_encrypted, address: &str| {
            let resolver = Allowed { reach, system: DefaultResolver::default() };
            resolver.allows(is_encrypted, address.parse().unwrap())
        };
        for address in ["140.82.121.4", "10.0.0.1", "2606:4700::1111"] {
            assert!(!allows(Reach::Anywhere, false, address), "{address}");
            assert!(allows(Reach::Anywhere, true, address), "{address}");
        }
        assert!(allows(Reach::Anywhere, false, "127.0.0.1") && allows(Reach::Anywhere, false, "::1"));
        assert!(!allows(Reach::Public, true, "127.0.0.1") && !allows(Reach::Public, true, "10.0.0.1"));
        assert!(allows(Reach::Public, true, "140.82.121.4"));
    }
}
