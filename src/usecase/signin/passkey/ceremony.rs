//! A ceremony (WebAuthn Level 3 §7): a challenge that travels to the browser and back, sealed, so that
//! nothing is kept of those that nobody finishes. One that was used is kept until it would be too old
//! anyway.

use crate::config::Config;
use crate::crypto::opaque::{self, OpaqueHash};
use crate::crypto::seal::Sealer;
use crate::domain::id::UserId;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::error::{Fault, Refusal};
use crate::ports::draw;
use crate::store::tables::passkeys;
use crate::store::tx::Tx;
use crate::usecase::app::App;
use crate::webauthn::RelyingParty;
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a person may take.
pub const CEREMONY_TTL: Duration = Duration::from_secs(5 * 60);

/// What a ceremony begins with.
const PREFIX: &str = "authd_pk_";

/// What it is sealed for.
const CONTEXT: &[u8] = b"a passkey ceremony";

/// The length of a challenge, in bytes (§13.4.3: at least 16).
const CHALLENGE_LEN: usize = 32;

/// What a ceremony is for. One of a kind, or of a user, is none of another's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::usecase) enum Purpose {
    /// To add a passkey to an account, whose authenticator will know it by `handle`.
    Register { user: UserId, handle: Vec<u8> },
    /// To sign in by a passkey alone.
    SignIn,
    /// After the first factor.
    SecondStep { user: UserId },
}

/// As it is sealed.
#[derive(Serialize, Deserialize)]
struct Wire {
    /// `r`, `l` or `s`.
    kind: char,
    user: Option<[u8; 16]>,
    handle: Option<Vec<u8>>,
    challenge: [u8; CHALLENGE_LEN],
    /// Milliseconds since 1970.
    ends: i64,
}

/// One that came back, not yet spent.
#[derive(Clone, Debug)]
pub(in crate::usecase) struct Ceremony {
    hash: OpaqueHash,
    pub purpose: Purpose,
    pub challenge: Vec<u8>,
    ends: Timestamp,
}

/// A ceremony that has begun: what is handed out, and what it says to the browser.
#[derive(Clone, Debug)]
pub struct Begun<T> {
    /// Comes back with what the browser says.
    pub ceremony: String,
    pub options: T,
}

/// Begins a ceremony, with options made of its challenge.
pub(in crate::usecase) fn begin<T>(
    app: &App,
    purpose: Purpose,
    options: impl FnOnce(&[u8]) -> T,
) -> Begun<T> {
    let challenge: [u8; CHALLENGE_LEN] = draw(app.entropy());
    let ends = app.now().plus(CEREMONY_TTL).as_millis();
    let (kind, user, handle) = match purpose {
        Purpose::Register { user, handle } => ('r', Some(*user.as_bytes()), Some(handle)),
        Purpose::SignIn => ('l', None, None),
        Purpose::SecondStep { user } => ('s', Some(*user.as_bytes()), None),
    };
    let wire = Wire { kind, user, handle, challenge, ends };
    let plain = Secret::new(serde_json::to_vec(&wire).expect("texts and numbers are JSON"));
    let sealed = app.passkey_sealer.seal(app.entropy(), CONTEXT, plain.expose());
    Begun { ceremony: format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&sealed)), options: options(&challenge) }
}

impl Ceremony {
    /// Opens one that came back. `None`: it is none of ours.
    pub(in crate::usecase) fn open(sealer: &Sealer, text: &str) -> Option<Self> {
        let sealed = BASE64URL_NOPAD.decode(text.strip_prefix(PREFIX)?.as_bytes()).ok()?;
        let plain = sealer.open(CONTEXT, &sealed).ok()?;
        let wire: Wire = serde_json::from_slice(plain.expose()).ok()?;
        let user = wire.user.map(UserId::from_bytes);
        let purpose = match (wire.kind, user, wire.handle) {
            ('r', Some(user), Some(handle)) => Purpose::Register { user, handle },
            ('l', None, None) => Purpose::SignIn,
            ('s', Some(user), None) => Purpose::SecondStep { user },
            _ => return None,
        };
        Some(Self {
            hash: opaque::sha256(text),
            purpose,
            challenge: wire.challenge.to_vec(),
            ends: Timestamp::from_millis(wire.ends),
        })
    }

    /// Spends it. `false`: it is spent, or too old.
    pub(in crate::usecase) fn spend(&self, tx: &mut Tx<'_>) -> Result<bool, Fault> {
        Ok(tx.now() < self.ends && passkeys::spend_ceremony(tx, &self.hash, self.ends)?)
    }
}

/// Refuses while passkeys are off.
///
/// # Errors
/// `not_found`.
pub fn require_enabled(app: &App) -> Result<(), Refusal> {
    if app.config.passkeys.enabled { Ok(()) } else { Err(Refusal::not_found("route", "")) }
}

/// Where pages may stand that use passkeys: `public_url`, and the related origins.
pub(in crate::usecase) fn origins(config: &Config) -> Vec<String> {
    let mut origins = vec![config.public_url.clone()];
    origins.extend(config.passkeys.related_origins.iter().cloned());
    origins
}

/// The relying party that authd is, with its [`origins`].
pub(in crate::usecase) fn relying_party<'a>(config: &'a Config, origins: &'a [String]) -> RelyingParty<'a> {
    RelyingParty { rp_id: &config.passkeys.rp_id, origins }
}
