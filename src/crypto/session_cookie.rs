//! The cookie of a browser's session, without a row of its own.
//!
//! Its value is `authd_bs_` + base64url(session id ‖ generation ‖ flags ‖ tag), where the tag is an
//! HMAC-SHA-256 over these and the session's random salt, under a key derived from the root key for this
//! purpose alone: nothing in the database can be turned into one, nor can a refresh token. A value with a
//! wrong tag opens nothing and ends nothing.

use super::refresh::Salt;
use super::root_key::{Purpose, RootKey};
use crate::domain::id::SessionId;
use crate::domain::secret::Secret;
use crate::domain::session::Generation;
use aws_lc_rs::hmac;
use data_encoding::BASE64URL_NOPAD;

pub const PREFIX: &str = "authd_bs_";

/// What the cookie of a session at an application's host begins with.
pub const APP_PREFIX: &str = "authd_as_";

/// Where a cookie counts. One that was made for another place is as good as none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place<'a> {
    /// At authd itself.
    Own,
    /// At the gate, for this application alone: what no other one, and none that comes after it, is called.
    App(&'a str),
}

impl Place<'_> {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Own => PREFIX,
            Self::App(_) => APP_PREFIX,
        }
    }
}

const ID: usize = 16;
const GENERATION: usize = 8;
const FLAGS: usize = 1;
const HEAD: usize = ID + GENERATION + FLAGS;
const TAG: usize = 32;

/// The one flag that there is.
const REMEMBERED: u8 = 1;

/// Makes and checks these values.
#[derive(Debug)]
pub struct SessionCookieKey(hmac::Key);

/// What the cookie says, but for its tag.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Named {
    pub session: SessionId,
    pub generation: Generation,
    /// Whether "stay signed in" was ticked.
    pub remembered: bool,
}

/// A value that has the right form. Whether it is authentic, [`SessionCookieKey::is_authentic`] tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionCookie {
    pub named: Named,
    tag: [u8; TAG],
}

impl SessionCookie {
    /// Reads a cookie's value. `None`: the text is not, to the letter, of its form. Whether it is authentic
    /// is another question.
    #[must_use]
    pub fn parse(text: &str, place: Place<'_>) -> Option<Self> {
        let body = Secret::new(BASE64URL_NOPAD.decode(text.strip_prefix(place.prefix())?.as_bytes()).ok()?);
        let (id, rest) = body.expose().split_first_chunk::<ID>()?;
        let (generation, rest) = rest.split_first_chunk::<GENERATION>()?;
        let ([flags], tag) = rest.split_first_chunk::<FLAGS>()?;
        if flags & !REMEMBERED != 0 {
            return None;
        }
        let named = Named {
            session: SessionId::from_bytes(*id),
            generation: Generation::from_be_bytes(*generation),
            remembered: *flags == REMEMBERED,
        };
        Some(Self { named, tag: tag.try_into().ok()? })
    }
}

impl SessionCookieKey {
    /// Derives the key from the root key.
    #[must_use]
    pub fn new(root: &RootKey) -> Self {
        Self(root.hmac_key(Purpose::SessionCookies))
    }

    /// The value that says this; the same every time.
    #[must_use]
    pub fn value(&self, named: Named, salt: &Salt, place: Place<'_>) -> Secret<String> {
        let tag = hmac::sign(&self.0, &message(named, salt, place));
        let body = Secret::new([&head(named)[..], tag.as_ref()].concat());
        Secret::new(format!("{}{}", place.prefix(), BASE64URL_NOPAD.encode(body.expose())))
    }

    /// Whether authd made this value for the session with this salt, and for this place. Constant time.
    #[must_use]
    pub fn is_authentic(&self, cookie: &SessionCookie, salt: &Salt, place: Place<'_>) -> bool {
        hmac::verify(&self.0, &message(cookie.named, salt, place), &cookie.tag).is_ok()
    }
}

fn head(named: Named) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[..ID].copy_from_slice(named.session.as_bytes());
    head[ID..ID + GENERATION].copy_from_slice(&named.generation.to_be_bytes());
    head[ID + GENERATION] = if named.remembered { REMEMBERED } else { 0 };
    head
}

/// What stands before an application is of one length, so that no two texts say the same.
fn message(named: Named, salt: &Salt, place: Place<'_>) -> Vec<u8> {
    let app = match place {
        Place::Own => String::new(),
        Place::App(app) => format!("app:{app}"),
    };
    [&head(named)[..], salt, app.as_bytes()].concat()
}
