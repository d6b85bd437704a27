//! The signature algorithms that an access token can carry (RFC 7518 §3.1, RFC 8037 §3.1).

use std::fmt;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Algorithm {
    EdDsa,
    Es256,
    Rs256,
}

impl Algorithm {
    pub const ALL: [Self; 3] = [Self::EdDsa, Self::Es256, Self::Rs256];

    /// The names of all, in the same order.
    pub const NAMES: [&'static str; Self::ALL.len()] = {
        let mut names = [""; Self::ALL.len()];
        let mut i = 0;
        while i < names.len() {
            names[i] = Self::ALL[i].name();
            i += 1;
        }
        names
    };

    /// The registered name, as the `alg` of a JOSE header.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }

    /// Whether a signature takes as long as many requests: RSA's takes half a millisecond, the others' some
    /// hundredths of one.
    #[must_use]
    pub const fn signs_slowly(self) -> bool {
        match self {
            Self::Rs256 => true,
            Self::EdDsa | Self::Es256 => false,
        }
    }

    /// Finds the algorithm of this name; case counts (RFC 7515 §4.1.1). `None`: it is none of ours.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
