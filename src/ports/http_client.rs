//! Asking a web server one thing, over ureq: for looking at one's own daemon from outside.

use rustls::crypto::aws_lc_rs;
use std::sync::Arc;
use std::time::Duration;
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

/// How long one answer may take, from the name's look-up to the last byte.
const PATIENCE: Duration = Duration::from_secs(5);

/// The most of an answer that is read, in bytes.
const LONGEST: u64 = 1 << 20;

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
    let tls = TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(aws_lc_rs::default_provider()))
        .root_certs(RootCerts::PlatformVerifier)
        .build();
    let agent: Agent = Agent::config_builder()
        .tls_config(tls)
        .proxy(None)
        .max_redirects(0)
        .http_status_as_error(false)
        .timeout_global(Some(PATIENCE))
        .user_agent("authctl")
        .build()
        .into();
    let mut answer = agent.get(url).call().map_err(|error| error.to_string())?;
    let headers = answer.headers().iter();
    let headers =
        headers.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
    let headers = headers.collect();
    let status = answer.status().as_u16();
    let body = answer.body_mut().with_config().limit(LONGEST).lossy_utf8(true).read_to_string();
    Ok(HttpResponse { status, headers, body: body.map_err(|error| error.to_string())? })
}
