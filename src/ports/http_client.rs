//! Asking a web server one thing: the port by which providers of identities are asked, and, over ureq, the
//! look at one's own daemon from outside.

use crate::domain::secret::Secret;
use rustls::crypto::aws_lc_rs;
use std::fmt::{self, Debug};
use std::sync::Arc;
use std::time::Duration;
use ureq::http::Response;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body};

/// How long one answer may take, from the name's look-up to the last byte.
const PATIENCE: Duration = Duration::from_secs(5);

/// The most of an answer that is read, in bytes.
const LONGEST: u64 = 1 << 20;

/// Asks web servers that the configuration names.
pub trait HttpClient: Send + Sync + Debug {
    /// Sends one request and reads the whole answer, whatever its status. Follows no redirect.
    ///
    /// # Errors
    /// [`NoAnswer`].
    fn send(&self, request: &OutboundRequest) -> Result<HttpResponse, NoAnswer>;
}

/// What to ask, and how.
#[derive(Clone, Debug)]
pub struct OutboundRequest {
    /// With https, but for this machine itself.
    pub url: String,
    /// `None`: a GET. Otherwise a POST of this form, encoded already.
    pub form: Option<Secret<String>>,
    pub authorization: Option<Authorization>,
    pub reach: Reach,
    /// How long it may take, from the name's look-up to the last byte. The client has a bound of its own.
    pub patience: Duration,
}

/// How a request says who asks.
#[derive(Clone, Debug)]
pub enum Authorization {
    /// RFC 7617: both as they go into the header, so already encoded as their protocol wants.
    Basic { user: String, password: Secret<String> },
    /// RFC 6750 §2.1.
    Bearer(Secret<String>),
}

/// Where a request may go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// To addresses of the public internet alone, whatever leads there.
    Public,
    /// To private ones and this machine, too.
    Anywhere,
}

/// Why there is no answer: one line, which may hold what a stranger's server said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NoAnswer {
    /// The address is one that may not be asked; nothing was sent.
    Forbidden(&'static str),
    /// It took too long.
    TooLate,
    /// The answer is longer than anything that is read.
    TooLong,
    Failed(String),
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forbidden(why) => f.write_str(why),
            Self::TooLate => f.write_str("no whole answer in time"),
            Self::TooLong => f.write_str("the answer is too long"),
            Self::Failed(why) => f.write_str(why),
        }
    }
}

/// What came back, whatever its status.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HttpResponse {
    pub status: u16,
    /// Names in lower case; values that are not ASCII are left out.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl HttpResponse {
    /// The first value of a header; empty without it.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

/// Asks by GET, directly: through no proxy of the environment, and following no redirect. A certificate
/// must be one that this machine trusts.
///
/// # Errors
/// One line on why there is no answer.
pub fn get(url: &str) -> Result<HttpResponse, String> {
    let agent: Agent = Agent::config_builder()
        .tls_config(tls())
        .proxy(None)
        .max_redirects(0)
        .http_status_as_error(false)
        .timeout_global(Some(PATIENCE))
        .user_agent("authctl")
        .build()
        .into();
    let mut answer = agent.get(url).call().map_err(|error| error.to_string())?;
    read(&mut answer, LONGEST).map_err(|error| error.to_string())
}

/// Certificates must be ones that this machine trusts.
pub(super) fn tls() -> TlsConfig {
    TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(aws_lc_rs::default_provider()))
        .root_certs(RootCerts::PlatformVerifier)
        .build()
}

/// The whole answer, of so many bytes at most.
pub(super) fn read(answer: &mut Response<Body>, longest: u64) -> Result<HttpResponse, ureq::Error> {
    let headers = answer.headers().iter();
    let headers =
        headers.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
    let headers = headers.collect();
    let status = answer.status().as_u16();
    let body = answer.body_mut().with_config().limit(longest).lossy_utf8(true).read_to_string()?;
    Ok(HttpResponse { status, headers, body })
}
