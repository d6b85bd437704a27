//! Identifiers: UUIDv7 (RFC 9562 §5.7), shown in lower case. They sort by the time they were made.

use super::time::Timestamp;
use std::fmt;
use uuid::Uuid;

/// Random bits that an identifier needs besides its time.
pub type IdEntropy = [u8; 10];

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Makes a new id (UUIDv7, RFC 9562 §5.7) of a time and random bits.
            #[must_use]
            pub fn new(now: Timestamp, entropy: IdEntropy) -> Self {
                let millis = u64::try_from(now.as_millis()).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &entropy).into_uuid())
            }

            /// Only the canonical spelling (lower case, hyphens) is an id; `None` otherwise.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let id = Self(Uuid::try_parse(text).ok()?);
                (id.0.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == text).then_some(id)
            }

            /// When it was made, to the millisecond; of an id that is no UUIDv7 it says nothing.
            #[must_use]
            pub fn made_at(&self) -> Timestamp {
                let millis = self.as_bytes()[..6].iter().fold(0, |all, byte| all << 8 | i64::from(*byte));
                Timestamp::from_millis(millis)
            }

            /// An id from the bytes that the database holds.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// The bytes that the database holds.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0.hyphenated())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0.hyphenated())
            }
        }
    )*};
}

ids! {
    /// A person's account.
    UserId,
    /// One login and everything refreshed from it.
    SessionId,
    /// One access token (its `jti`).
    TokenId,
    /// A one-time link sent by mail.
    LinkId,
    /// A mail in the outbox.
    MailId,
    /// A registration that waits for its link.
    RegistrationId,
    /// An account elsewhere that signs in here.
    IdentityId,
    /// A public key that signs somebody in.
    PasskeyId,
    /// What a service proves itself with.
    ApiKeyId,
    /// One HTTP request.
    RequestId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_spelling_is_an_id() {
        let id = UserId::new(Timestamp::from_secs(1_795_334_400), [7; 10]);
        assert_eq!(UserId::parse(&id.to_string()), Some(id));
        assert_eq!(UserId::parse(&id.to_string().to_uppercase()), None);
        assert_eq!(UserId::parse(&format!("{{{id}}}")), None);
        assert_eq!(UserId::parse("42"), None);
    }

    #[test]
    fn an_id_says_when_it_was_made() {
        let now = Timestamp::from_millis(1_795_334_400_123);
        assert_eq!(TokenId::new(now, [255; 10]).made_at(), now);
    }

    #[test]
    fn ids_sort_by_time() {
        let early = UserId::new(Timestamp::from_secs(10), [255; 10]);
        let late = UserId::new(Timestamp::from_secs(11), [0; 10]);
        assert!(early < late);
    }
}
