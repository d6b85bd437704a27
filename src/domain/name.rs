//! A person's name as they gave it: any script, no control characters, bounded.

use std::fmt;

/// The longest name taken, in code points.
pub const MAX_LENGTH: usize = 200;

/// May be empty: a name is never required.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Name(String);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InvalidName {
    /// Over [`MAX_LENGTH`].
    TooLong,
    /// Holds a control character (a line break, an escape), which could forge a mail header or a log line.
    ControlCharacter,
}

impl InvalidName {
    /// The code of the HTTP contract.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::ControlCharacter => "invalid",
        }
    }

    /// What is wrong, for whoever typed it.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::TooLong => "a name has at most 200 characters",
            Self::ControlCharacter => "a name has no line breaks or other control characters",
        }
    }
}

impl Name {
    /// Reads a name; white space at the ends is dropped.
    ///
    /// # Errors
    /// [`InvalidName`].
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        if text.chars().any(char::is_control) {
            return Err(InvalidName::ControlCharacter);
        }
        let text = text.trim();
        if text.chars().count() > MAX_LENGTH {
            return Err(InvalidName::TooLong);
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line() {
        assert_eq!(Name::parse("  Ann Łęcka ").unwrap().as_str(), "Ann Łęcka");
        assert_eq!(Name::parse("Ann\r\nBcc: eve"), Err(InvalidName::ControlCharacter));
        assert_eq!(Name::parse("\u{1b}[2J"), Err(InvalidName::ControlCharacter));
        assert_eq!(Name::parse(&"x".repeat(201)), Err(InvalidName::TooLong));
    }
}
