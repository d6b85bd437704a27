//! What a password is and which ones are good enough, after NIST SP 800-63B-4 §3.1.1.2:
//! long ones, whole, in any script, with no composition rules.

use super::email::Email;
use super::secret::Secret;
use unicode_normalization::UnicodeNormalization;

/// The longest password taken, in bytes of UTF-8 as sent. All of it is hashed.
pub const MAX_BYTES: usize = 1024;

/// What one argon2id hash costs (RFC 9106 §3.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HashCost {
    pub memory_kib: u32,
    pub iterations: u32,
    pub parallelism: u32,
}

impl HashCost {
    /// The dearest that is configured or verified: above it a stored hash would take the machine's
    /// memory or time.
    pub const MAX: Self = Self { memory_kib: 1 << 20, iterations: 64, parallelism: 16 };
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
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "too_short",
            Self::TooLong => "too_long",
        }
    }

    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Empty => "a password has at least one character",
            Self::TooLong => "a password has at most 1,024 bytes",
        }
    }
}

impl Password {
    /// Takes any text of 1 to [`MAX_BYTES`] bytes. Whether it is good enough for an account is
    /// [`Policy::judge`]'s business: a login must take what an older policy let through.
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

    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// The rules for a new password.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Policy {
    /// In code points.
    pub min_length: usize,
}

/// Why a password is not good enough. The text is shown to its owner.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Weakness {
    Short {
        min_length: usize,
    },
    /// It is the user's own address, a part of it, or the user's name.
    Personal,
}

impl Weakness {
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Short { min_length } => {
                format!("the password is shorter than {min_length} characters; a few random words make a good one")
            }
            Self::Personal => "the password is this account's own address or name, which is the first guess".into(),
        }
    }
}

impl Policy {
    /// Judges a new password for the account of `email` and `name`.
    ///
    /// # Errors
    /// The first [`Weakness`] found.
    pub fn judge(&self, password: &Password, email: &Email, name: &str) -> Result<(), Weakness> {
        let text = password.expose();
        if text.chars().count() < self.min_length {
            return Err(Weakness::Short { min_length: self.min_length });
        }
        let folded = text.to_lowercase();
        let own = [email.as_str(), email.local_part(), email.domain(), name];
        if own.iter().any(|word| !word.is_empty() && word.to_lowercase() == folded) {
            return Err(Weakness::Personal);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(text: &str) -> Result<(), Weakness> {
        let email = Email::parse("annabel.lee@kingdom-by-the-sea.example").unwrap();
        Policy { min_length: 15 }.judge(&Password::new(text).unwrap(), &email, "Annabel Lee of the Sea")
    }

    #[test]
    fn length_counts_code_points_after_nfc() {
        assert_eq!(judge(&"ä".repeat(15)), Ok(()));
        assert_eq!(judge(&"a\u{308}".repeat(14)), Err(Weakness::Short { min_length: 15 }));
    }

    #[test]
    fn own_address_and_name_are_refused_in_any_case() {
        assert_eq!(judge("Annabel.Lee@kingdom-by-the-sea.example"), Err(Weakness::Personal));
        assert_eq!(judge("KINGDOM-BY-THE-SEA.EXAMPLE"), Err(Weakness::Personal));
        assert_eq!(judge("annabel lee of the sea"), Err(Weakness::Personal));
    }

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
