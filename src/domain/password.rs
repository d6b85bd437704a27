//! What a password is: text of any script, in one Unicode form, and what its hash may cost.

use super::secret::Secret;
use super::time::Timestamp;
use unicode_normalization::UnicodeNormalization;

/// The longest password taken, in bytes of UTF-8 as sent. All of it is hashed.
pub const MAX_BYTES: usize = 1024;

/// What one argon2id hash costs (RFC 9106 §3.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct HashCost {
    pub memory_kib: u32,
    pub iterations: u32,
    pub parallelism: u32,
}

impl HashCost {
    /// The highest cost that is configured or verified. A stored hash above it could take all of the
    /// machine's memory, or minutes.
    pub const MAX: Self = Self { memory_kib: 1 << 20, iterations: 64, parallelism: 16 };

    /// The least that OWASP's cheat sheet on password storage takes, as memory in KiB and passes over it:
    /// each is as dear to a guesser as the others.
    const FLOORS: [(u32, u32); 5] = [(47_104, 1), (19_456, 2), (12_288, 3), (9_216, 4), (7_168, 5)];

    /// Whether a hash costs less than it should at least.
    #[must_use]
    pub fn is_below_floor(self) -> bool {
        let reaches =
            |(memory_kib, iterations)| self.memory_kib >= memory_kib && self.iterations >= iterations;
        !Self::FLOORS.into_iter().any(reaches)
    }
}

/// How long a password is good.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PasswordTerm {
    /// Until it is changed.
    Lasting,
    /// For one login, which asks for another.
    Temporary {
        /// When it counts no more. `None`: it waits for that login for ever.
        ends_at: Option<Timestamp>,
    },
}

impl PasswordTerm {
    /// Whether it counts no more. Exact to the millisecond: at its end it doesn't.
    #[must_use]
    pub fn has_ended(self, now: Timestamp) -> bool {
        match self {
            Self::Lasting | Self::Temporary { ends_at: None } => false,
            Self::Temporary { ends_at: Some(end) } => end <= now,
        }
    }
}

/// A password as it is hashed: in Unicode's NFC, so that the same typing gives the same bytes on
/// every keyboard.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Password(Secret<String>);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PasswordError {
    Empty,
    /// Over [`MAX_BYTES`].
    TooLong,
}

impl PasswordError {
    /// The code of the HTTP contract.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "too_short",
            Self::TooLong => "too_long",
        }
    }

    /// What is wrong, for whoever typed it.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Empty => "a password has at least one character",
            Self::TooLong => "a password has at most 1,024 bytes",
        }
    }
}

impl Password {
    /// Takes any text of 1 to [`MAX_BYTES`] bytes. [`super::password_policy`] decides whether it is good
    /// enough for an account: a login must take what an older policy let through.
    ///
    /// # Errors
    /// [`PasswordError`], when it is empty or too long.
    pub fn new(text: &str) -> Result<Self, PasswordError> {
        if text.is_empty() {
            return Err(PasswordError::Empty);
        }
        if text.len() > MAX_BYTES {
            return Err(PasswordError::TooLong);
        }
        Ok(Self(Secret::new(text.nfc().collect())))
    }

    /// The password itself, in NFC.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_typing_is_the_same_password() {
        assert_eq!(Password::new("a\u{308}"), Password::new("ä"));
    }

    #[test]
    fn the_length_is_bounded() {
        assert_eq!(Password::new(""), Err(PasswordError::Empty));
        assert!(Password::new(&"x".repeat(MAX_BYTES)).is_ok());
        assert_eq!(Password::new(&"x".repeat(MAX_BYTES + 1)), Err(PasswordError::TooLong));
    }
}
