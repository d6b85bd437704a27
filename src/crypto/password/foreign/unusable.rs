//! Why the password hash of another system can't be taken over.

use std::fmt;

/// Why a hash can't be taken over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unusable {
    /// A scheme that authd doesn't verify, or no hash at all.
    Unsupported,
    /// The scheme is known, and this is not one of its hashes.
    Malformed,
    /// To verify it would take a login too long, or too much memory.
    TooCostly,
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unsupported => "the password hash is of a scheme that authd doesn't verify",
            Self::Malformed => "the password hash is damaged or cut",
            Self::TooCostly => "the password hash costs more than one login may take",
        })
    }
}
