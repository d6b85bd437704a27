//! A sign-in with a provider that has begun: what is kept of it until the browser is back.
//!
//! The state that travels is 256 random bits, kept as its SHA-256, of one provider and one browser; nonce and
//! verifier are sealed beside it, so that a stolen database finishes nobody's sign-in.

use crate::crypto::opaque::{self, OpaqueHash};
use crate::domain::secret::Secret;
use crate::error::Fault;
use crate::usecase::app::App;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a browser may take to come back.
pub const ATTEMPT_TTL: Duration = Duration::from_secs(10 * 60);

/// What a state begins with.
pub(super) const STATE_PREFIX: &str = "authd_os_";

/// What a browser keeps, by which it is known again, begins with.
const BROWSER_PREFIX: &str = "authd_ob_";

/// Where a sign-in goes on to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum GoesOn {
    /// A front end of somebody's own, at an address that `redirects.allowed` lists.
    FrontEnd { redirect_to: String, code_challenge: String },
    /// The sign-in page with this query, which leads on from there. `remember`: what comes of it outlives the
    /// browser's window.
    Pages { query: String, remember: bool },
    /// Linking, at the front end of whoever asked, or (`None`) on the account page.
    Linked { redirect_to: Option<String> },
}

/// What is sealed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    pub nonce: String,
    pub verifier: String,
    pub goes_on: GoesOn,
    /// When the provider was asked to ask once more who it is, in milliseconds since 1970. `None`: never.
    pub asked_again_at: Option<i64>,
}

impl Kept {
    pub(super) fn seal(&self, app: &App, state: &OpaqueHash) -> Vec<u8> {
        let plain = Secret::new(serde_json::to_vec(self).expect("texts are JSON"));
        app.oauth_sealer.seal(app.entropy(), state, plain.expose())
    }

    pub(super) fn open(app: &App, state: &OpaqueHash, sealed: &[u8]) -> Result<Self, Fault> {
        let plain = app.oauth_sealer.open(state, sealed)?;
        serde_json::from_slice(plain.expose())
            .map_err(|_| Fault::Storage("what was kept of a sign-in is not readable".into()))
    }
}

/// What a browser keeps.
#[derive(Clone, Debug)]
pub(super) struct Browser {
    pub value: Secret<String>,
    pub hash: OpaqueHash,
}

impl Browser {
    /// The one that it has, where that is ours, so that two windows don't spoil each other's sign-in.
    pub(super) fn known_or_new(app: &App, kept: Option<&str>) -> Self {
        let known = kept.and_then(|kept| Some((Secret::new(kept.to_owned()), hash_of_browser(kept)?)));
        let (value, hash) = known.unwrap_or_else(|| opaque::generate(BROWSER_PREFIX, app.entropy()));
        Self { value, hash }
    }
}

pub(super) fn hash_of_browser(kept: &str) -> Option<OpaqueHash> {
    opaque::parse(BROWSER_PREFIX, kept)
}
