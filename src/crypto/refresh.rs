//! Refresh tokens without token rows.
//!
//! A token is `authd_rt_` + base64url(session id ‖ generation ‖ tag), where the tag is an HMAC-SHA-256
//! over both and the session's random salt, under a key derived from the root key. Nothing in the
//! database can be turned into a token, nothing grows with use, and the token of a generation can be
//! made again. A token with a wrong tag is refused and ends nothing: knowing a session's id is not enough to
//! end it.

use super::root_key::{Purpose, RootKey};
use crate::domain::id::SessionId;
use crate::domain::secret::Secret;
use crate::domain::session::Generation;
use aws_lc_rs::hmac;
use data_encoding::BASE64URL_NOPAD;

pub const PREFIX: &str = "authd_rt_";

const ID: usize = 16;
const GENERATION: usize = 8;
const TAG: usize = 32;

/// A session's own random bytes, which its tokens depend on.
pub type Salt = [u8; 16];

/// Makes and checks refresh tokens.
#[derive(Debug)]
pub struct RefreshKey(hmac::Key);

/// A token that has the right form. Whether it is authentic, [`RefreshKey::is_authentic`] tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RefreshToken {
    pub session: SessionId,
    pub generation: Generation,
    tag: [u8; TAG],
}

impl RefreshToken {
    /// Reads a refresh token. `None`: the text is not, to the letter, of its form. Whether it is authentic is
    /// another question.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let body = Secret::new(BASE64URL_NOPAD.decode(text.strip_prefix(PREFIX)?.as_bytes()).ok()?);
        let (id, rest) = body.expose().split_first_chunk::<ID>()?;
        let (generation, tag) = rest.split_first_chunk::<GENERATION>()?;
        Some(Self {
            session: SessionId::from_bytes(*id),
            generation: Generation::from_be_bytes(*generation),
            tag: tag.try_into().ok()?,
        })
    }
}

impl RefreshKey {
    /// Derives the key from the root key.
    #[must_use]
    pub fn new(root: &RootKey) -> Self {
        Self(root.hmac_key(Purpose::RefreshTokens))
    }

    /// The token of one generation of one session; the same every time.
    #[must_use]
    pub fn token(&self, session: SessionId, generation: Generation, salt: &Salt) -> Secret<String> {
        let tag = hmac::sign(&self.0, &message(session, generation, salt));
        let body = Secret::new([&head(session, generation)[..], tag.as_ref()].concat());
        Secret::new(format!("{PREFIX}{}", BASE64URL_NOPAD.encode(body.expose())))
    }

    /// Whether authd made this token for the session with this salt. Constant time.
    #[must_use]
    pub fn is_authentic(&self, token: &RefreshToken, salt: &Salt) -> bool {
        hmac::verify(&self.0, &message(token.session, token.generation, salt), &token.tag).is_ok()
    }
}

fn head(session: SessionId, generation: Generation) -> [u8; ID + GENERATION] {
    let mut head = [0; ID + GENERATION];
    head[..ID].copy_from_slice(session.as_bytes());
    head[ID..].copy_from_slice(&generation.to_be_bytes());
    head
}

fn message(session: SessionId, generation: Generation, salt: &Salt) -> Vec<u8> {
    [&head(session, generation)[..], salt].concat()
}
