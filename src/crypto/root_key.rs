//! The root key: 256 bits in a file beside the database, and the keys that are derived from it.
//! With a stolen database but without this file, nobody can forge a token or open a sealed value.

use crate::domain::secret::Secret;
use crate::error::Fault;
use crate::ports::{Entropy, draw};
use aws_lc_rs::{hkdf, hmac};
use data_encoding::HEXLOWER_PERMISSIVE;
use std::path::Path;

/// What a derived key is for. Each purpose has a key of its own, so that none can be used for another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// Private signing keys at rest.
    SigningKeys,
    /// Second factors' secrets at rest.
    Totp,
    /// The value that ties a page's requests to its session.
    Csrf,
    /// Mail bodies at rest.
    Mail,
    /// The tag in a refresh token.
    RefreshTokens,
    /// The tag in the cookie of a browser's session.
    SessionCookies,
    /// The tag of a password that waits with its registration.
    Registrations,
    /// The code that is mailed beside a link.
    MailedCodes,
    /// The audit log's chain.
    AuditChain,
    /// Which cost an address without an account takes after.
    StandIns,
    /// What one page of a browser hands to the next.
    Handovers,
    /// What is kept of a sign-in with a provider that has begun.
    OauthAttempts,
    /// What travels of a passkey's ceremony that has begun.
    PasskeyCeremonies,
    /// Whether this root key belongs to this database.
    Check,
    /// The MAC of a backup.
    Backups,
}

impl Purpose {
    const fn info(self) -> &'static [u8] {
        match self {
            Self::SigningKeys => b"authd signing keys v1",
            Self::Totp => b"authd totp v1",
            Self::Csrf => b"authd csrf v1",
            Self::Mail => b"authd mail v1",
            Self::RefreshTokens => b"authd refresh tokens v1",
            Self::SessionCookies => b"authd session cookies v1",
            Self::Registrations => b"authd registrations v1",
            Self::MailedCodes => b"authd mailed codes v1",
            Self::AuditChain => b"authd audit chain v1",
            Self::StandIns => b"authd stand-ins v1",
            Self::Handovers => b"authd handovers v1",
            Self::OauthAttempts => b"authd oauth attempts v1",
            Self::PasskeyCeremonies => b"authd passkey ceremonies v1",
            Self::Check => b"authd root key check v1",
            Self::Backups => b"authd backups v1",
        }
    }
}

#[derive(Clone, Debug)]
pub struct RootKey(Secret<[u8; 32]>);

impl RootKey {
    /// Draws a new key.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(Secret::new(draw(entropy)))
    }

    /// Reads the key file: 64 hexadecimal digits and a line break.
    ///
    /// # Errors
    /// [`Fault::Permission`] when the file can't be read, [`Fault::Config`] when it is no key file.
    pub fn read(path: &Path) -> Result<Self, Fault> {
        let text = std::fs::read_to_string(path).map(Secret::new).map_err(|error| {
            Fault::Permission(format!(
                "the key file {} can't be read: {error}; run this with sudo, or as the user who owns it",
                path.display()
            ))
        })?;
        let bytes = HEXLOWER_PERMISSIVE.decode(text.expose().trim().as_bytes()).map(Secret::new);
        let key = bytes.ok().and_then(|bytes| <[u8; 32]>::try_from(bytes.expose().as_slice()).ok());
        key.map(|key| Self(Secret::new(key))).ok_or_else(|| {
            Fault::Config(format!(
                "{} is not a key file of authd (64 hexadecimal digits); bring back the one that was made with this database",
                path.display()
            ))
        })
    }

    /// Gives what the key file holds, as [`RootKey::read`] takes it.
    #[must_use]
    pub fn line(&self) -> Secret<String> {
        Secret::new(format!("{}\n", HEXLOWER_PERMISSIVE.encode(self.0.expose())))
    }

    /// A key of 256 bits for one purpose (HKDF-SHA-256, RFC 5869).
    #[must_use]
    pub fn derive(&self, purpose: Purpose) -> Secret<[u8; 32]> {
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"authd").extract(self.0.expose());
        let mut key = [0; 32];
        root.expand(&[purpose.info()], hkdf::HKDF_SHA256)
            .and_then(|output| output.fill(&mut key))
            .expect("32 bytes are what one block of HKDF-SHA-256 gives");
        Secret::new(key)
    }

    /// The key of HMAC-SHA-256 for one purpose.
    #[must_use]
    pub fn hmac_key(&self, purpose: Purpose) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, self.derive(purpose).expose())
    }
}
